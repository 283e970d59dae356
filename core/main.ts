import { crashText, runProgram } from "./cli/program.ts";

/**
 * The only place that hears signals and ends the process, and the only one that knows the built-in
 * plugins.
 */
const stop = new AbortController();
const kill = new AbortController();

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    // A second SIGTERM is a supervisor that repeats itself; only a person at a terminal means
    // "now".
    if (stop.signal.aborted && signal === "SIGINT") kill.abort();
    stop.abort();
  });
}
for (const failure of ["uncaughtException", "unhandledRejection"] as const) {
  process.on(failure, (thrown: unknown) => {
    console.error(crashText(thrown));
    process.exit(70);
  });
}

const isCompiled = Bun.main.startsWith("/$bunfs/");

process.exit(
  await runProgram({
    args: process.argv.slice(2),
    program: isCompiled ? [process.execPath] : [process.execPath, Bun.main],
    environment: process.env,
    builtIn: async () => (await import("../plugins/index.ts")).builtInPlugins,
    stop: stop.signal,
    kill: kill.signal,
  }),
);
