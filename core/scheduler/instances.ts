import { BedsError } from "../contract/errors.ts";

/** Work that holds an instance: one message, hence one database call. */
interface Occupant {
  /** Milliseconds on the clock at which the instance is given up. */
  readonly until: number;
  abandon(): void;
}

/**
 * The instances of one pool: so many messages are worked on at a time, the rest wait in order. This
 * is the throttle of the whole system (wiki/Nodes.md). How many can wait is bounded by the
 * consumer's prefetch, not here.
 */
export class Instances {
  readonly #count: number;
  readonly #now: () => number;
  readonly #graceMs: number;
  readonly #onAbandoned: (detail: string) => void;
  readonly #occupants = new Set<Occupant>();
  readonly #waiting: (() => void)[] = [];
  #busy = 0;

  /**
   * In: `graceMs` is how much longer than its time limit an operation may take before its instance
   * is abandoned; the adapter is expected to have ended it by then. `onAbandoned` is told about
   * each instance that was replaced.
   */
  constructor(
    count: number,
    graceMs: number,
    now: () => number,
    onAbandoned: (detail: string) => void,
  ) {
    this.#count = count;
    this.#graceMs = graceMs;
    this.#now = now;
    this.#onAbandoned = onAbandoned;
  }

  get busy(): number {
    return this.#busy;
  }

  /**
   * Runs `work` as soon as an instance is free. Errors: what `work` throws, or BEDS-D002 when it
   * holds its instance beyond `limitMs` and the grace: the instance is then replaced and whatever
   * `work` still does is ignored.
   */
  async run<T>(limitMs: number, work: () => Promise<T>): Promise<T> {
    if (this.#busy < this.#count) this.#busy += 1;
    else await new Promise<void>((start) => this.#waiting.push(start));
    return await this.#occupy(limitMs, work);
  }

  /** Abandons what holds an instance for too long. Called by the pool about twice a second. */
  sweep(): void {
    const now = this.#now();
    for (const occupant of this.#occupants) {
      if (occupant.until <= now) occupant.abandon();
    }
  }

  #occupy<T>(limitMs: number, work: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let held = true;
      const release = () => {
        if (!held) return;
        held = false;
        this.#occupants.delete(occupant);
        this.#pass();
      };
      const occupant: Occupant = {
        until: this.#now() + limitMs + this.#graceMs,
        abandon: () => {
          release();
          const detail = `an operation held its instance for more than ${limitMs} ms`;
          this.#onAbandoned(detail);
          reject(new BedsError("BEDS-D002", { detail }));
        },
      };
      this.#occupants.add(occupant);
      Promise.try(work).then(resolve, reject).finally(release);
    });
  }

  /** Hands the instance to the next in line, or frees it. */
  #pass(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#busy -= 1;
    else next();
  }
}
