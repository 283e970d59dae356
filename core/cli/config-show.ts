import { loadConfig } from "../config/load.ts";
import { configRows } from "../config/rows.ts";
import type { Invocation } from "./command.ts";

/**
 * `beds config show [--origin]`: what is in force, one key a line, secrets masked. Errors: those of
 * the loader.
 */
export async function showConfig({ options, output, environment }: Invocation): Promise<number> {
  const loaded = await loadConfig({
    file: options.value("config"),
    flags: options.pairs("set"),
    environment,
  });
  const rows = configRows(loaded);
  const withOrigin = options.has("origin");
  if (output.json) {
    const values = rows.map(({ path, value, origin }) => [
      path,
      withOrigin ? { value, origin } : value,
    ]);
    output.document(Object.fromEntries(values));
    return 0;
  }
  const lines = rows.map(({ path, value }) => `${path} = ${value}`);
  const width = Math.max(...lines.map((line) => Math.min(line.length, widest)));
  for (const [at, line] of lines.entries()) {
    const origin = rows[at]?.origin ?? "";
    output.data(withOrigin ? `${line.padEnd(width)}  # ${origin}` : line);
  }
  return 0;
}

/** One long value must not push the origins of all others off the screen. */
const widest = 60;
