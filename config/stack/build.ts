import { join } from "node:path";
import { say } from "./say.ts";

const root = join(import.meta.dir, "..", "..");

/** Where the compiled program lands. */
export const binary = join(root, "dist", "beds");

/**
 * Compiles the one executable. In: `report` is told what was built and how long it took. Errors:
 * whatever the compiler says, as the error's message.
 *
 * Neither `.env` nor `bunfig.toml` of the folder in which the program runs may reach it: a compiled
 * program would execute what they name.
 */
export async function build(report: (line: string) => void): Promise<void> {
  const started = performance.now();
  const compiler = Bun.spawn(
    [
      process.execPath,
      "build",
      "--compile",
      "--minify",
      "--bytecode",
      "--format=esm",
      "--sourcemap",
      "--no-compile-autoload-dotenv",
      "--no-compile-autoload-bunfig",
      `--outfile=${binary}`,
      join(root, "core", "main.ts"),
    ],
    { cwd: root, stdout: "pipe", stderr: "pipe" },
  );
  const [out, err, code] = await Promise.all([
    new Response(compiler.stdout).text(),
    new Response(compiler.stderr).text(),
    compiler.exited,
  ]);
  if (code !== 0) throw new Error(`the compiler failed:\n${out}${err}`);
  const megabytes = (Bun.file(binary).size / 1e6).toFixed(0);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  report(`build: dist/beds, ${megabytes} MB (${seconds} s)`);
}

if (import.meta.main) await build(say);
