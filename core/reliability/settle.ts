import type { BedsError, ErrorClass } from "../contract/errors.ts";

/** What becomes of a request that failed with an error of some class. */
export interface Settlement {
  /** How often it is put off and tried again before the error is final. */
  readonly delayedTries: number;
  /**
   * Whether a confirmed copy goes to the dead letters once the error is final, the one place where
   * an operator finds what nobody was told: `always`, `unanswered` (only when the sender cannot be
   * told), or `never`.
   */
  readonly deadLetter: "always" | "unanswered" | "never";
}

/**
 * The table of wiki/Reliability.md as data. A request that fails for good is answered where its
 * sender can be addressed. DEPENDENCY_DOWN has a row only for what must not run twice and for work
 * without a database of its own: any other such request goes back to its queue, uncounted, and the
 * pools of its database pause. `BOOT` and `USAGE` never reach a delivery; were one to, it is a bug.
 */
export const settlements: Readonly<Record<ErrorClass, Settlement>> = Object.freeze({
  MALFORMED: { delayedTries: 0, deadLetter: "always" },
  UNSUPPORTED: { delayedTries: 0, deadLetter: "unanswered" },
  INVALID: { delayedTries: 0, deadLetter: "unanswered" },
  DENIED: { delayedTries: 0, deadLetter: "never" },
  OVERLOADED: { delayedTries: 0, deadLetter: "unanswered" },
  EXPIRED: { delayedTries: 0, deadLetter: "never" },
  BUSINESS: { delayedTries: 0, deadLetter: "unanswered" },
  CONFLICT: { delayedTries: 3, deadLetter: "unanswered" },
  TIMEOUT: { delayedTries: 2, deadLetter: "unanswered" },
  DEPENDENCY_DOWN: { delayedTries: 0, deadLetter: "unanswered" },
  UNKNOWN_OUTCOME: { delayedTries: 3, deadLetter: "always" },
  BROKEN_OBJECT: { delayedTries: 0, deadLetter: "always" },
  BUG: { delayedTries: 3, deadLetter: "always" },
  BOOT: { delayedTries: 0, deadLetter: "always" },
  USAGE: { delayedTries: 0, deadLetter: "always" },
});

/** What is known about the failed request. */
export interface FailureFacts {
  /** How often it was put off already. */
  readonly attempt: number;
  /** Whether its sender can be told. */
  readonly isAnswerable: boolean;
  /** Whether running it again cannot take effect twice: a read, or a mutation with a key. */
  readonly isRepeatable: boolean;
  /** Whether it got as far as its database or handler. */
  readonly wasExecuted: boolean;
  /**
   * Whether a breaker stands before its database, so that it waits in its queue for the database's
   * return.
   */
  readonly isGuarded: boolean;
  /** Milliseconds until its deadline; infinite without one. */
  readonly remainingMs: number;
}

/**
 * `return`: back to its queue, its pools pause · `retry`: wait at a step · `final`: dead letter,
 * answer, ack.
 */
export type Verdict =
  | { readonly kind: "return" }
  | { readonly kind: "retry"; readonly step: number }
  | { readonly kind: "final"; readonly deadLetter: boolean };

/**
 * Decides what becomes of a failed request. `delays` are the milliseconds of the retry steps, in
 * order; a try that would come after the deadline is not made. Pure; called once for each failure.
 */
export function judge(error: BedsError, facts: FailureFacts, delays: readonly number[]): Verdict {
  const isOutage = error.class === "DEPENDENCY_DOWN" && facts.wasExecuted;
  if (isOutage && facts.isGuarded && facts.isRepeatable) return { kind: "return" };
  const { delayedTries, deadLetter } = settlements[error.class];
  const step = Math.min(facts.attempt, delays.length - 1);
  const delay = delays[step];
  const mayRetry = facts.wasExecuted && facts.isRepeatable && facts.attempt < delayedTries;
  if (mayRetry && delay !== undefined && delay < facts.remainingMs) return { kind: "retry", step };
  const isUntold = deadLetter === "unanswered" && !facts.isAnswerable;
  return { kind: "final", deadLetter: deadLetter === "always" || isUntold };
}
