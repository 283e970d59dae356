/** A function that is longer than allowed: where it begins (1-based) and how many lines it has. */
export interface LongFunction {
  readonly line: number;
  readonly lines: number;
}

const opening =
  /(\bfunction\b.*|=>|^\s*(static |async |get |set |#|\*)*[\w$#]+(<.*>)?\(.*\).*)\s*\{$/;
const other = /^\s*(\}?\s*else|if|for|while|switch|catch|do|class|interface|export class)\b/;

/**
 * The functions of a formatted source that are longer than `most` lines. It reads layout, not
 * syntax, which is enough because the formatter puts a function's last brace under the first letter
 * of the line that the function ends.
 */
export function longFunctions(text: string, most: number): readonly LongFunction[] {
  const lines = text.split("\n");
  return lines.flatMap((line, start) => {
    if (!opening.test(line) && !/^\s*\).*\{$/.test(line)) return [];
    if (other.test(line)) return [];
    const indent = /^\s*/.exec(line)?.[0] ?? "";
    const end = lines.findIndex((next, at) => at > start && next.startsWith(`${indent}}`));
    const length = end - start + 1;
    return length > most ? [{ line: start + 1, lines: length }] : [];
  });
}
