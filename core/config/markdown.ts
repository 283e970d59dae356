/**
 * A Markdown table with its columns aligned, as the formatter of this repository writes it, so that
 * a generated page need not be formatted again. A `|` in a cell is escaped.
 */
export function markdownTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const cells = [header, ...rows].map((row) => row.map((cell) => cell.replaceAll("|", "\\|")));
  const widths = header.map((_, column) => {
    return Math.max(3, ...cells.map((row) => (row[column] ?? "").length));
  });
  const line = (row: readonly string[]): string => {
    return `| ${widths.map((width, column) => (row[column] ?? "").padEnd(width)).join(" | ")} |`;
  };
  const [head = [], ...body] = cells;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [line(head), rule, ...body.map(line)].join("\n");
}
