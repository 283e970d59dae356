import type { LocalStack, ServerName } from "../../config/stack/stack.ts";
import { Child } from "./child.ts";
import { CpuMeter } from "./cpu.ts";
import type { BenchDatabase } from "./database.ts";
import { type Figures, figuresOf } from "./figures.ts";
import {
  baseline,
  baselineByOwn,
  beds,
  bedsByLibrary,
  type Cell,
  type Effort,
  measureRounds,
  type Runnable,
  type Series,
} from "./measure.ts";
import type { Project } from "./project.ts";
import type { Scenario } from "./scenario.ts";

/** What a comparison needs around it. */
export interface Surroundings {
  readonly servers: LocalStack["servers"];
  readonly database: BenchDatabase;
  readonly project: Project;
  readonly effort: Effort;
  readonly signal: AbortSignal;
}

export interface Comparison {
  readonly figures: readonly Figures[];
  /** Null for scenarios that write nothing. */
  readonly keyed: boolean | null;
}

/** Measures one scenario: starts both servers and the clients, and ends them whatever happens. */
export async function compare(scenario: Scenario, around: Surroundings): Promise<Comparison> {
  await using started = new AsyncDisposableStack();
  const { database, project, effort, signal } = around;
  const node = await project.start(scenario, signal);
  started.defer(async () => void (await node.stop()));
  const { name } = scenario;
  const { runtime, dba } = database;
  const service = await Child.start("baseline.ts", { scenario: name, runtime, dba });
  started.defer(() => service.stop());
  const servers = { beds: new CpuMeter(node.pid), baseline: new CpuMeter(service.pid) };
  const ended = {
    beds: node.exited.then((code) => `the node ended with exit code ${code}`),
    baseline: service.ended,
  };
  const shared = ["rabbitmq" as const, ...(name === "echo" ? [] : ["mariadb" as const])];
  const cells = name === "echo" ? [baseline, beds, bedsByLibrary, baselineByOwn] : [baseline, beds];
  const runnables: Runnable[] = [];
  for (const cell of cells) {
    const client = await Child.start("client.ts", { scenario: name, ...cell });
    started.defer(() => client.stop());
    const meters = new Map([
      ["server", servers[cell.side]],
      ["client", new CpuMeter(client.pid)],
      ...shared.flatMap((server) => serverMeter(around.servers, server)),
    ]);
    runnables.push({ cell, client, ended: ended[cell.side], meters });
  }
  // Who has what share of a ratio is asked once, where it is the largest.
  const at = (concurrency: number) =>
    runnables.filter(({ cell }) => concurrency === 64 || cell === beds || cell === baseline);
  const { concurrencies } = scenario;
  const series = await measureRounds(concurrencies, at, effort, signal);
  const figures = [...series].map(([concurrency, each]) => figuresOf(scenario, concurrency, each));
  if (name !== "keyed_write") return { figures, keyed: null };
  await checkEffects(database, series);
  return { figures, keyed: await clientOf(runnables, beds).askTwice() };
}

/** A write that was answered has its row, so that nobody is fast by leaving the work out. */
async function checkEffects(
  database: BenchDatabase,
  series: ReadonlyMap<number, Series>,
): Promise<void> {
  for (const { side } of [beds, baseline]) {
    const cells = [...series.values()].flatMap((each) => [...each]);
    const own = cells.filter(([cell]) => cell.side === side).flatMap(([, samples]) => samples);
    const answers = own.reduce((sum, { load }) => sum + load.answers, 0);
    const entries = await database.countEntries(side);
    // The warm-up wrote as well.
    if (entries >= answers) continue;
    throw new Error(`${side} answered ${answers} writes and made ${entries} rows`);
  }
}

function clientOf(runnables: readonly Runnable[], wanted: Cell): Child {
  const found = runnables.find(({ cell }) => cell === wanted);
  if (found === undefined) throw new RangeError("every cell has a client");
  return found.client;
}

function serverMeter(servers: LocalStack["servers"], name: ServerName): [string, CpuMeter][] {
  const pid = servers.get(name)?.pid() ?? null;
  return pid === null ? [] : [[name, new CpuMeter(pid)]];
}
