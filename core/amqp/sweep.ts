/**
 * Calls `sweep` every `periodMs` while there is something to look after: one timer for all time
 * limits of a client instead of one each. `sweep` says whether anything is left.
 */
export class Sweep {
  readonly #periodMs: number;
  readonly #sweep: () => boolean;
  #timer: ReturnType<typeof setInterval> | null = null;

  constructor(periodMs: number, sweep: () => boolean) {
    this.#periodMs = periodMs;
    this.#sweep = sweep;
  }

  /** There is something to look after. Cheap; called once a message. */
  wake(): void {
    this.#timer ??= setInterval(() => {
      if (!this.#sweep()) this.stop();
    }, this.#periodMs);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}
