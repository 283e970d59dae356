import { sleep } from "../contract/sleep.ts";

/** What a breaker does when its database is gone and when it is back. */
export interface BreakerParts {
  /** Stops consuming; resolves when no more messages come. */
  readonly pause: () => Promise<void>;
  /** Consumes again. */
  readonly resume: () => void;
  /** Resolves when the database can be reached; rejects when it cannot. */
  readonly probe: () => Promise<void>;
  /**
   * Milliseconds between probes, and at most before the first one of a breaker that keeps opening.
   */
  readonly wait: { readonly firstMs: number; readonly mostMs: number };
  /** Milliseconds on a clock that never goes back. */
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/** A database that was served for so long, in milliseconds, was really back. */
const steadyMs = 5000;

/**
 * Stands between the pools of one database and its outage: while it is open they take no messages,
 * so that requests wait in their queue instead of failing one after the other. One a database in
 * each worker.
 *
 * A probe proves less than a request needs: a server that can be reached may refuse every write. So
 * a breaker that opens again soon after it closed waits before it looks, longer each time.
 */
export class Breaker {
  readonly #parts: BreakerParts;
  #paused: Promise<void> | null = null;
  #closedAt = -Infinity;
  /** Milliseconds before the first probe: none, unless the breaker keeps opening. */
  #waitMs = 0;

  constructor(parts: BreakerParts) {
    this.#parts = parts;
  }

  get isOpen(): boolean {
    return this.#paused !== null;
  }

  /**
   * Opens it, if it is not open; resolves when the pools are paused, so that a message given back
   * does not return.
   */
  trip(): Promise<void> {
    if (this.#paused === null) {
      this.#paused = this.#parts.pause();
      void this.#watch(this.#paused);
    }
    return this.#paused;
  }

  async #watch(paused: Promise<void>): Promise<void> {
    const { signal, probe, wait, now, resume } = this.#parts;
    const isAgain = now() - this.#closedAt < steadyMs;
    const longer = Math.max(this.#waitMs * 2, wait.firstMs);
    this.#waitMs = isAgain ? Math.min(longer, wait.mostMs) : 0;
    await paused;
    await sleep(this.#waitMs, signal);
    while (!signal.aborted && !(await succeeds(probe))) await sleep(wait.firstMs, signal);
    this.#paused = null;
    this.#closedAt = now();
    if (!signal.aborted) resume();
  }
}

/** That it is down is known; when it is back, a probe says so. */
async function succeeds(probe: () => Promise<void>): Promise<boolean> {
  try {
    await probe();
    return true;
  } catch {
    return false;
  }
}
