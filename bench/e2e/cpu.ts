import { readdirSync, readFileSync } from "node:fs";

/** USER_HZ of Linux on every platform that Bun runs on (proc(5)). */
const ticksPerSecond = 100;

/** Processes whose time is told together: a node is its parent and its workers. */
export class CpuMeter {
  readonly #pids: readonly number[];

  /** `pid` and everything that it has started by now. */
  constructor(pid: number) {
    this.#pids = [pid, ...descendants(pid)];
  }

  /** Processor time so far, in microseconds, user and system. */
  read(): number {
    const ticks = this.#pids.reduce((sum, pid) => sum + ticksOf(pid), 0);
    return (ticks * 1_000_000) / ticksPerSecond;
  }
}

function descendants(pid: number): readonly number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    if (/^\d+$/.test(name)) parents.set(Number(name), Number(fieldsOf(Number(name))[1] ?? 0));
  }
  const found: number[] = [];
  collect(pid, parents, found);
  return found;
}

function collect(pid: number, parents: ReadonlyMap<number, number>, found: number[]): void {
  for (const [child, parent] of parents) {
    if (parent !== pid) continue;
    found.push(child);
    collect(child, parents, found);
  }
}

function ticksOf(pid: number): number {
  const fields = fieldsOf(pid);
  return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
}

/**
 * The fields of /proc/<pid>/stat behind the name, which may hold anything; none when it is gone.
 */
function fieldsOf(pid: number): readonly string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return [];
  }
}
