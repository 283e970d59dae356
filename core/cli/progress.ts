import type { Output } from "./output.ts";

/** Milliseconds of silence that nobody minds. */
const patienceMs = 2000;
const redrawMs = 200;

/**
 * Count, rate and time left of work that takes more than about two seconds, on one line that is
 * written over. It is shown on a terminal only; elsewhere nothing of it is written.
 */
export class Progress {
  readonly #output: Output;
  readonly #what: string;
  readonly #total: number;
  readonly #now: () => number;
  readonly #started: number;
  #done = 0;
  #drawn = 0;

  /**
   * In: what is counted, as it stands behind the number (`changes`), and how many there will be.
   */
  constructor(output: Output, what: string, total: number, now: () => number) {
    this.#output = output;
    this.#what = what;
    this.#total = total;
    this.#now = now;
    this.#started = now();
  }

  /** One more is done; `line` is what to say about it, as data. */
  step(line: string | undefined): void {
    this.#done += 1;
    const now = this.#now();
    if (line !== undefined) {
      this.clear();
      this.#output.data(line);
    }
    if (!this.#output.isWatched || now - this.#started < patienceMs) return;
    if (line === undefined && now - this.#drawn < redrawMs) return;
    this.#drawn = now;
    this.#output.show(`\r${this.text(now)}\u001b[K`);
  }

  /** Takes the line away, before anything else is written. */
  clear(): void {
    if (this.#drawn > 0) this.#output.show("\r\u001b[K");
  }

  /** `12 of 40 changes, 3.1/s, 9 s left` */
  text(now: number): string {
    const seconds = Math.max((now - this.#started) / 1000, 0.001);
    const rate = this.#done / seconds;
    const left = Math.ceil(Math.max(this.#total - this.#done, 0) / Math.max(rate, 0.001));
    return `${this.#done} of ${this.#total} ${this.#what}, ${rate.toFixed(1)}/s, ${left} s left`;
  }
}
