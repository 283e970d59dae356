/** Running a helper program to its end, its output in a log for the case that it fails. */
import { spawn } from "node:child_process";
import { appendFileSync } from "node:fs";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

export interface RunResult {
  /** The exit code; 127 when the program could not be started, 137 when it was killed. */
  readonly code: number;
  /** Standard output and error, in the order they came. */
  readonly output: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly log?: string;
  readonly cwd?: string;
  /** In a session of its own, so that Ctrl-C does not cut it off half way. */
  readonly shielded?: boolean;
}

/** Runs `argv` without a terminal and waits for its end; never throws. */
export function run(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const [program = "", ...args] = argv;
  return new Promise((resolve) => {
    let output = "";
    const finish = (code: number): void => {
      const shown = argv.map((part) => (part.includes("\n") ? "<script>" : part)).join(" ");
      if (options.log) appendFileSync(options.log, `$ ${shown}\n${output}\n`);
      resolve({ code, output });
    };
    const child = spawn(program, args, {
      stdio: ["ignore", "pipe", "pipe"],
      cwd: options.cwd,
      detached: options.shielded === true,
      env: { ...process.env, ...options.env },
    });
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.once("error", (cause) => {
      output += cause.message;
      finish(127);
    });
    child.once("close", (code) => finish(code ?? 137));
  });
}

/** The first of these that can be executed: names are looked for on `PATH`, paths as they are. */
export function findProgram(...candidates: readonly string[]): string | null {
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter(Boolean);
  for (const candidate of candidates) {
    const places = candidate.includes("/") ? [candidate] : folders.map((f) => join(f, candidate));
    for (const place of places) {
      if (isExecutable(place)) return place;
    }
  }
  return null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
