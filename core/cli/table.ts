import { printable } from "../observe/printable.ts";

/** A cell holds anything that JSON can; what is no text is shown as JSON. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
}

/**
 * Lays a table out with a heading and aligned columns, numbers to the right. In: `longest` is the
 * most characters that a cell may take. Out: lines without trailing spaces. Control characters are
 * shown, never sent to a terminal. Pure.
 */
export function formatTable({ columns, rows }: Table, longest: number): string {
  const cells = rows.map((row) => columns.map((_, at) => cellText(row[at], longest)));
  const widths = columns.map((column, at) =>
    Math.max(width(column), ...cells.map((row) => width(row[at] ?? ""))),
  );
  const numeric = columns.map((_, at) => isNumeric(rows.map((row) => row[at])));
  const line = (row: readonly string[]) =>
    row
      .map((cell, at) => pad(cell, widths[at] ?? 0, numeric[at] ?? false))
      .join("  ")
      .trimEnd();
  return [columns.map(printable), ...cells].map(line).join("\n");
}

function cellText(value: unknown, longest: number): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  const shown = printable(text);
  return shown.length <= longest ? shown : `${shown.slice(0, longest - 1)}…`;
}

function isNumeric(values: readonly unknown[]): boolean {
  return (
    values.some((value) => typeof value === "number") &&
    values.every((value) => {
      return typeof value === "number" || value === null || value === undefined;
    })
  );
}

function pad(cell: string, wanted: number, right: boolean): string {
  const space = " ".repeat(Math.max(0, wanted - width(cell)));
  return right ? space + cell : cell + space;
}

function width(text: string): number {
  return Bun.stringWidth(text);
}
