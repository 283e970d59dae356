import { BedsError } from "../contract/errors.ts";
import type { Plugin } from "../contract/plugin.ts";
import type { Command, Invocation } from "./command.ts";
import { commands } from "./commands.ts";
import { Output } from "./output.ts";
import { type ParsedLine, parseLine } from "./parse.ts";

/** What `core/main.ts` gives the command line: everything from outside that it may use. */
export interface Host {
  /** The arguments behind the program's name. */
  readonly args: readonly string[];
  /** The command line that starts this program, without arguments. */
  readonly program: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Imports the built-in plugins; only commands that need them pay for it. */
  readonly builtIn: () => Promise<readonly Plugin[]>;
  /** Aborts at the first interrupt. */
  readonly stop: AbortSignal;
  /** Aborts at the second interrupt. */
  readonly kill: AbortSignal;
}

/** The exit code of a command that was interrupted. */
export const interruptedCode = 130;

/**
 * Runs one command line to its end. Out: the exit code (`wiki/Commands.md`); errors are shown,
 * never thrown. Called once a process, by `core/main.ts`.
 */
export async function runProgram(host: Host): Promise<number> {
  const end = host.args.indexOf("--");
  const typed = end < 0 ? host.args : host.args.slice(0, end);
  const output = new Output({
    // A mistake in the command line itself must be shown as it was asked for.
    json: typed.includes("--json"),
    noColor: typed.includes("--no-color"),
    noInput: typed.includes("--no-input"),
    environment: host.environment,
  });
  try {
    return await execute(parseLine(host.args, commands), host, output);
  } catch (thrown) {
    const { reportFailure } = await import("./failure.ts");
    return reportFailure(thrown, output);
  } finally {
    await output.flush();
  }
}

/**
 * The text for what no code caught. Called by `core/main.ts` alone, right before the process ends
 * with 70.
 */
export function crashText(thrown: unknown): string {
  const { code, message, detail, hint } = BedsError.from(thrown);
  const stack = thrown instanceof Error ? (thrown.stack ?? "") : "";
  return `error[${code}]: ${message}: ${detail}\n  hint: ${hint}\n${stack}`;
}

async function execute(line: ParsedLine, host: Host, output: Output): Promise<number> {
  const { words, options } = line;
  const command = options.has("version") ? named("version") : line.command;
  if (options.has("help") || command === undefined) {
    const { helpFor } = await import("./help.ts");
    output.data(helpFor(line.command === undefined ? words : [line.command.name]));
    return 0;
  }
  const { environment, program, builtIn, stop, kill } = host;
  const context = { words, options, output, environment, program, builtIn, stop, kill };
  return await underInterrupts(command, host, startCommand(command, context));
}

async function startCommand(command: Command, invocation: Invocation): Promise<number> {
  const run = await command.load();
  return await run(invocation);
}

function named(name: string): Command | undefined {
  return commands.find((command) => command.name === name);
}

/** Milliseconds that a command has to end by itself once it was told to end now. */
const killGraceMs = 2000;

async function underInterrupts(
  { interrupt }: Command,
  { stop, kill }: Host,
  work: Promise<number>,
): Promise<number> {
  if (interrupt === "ignores") return await work;
  if (interrupt === "stops") return await Promise.race([work, whenAborted(stop)]);
  const ended = await Promise.race([work, whenAborted(kill, killGraceMs)]);
  return kill.aborted ? interruptedCode : ended;
}

function whenAborted(signal: AbortSignal, delayMs = 0): Promise<number> {
  return new Promise((resolve) => {
    const end = () => setTimeout(() => resolve(interruptedCode), delayMs);
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
  });
}
