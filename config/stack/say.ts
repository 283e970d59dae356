/**
 * Writes one line for a person to standard error. Not `console.error`, which paints every line red
 * on a terminal as if all of it were errors.
 */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
