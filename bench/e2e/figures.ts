import {
  baseline,
  baselineByOwn,
  beds,
  bedsByLibrary,
  type Cell,
  type Sample,
  type Series,
} from "./measure.ts";
import type { Scenario, ScenarioName } from "./scenario.ts";

/**
 * A ratio of BEDS to the baseline, a round each: the median, and between what half of the rounds
 * lie.
 */
export interface Ratio {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** What was measured of one cell: medians of the rounds; processor time over all of them. */
export interface CellFigures {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Microseconds a request, by process. */
  readonly cpuUs: ReadonlyMap<string, number>;
  readonly allCpuUs: number;
  readonly requestBytes: number;
  readonly answerBytes: number;
}

/** One scenario at one concurrency. */
export interface Figures {
  readonly scenario: Scenario;
  readonly concurrency: number;
  /** Requests a second, BEDS to baseline: more is better. */
  readonly ratio: Ratio;
  /** The median time of a request, BEDS to baseline: less is better. */
  readonly p50Ratio: Ratio;
  /**
   * Processor time of all processes together, BEDS to baseline: less is better. Steadier than the
   * rates.
   */
  readonly cpuRatio: number;
  /** The ratio of the rates with one client program for both; null where that was not measured. */
  readonly libraryClientRatio: Ratio | null;
  readonly ownClientRatio: Ratio | null;
  readonly beds: CellFigures;
  readonly baseline: CellFigures;
}

/** What a run found. */
export interface Report {
  readonly workers: number;
  readonly rounds: number;
  /**
   * Processors, and the load average when it began: neighbours make all figures worse and ratios
   * uncertain.
   */
  readonly machine: { readonly cores: number; readonly load: number };
  readonly figures: readonly Figures[];
  /**
   * Whether BEDS answers a keyed write that comes twice from its stored answer; null when not
   * asked.
   */
  readonly keyed: boolean | null;
  readonly scenarios: readonly ScenarioName[];
}

export function figuresOf(scenario: Scenario, concurrency: number, series: Series): Figures {
  const ours = cellFigures(samplesOf(series, beds));
  const theirs = cellFigures(samplesOf(series, baseline));
  const rates = (cell: Cell) => samplesOf(series, cell).map(rateOf);
  const times = (cell: Cell) => samplesOf(series, cell).map(({ load }) => load.p50);
  const crossed = (one: Cell, other: Cell) =>
    series.has(one) && series.has(other) ? ratioOf(rates(one), rates(other)) : null;
  return {
    scenario,
    concurrency,
    ratio: ratioOf(rates(beds), rates(baseline)),
    p50Ratio: ratioOf(times(beds), times(baseline)),
    libraryClientRatio: crossed(bedsByLibrary, baseline),
    ownClientRatio: crossed(beds, baselineByOwn),
    cpuRatio: ours.allCpuUs / theirs.allCpuUs,
    beds: ours,
    baseline: theirs,
  };
}

function cellFigures(samples: readonly Sample[]): CellFigures {
  const answers = sum(samples.map(({ load }) => load.answers));
  const processes = [...(samples[0]?.cpu.keys() ?? [])];
  const cpuUs = processes.map((name): [string, number] => {
    return [name, sum(samples.map(({ cpu }) => cpu.get(name) ?? 0)) / answers];
  });
  const last = samples.at(-1)?.load;
  return {
    perSecond: quantile(samples.map(rateOf), 0.5),
    p50Ms: quantile(
      samples.map(({ load }) => load.p50),
      0.5,
    ),
    p99Ms: quantile(
      samples.map(({ load }) => load.p99),
      0.5,
    ),
    cpuUs: new Map(cpuUs),
    allCpuUs: sum(cpuUs.map(([, us]) => us)),
    requestBytes: last?.requestBytes ?? 0,
    answerBytes: last?.answerBytes ?? 0,
  };
}

/** Round by round, because what disturbs a round disturbs both sides of it. */
function ratioOf(ours: readonly number[], theirs: readonly number[]): Ratio {
  const ratios = ours.map((value, round) => value / (theirs[round] ?? Number.NaN));
  return {
    median: quantile(ratios, 0.5),
    low: quantile(ratios, 0.25),
    high: quantile(ratios, 0.75),
  };
}

function samplesOf(series: Series, cell: Cell): readonly Sample[] {
  return series.get(cell) ?? [];
}

function rateOf({ load }: Sample): number {
  return (load.answers * 1000) / load.ms;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Between two values it lies in proportion between them. */
function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const low = sorted[Math.floor(place)] ?? Number.NaN;
  const high = sorted[Math.ceil(place)] ?? Number.NaN;
  return low + (high - low) * (place - Math.floor(place));
}
