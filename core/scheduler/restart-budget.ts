/** How often a thing may be restarted before the node says that it is degraded. */
export interface BudgetLimits {
  readonly restarts: number;
  /** Milliseconds that a restart counts against the budget. */
  readonly perMs: number;
  /** Milliseconds between tries once the budget is spent. */
  readonly slowMs: number;
}

/** Counts restarts in a sliding window. Pure but for its own list; the clock is passed in. */
export class RestartBudget {
  readonly #limits: BudgetLimits;
  readonly #now: () => number;
  #restarts: number[] = [];

  constructor(limits: BudgetLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  /**
   * Takes one restart. Out: the milliseconds to wait before it: 0 within the budget, else `slowMs`.
   */
  take(): number {
    const now = this.#now();
    this.#restarts = this.#restarts.filter((at) => now - at < this.#limits.perMs);
    if (this.#restarts.length >= this.#limits.restarts) return this.#limits.slowMs;
    this.#restarts.push(now);
    return 0;
  }
}
