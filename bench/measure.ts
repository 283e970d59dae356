import { do_not_optimize, measure } from "mitata";
import type { Dispatch } from "./dispatch.ts";

/** How thoroughly to measure. */
export interface Effort {
  readonly rounds: number;
  /** Milliseconds of each measurement, of which a round has two for each stage. */
  readonly sampleMs: number;
}

/** What was measured of one stage. */
export interface Measured {
  readonly name: string;
  /** Nanoseconds for one message, the median of the rounds. */
  readonly ns: number;
  /** To the calibration that was measured beside it, the median of the rounds. */
  readonly ratio: number;
  /** The distance from the median that three of four rounds kept within, relative to it. */
  readonly spread: number;
}

export interface Measurement {
  readonly calibrationNs: number;
  readonly stages: readonly Measured[];
}

/**
 * Measures the named stages (all of them by default). Each stage stands next to a calibration of
 * its own, and the rounds go over all stages in turn, so that whatever else the machine does meets
 * both alike. Many short rounds say more than few long ones: a shared machine changes its speed
 * from one second to the next.
 */
export async function measureDispatch(
  { calibration, stages }: Dispatch,
  { rounds, sampleMs }: Effort,
  names: readonly string[] = stages.map(({ name }) => name),
): Promise<Measurement> {
  const wanted = stages.filter(({ name }) => names.includes(name));
  const samples = wanted.map((): Sample => ({ base: [], own: [] }));
  // The first round is thrown away: it is the one in which the engine compiles.
  for (let round = 0; round <= rounds; round++) {
    for (const [index, { run }] of wanted.entries()) {
      const base = await timeOf(calibration, sampleMs);
      const own = await timeOf(run, sampleMs);
      if (round === 0) continue;
      samples[index]?.base.push(base);
      samples[index]?.own.push(own);
    }
  }
  return {
    calibrationNs: median(samples.flatMap(({ base }) => base)),
    stages: wanted.map(({ name }, index) => {
      const { base, own } = samples[index] ?? { base: [], own: [] };
      const ratios = own.map((ns, round) => ns / (base[round] ?? Number.NaN));
      const ratio = median(ratios);
      const distances = ratios.map((each) => Math.abs(each - ratio) / ratio);
      return { name, ns: median(own), ratio, spread: quantile(distances, 0.75) };
    }),
  };
}

/** Nanoseconds, one for each round. */
interface Sample {
  readonly base: number[];
  readonly own: number[];
}

async function timeOf(run: () => unknown, sampleMs: number): Promise<number> {
  const { p50 } = await measure(() => do_not_optimize(run()), {
    min_cpu_time: sampleMs * 1e6,
    min_samples: 5,
    batch_samples: 1024,
  });
  return p50;
}

function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length * part)] ?? Number.NaN;
}
