/**
 * Processes that this checkout started, and proof that they are its own.
 *
 * Every process gets two environment variables, the state folder and the server's name. They
 * are read back from `/proc/<pid>/environ` before anything is signalled, so that a recycled
 * process id or somebody else's server is never touched. Pid files are only the quick way to
 * find a process: when one is missing or stale, `/proc` is searched for the marks, which also
 * finds the server of a starter that died before it could write the file.
 */
import { spawn } from "node:child_process";
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename } from "node:path";

const HOME_MARK = "BEDS_STACK_HOME";
const SERVER_MARK = "BEDS_STACK_SERVER";
const LOG_LIMIT_BYTES = 10_000_000;

/** What a process must show to be taken for ours. */
export interface Mark {
  readonly home: string;
  readonly server: string;
  /** Must match the command line; it tells a server from its helpers. */
  readonly program: RegExp;
}

export interface Command {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** The variables that mark a process as belonging to this checkout's server. */
export function markedEnvironment(mark: Pick<Mark, "home" | "server">): Record<string, string> {
  return { [HOME_MARK]: mark.home, [SERVER_MARK]: mark.server };
}

/**
 * Starts a server in a session of its own (Ctrl-C in the terminal does not reach it, and it
 * outlives the starter), its output appended to `log`. Returns the process id.
 */
export function launchDetached(mark: Mark, command: Command, log: string, pidFile: string): number {
  rotate(log);
  const output = openSync(log, "a", 0o600);
  try {
    const [program = "", ...args] = command.argv;
    const child = spawn(program, args, {
      cwd: mark.home,
      detached: true,
      stdio: ["ignore", output, output],
      env: { ...plainEnvironment(), ...command.env, ...markedEnvironment(mark) },
    });
    child.on("error", () => {});
    child.unref();
    if (child.pid === undefined) throw new Error(`${basename(program)} could not be started`);
    writeFileSync(pidFile, `${child.pid}\n`);
    return child.pid;
  } finally {
    closeSync(output);
  }
}

/** The live process with this mark, from its pid file or else from `/proc`; null when none. */
export function markedProcess(mark: Mark, pidFile: string): number | null {
  const noted = readNumber(pidFile);
  if (noted !== null && hasMark(noted, mark)) return noted;
  return processIds().find((pid) => isSessionLeader(pid) && hasMark(pid, mark)) ?? null;
}

/** Every live process of a server, its helpers and half-finished installers included. */
export function serverProcesses(mark: Pick<Mark, "home" | "server">): readonly number[] {
  const any = { ...mark, program: /./ };
  return processIds().filter((pid) => pid !== process.pid && hasMark(pid, any));
}

export function sendSignal(pid: number, signal: "SIGTERM" | "SIGKILL" | "SIGCONT"): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended between the look and the signal, which is what the caller wants.
  }
}

/** Whether the process runs; a zombie counts as ended, because its ports and files are free. */
export function isAlive(pid: number): boolean {
  const state = statFields(pid)?.[0];
  return state !== undefined && state !== "Z" && state !== "X";
}

/** The last lines of a log, for the message of a failed start. */
export function logTail(log: string, lines = 12): string {
  try {
    return readFileSync(log, "utf8").trimEnd().split("\n").slice(-lines).join("\n");
  } catch {
    return "";
  }
}

/**
 * The caller's environment without what would change a server: settings of a RabbitMQ, Erlang,
 * MariaDB or systemd that the caller's shell or service happens to carry.
 */
function plainEnvironment(): Record<string, string> {
  const plain: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value === undefined || /^(RABBITMQ|ERL|MYSQL|MARIADB|MONGO|NOTIFY_)/.test(name)) continue;
    plain[name] = value;
  }
  return plain;
}

function hasMark(pid: number, mark: Mark): boolean {
  if (!isAlive(pid)) return false;
  const environment = readProc(pid, "environ").split("\0");
  return (
    environment.includes(`${HOME_MARK}=${mark.home}`) &&
    environment.includes(`${SERVER_MARK}=${mark.server}`) &&
    mark.program.test(readProc(pid, "cmdline").replaceAll("\0", " "))
  );
}

function isSessionLeader(pid: number): boolean {
  return Number(statFields(pid)?.[3]) === pid;
}

/** The fields of `/proc/<pid>/stat` after the name: state, parent, group, session, … */
function statFields(pid: number): string[] | null {
  const stat = readProc(pid, "stat");
  return stat === "" ? null : stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}

function processIds(): number[] {
  return readdirSync("/proc").map(Number).filter(Number.isInteger);
}

function readNumber(file: string): number | null {
  try {
    const number = Number(readFileSync(file, "utf8").trim());
    return Number.isInteger(number) && number > 1 ? number : null;
  } catch {
    return null;
  }
}

function rotate(log: string): void {
  try {
    if (statSync(log).size > LOG_LIMIT_BYTES) renameSync(log, `${log}.1`);
  } catch {
    // There is no log yet.
  }
}
