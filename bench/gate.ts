import * as v from "valibot";
import { wholeName } from "./dispatch.ts";
import type { Measured, Measurement } from "./measure.ts";

/** `baseline.json`: the ratios that were recorded last and how far they may grow. */
export const baselineSchema = v.strictObject({
  /** Where the figures come from, for people. */
  recorded: v.string(),
  stages: v.record(
    v.string(),
    v.strictObject({
      ratio: v.number(),
      /** 0.25: a quarter more is still within the noise. */
      tolerance: v.number(),
    }),
  ),
});
export type Baseline = v.InferOutput<typeof baselineSchema>;

/** The whole dispatch may cost so many times what parsing and writing the same message costs. */
export const mostOfWhole = 3;

/** Stages of a few nanoseconds may move by so much of the calibration without meaning anything. */
const slack = 0.05;
const leastTolerance = 0.25;

export interface Verdict extends Measured {
  /** Undefined for a stage that was never recorded. */
  readonly baseline: number | undefined;
  /** The largest ratio that passes. */
  readonly most: number;
  readonly passes: boolean;
}

/** Holds a measurement against the baseline: one verdict a stage. */
export function judge({ stages }: Measurement, baseline: Baseline): readonly Verdict[] {
  return stages.map((stage) => {
    const recorded = baseline.stages[stage.name];
    const bound = stage.name === wholeName ? mostOfWhole : Infinity;
    // A stage without a record does not pass: a new name must not be a way around the gate.
    const grown = recorded === undefined ? 0 : recorded.ratio * (1 + recorded.tolerance) + slack;
    const most = Math.min(bound, grown);
    return { ...stage, baseline: recorded?.ratio, most, passes: stage.ratio <= most };
  });
}

/**
 * A baseline out of a measurement: a tolerance of a quarter, or twice what the rounds differed by.
 */
export function toBaseline({ stages }: Measurement, recorded: string): Baseline {
  return {
    recorded,
    stages: Object.fromEntries(
      stages.map(({ name, ratio, spread }) => [
        name,
        { ratio: rounded(ratio), tolerance: rounded(Math.max(leastTolerance, 2 * spread)) },
      ]),
    ),
  };
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
