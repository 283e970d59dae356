import type { Child, LoadResult } from "./child.ts";
import type { CpuMeter } from "./cpu.ts";
import type { Side, Transport } from "./scenario.ts";

/** One of the things that are compared: who serves, and what the client publishes with. */
export interface Cell {
  readonly side: Side;
  readonly transport: Transport;
}

/** The two that the ratios are made of: each side with its own client. */
export const beds: Cell = { side: "beds", transport: "own" };
export const baseline: Cell = { side: "baseline", transport: "library" };

/** The same two servers with the clients exchanged, to tell how much of a ratio is the client's. */
export const bedsByLibrary: Cell = { side: "beds", transport: "library" };
export const baselineByOwn: Cell = { side: "baseline", transport: "own" };

/** A cell that can be measured. */
export interface Runnable {
  readonly cell: Cell;
  readonly client: Child;
  /** Resolves with the news that the server has ended; without it nothing would answer any more. */
  readonly ended: Promise<string>;
  /** By the process's name: server, client, rabbitmq, mariadb. */
  readonly meters: ReadonlyMap<string, CpuMeter>;
}

/** How long everything takes. */
export interface Effort {
  readonly rounds: number;
  /** Of one sample. */
  readonly sampleMs: number;
  /** Before the first round, for each cell and concurrency: the engines compile. */
  readonly warmUpMs: number;
}

/** One cell in one round. */
export interface Sample {
  readonly load: LoadResult;
  /** Microseconds of processor time for each process, of the whole sample. */
  readonly cpu: ReadonlyMap<string, number>;
}

/** The samples of one cell at one concurrency, a round each. */
export type Series = ReadonlyMap<Cell, readonly Sample[]>;

/**
 * Measures the cells in turn, round by round and in alternating order, so that whatever else the
 * machine does meets all of them alike. In: what may be measured at each concurrency. Out: the
 * samples, by concurrency.
 */
export async function measureRounds(
  concurrencies: readonly number[],
  runnables: (concurrency: number) => readonly Runnable[],
  { rounds, sampleMs, warmUpMs }: Effort,
  signal: AbortSignal,
): Promise<ReadonlyMap<number, Series>> {
  const all = new Map<number, Map<Cell, Sample[]>>();
  for (let round = -1; round < rounds; round++) {
    for (const concurrency of concurrencies) {
      const inTurn = runnables(concurrency);
      for (const runnable of round % 2 === 0 ? inTurn : inTurn.toReversed()) {
        signal.throwIfAborted();
        const ms = round < 0 ? warmUpMs : sampleMs;
        const sample = await takeSample(runnable, concurrency, ms);
        if (round >= 0) seriesOf(all, concurrency, runnable.cell).push(sample);
      }
    }
  }
  return all;
}

/** What is left of the sample before it must not be charged to the next one. */
const pauseMs = 30;

async function takeSample(
  { client, ended, meters }: Runnable,
  concurrency: number,
  ms: number,
): Promise<Sample> {
  await Bun.sleep(pauseMs);
  const before = new Map([...meters].map(([name, meter]) => [name, meter.read()]));
  const load = await Promise.race([client.load({ concurrency, ms }), ended]);
  if (typeof load === "string") throw new Error(load);
  const spent = [...meters].map(([name, meter]): [string, number] => {
    return [name, meter.read() - (before.get(name) ?? 0)];
  });
  return { load, cpu: new Map(spent) };
}

function seriesOf(
  all: Map<number, Map<Cell, Sample[]>>,
  concurrency: number,
  cell: Cell,
): Sample[] {
  const series = all.get(concurrency) ?? new Map<Cell, Sample[]>();
  all.set(concurrency, series);
  const samples = series.get(cell) ?? [];
  series.set(cell, samples);
  return samples;
}
