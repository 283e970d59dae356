import { BedsError } from "../contract/errors.ts";
import type { Observation, Observe } from "../contract/events.ts";

/** Says what a step found, for its log line: `3 templates`. */
export type Say = (detail: string) => void;

/**
 * Runs the ordered, named, timed steps of the program load. What is observed before logging is set
 * up is kept and handed over once it is, so that no step goes unlogged.
 */
export class Steps {
  readonly #now: () => number;
  #kept: Observation[] | null = [];
  #observe: Observe = (observation) => this.#kept?.push(observation);

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Passes an observation on, or keeps it until logging is set up. */
  readonly observe: Observe = (observation) => this.#observe(observation);

  /**
   * Hands what was kept to the log, and everything after it. Called once, by the step `logging`.
   */
  logTo(observe: Observe): void {
    for (const observation of this.#kept ?? []) observe(observation);
    this.#kept = null;
    this.#observe = observe;
  }

  /**
   * Runs one step. Out: what `work` yields. Errors: what `work` throws, after the step is reported
   * as failed.
   */
  async run<T>(step: string, work: (say: Say) => Promise<T> | T): Promise<T> {
    const started = this.#now();
    let detail = "";
    try {
      const value = await work((said) => (detail = said));
      this.#report(step, "ok", started, detail);
      return value;
    } catch (thrown) {
      this.#report(step, "failed", started, thrown instanceof Error ? thrown.message : "");
      throw thrown;
    }
  }

  /** Says that a step was passed over, and why (only in dev). */
  skip(step: string, error: BedsError): void {
    this.#report(step, "skipped", this.#now(), error.detail);
    this.observe({ kind: "problem", severity: "warning", during: step, error });
  }

  #report(
    step: string,
    outcome: "ok" | "skipped" | "failed",
    started: number,
    detail: string,
  ): void {
    this.observe({ kind: "step", step, outcome, ms: this.#now() - started, detail });
  }
}
