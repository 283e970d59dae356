import { BedsError } from "../contract/errors.ts";

/** How a conflict is tried again at once, while the instance is held. */
export interface ConflictTries {
  readonly tries: number;
  /** The longest wait before the first new try, in milliseconds; it doubles with each. */
  readonly waitMs: number;
  /** From 0 up to, not including, 1. */
  readonly random: () => number;
  /** Milliseconds on a clock that never goes back. */
  readonly now: () => number;
}

/**
 * Runs `work`, and again when the database chose it as the victim of a conflict, which undid it.
 * Errors: what `work` throws, a conflict only when all tries or the `withinMs` milliseconds of the
 * operation are spent. For work without a key; keyed mutations try again by themselves.
 */
export async function retryConflicts<T>(
  work: () => Promise<T>,
  withinMs: number,
  limits: ConflictTries,
): Promise<T> {
  const until = limits.now() + withinMs;
  for (let attempt = 0; ; attempt++) {
    try {
      return await work();
    } catch (thrown) {
      const isConflict = thrown instanceof BedsError && thrown.class === "CONFLICT";
      const waitMs = limits.random() * limits.waitMs * 2 ** attempt;
      const isLate = limits.now() + waitMs >= until;
      if (!isConflict || attempt >= limits.tries || isLate) throw thrown;
      await Bun.sleep(waitMs);
    }
  }
}
