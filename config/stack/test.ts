import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { build } from "./build.ts";
import { say } from "./say.ts";
import { startStack } from "./stack.ts";

const root = join(import.meta.dir, "..", "..");

/**
 * `npm test`: brings the servers up, builds the program, runs every test against them, stops what
 * it started, and prints one closing line that says how many passed. Further arguments go to `bun
 * test`: names of files, `-t`.
 */
async function main(): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const servers = await startStack({ report: say });
  stack.defer(() => servers.stop());
  await build(say);
  const results = join(root, ".stack", "test-results.xml");
  await mkdir(join(root, ".stack"), { recursive: true });
  await Bun.file(results)
    .delete()
    .catch(() => undefined);
  const tests = Bun.spawn(
    [
      process.execPath,
      "test",
      "--reporter=junit",
      `--reporter-outfile=${results}`,
      ...process.argv.slice(2),
    ],
    { cwd: root, stdio: ["ignore", "inherit", "inherit"] },
  );
  process.once("SIGINT", () => tests.kill("SIGINT"));
  process.once("SIGTERM", () => tests.kill("SIGTERM"));
  const code = await tests.exited;
  await stack.disposeAsync();
  return await summarize(results, code);
}

/** Prints the closing line. Out: the exit code, which is never 0 when no test ran. */
async function summarize(results: string, code: number): Promise<number> {
  const text = await Bun.file(results)
    .text()
    .catch(() => "");
  const count = (name: string) =>
    Number(new RegExp(`<testsuites[^>]* ${name}="(\\d+)"`).exec(text)?.[1] ?? 0);
  const [tests, failed, skipped] = [count("tests"), count("failures"), count("skipped")];
  if (skipped > 0) listSkipped(text);
  console.log(
    `${tests - failed - skipped} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`,
  );
  return tests === 0 && code === 0 ? 1 : code;
}

/** A skipped test says why in its name; the names are shown so that nobody overlooks them. */
function listSkipped(text: string): void {
  for (const match of text.matchAll(/<testcase name="([^"]*)"[^>]*>\s*<skipped/g)) {
    console.log(`skipped: ${match[1]}`);
  }
}

process.exitCode = await main();
