import type { ErrorClass } from "../contract/errors.ts";

/**
 * Whether a confirmed copy of a failed request goes to the dead letters, the one place where an operator finds what
 * nobody was told: `always`, `unanswered` (only when the sender could not be told), or `never`.
 */
export type DeadLetterRule = "always" | "unanswered" | "never";

/**
 * The table of DESIGN §8, as data, as far as it is built: the sender of a failed request is always answered where it
 * can be addressed, nothing is retried by the node itself, and this says what else happens before the delivery is
 * acknowledged. `BOOT` and `USAGE` never reach a delivery; were one to, it is treated as a bug.
 */
export const deadLetterRules: Readonly<Record<ErrorClass, DeadLetterRule>> = Object.freeze({
  MALFORMED: "always",
  UNSUPPORTED: "unanswered",
  INVALID: "unanswered",
  DENIED: "never",
  OVERLOADED: "unanswered",
  EXPIRED: "never",
  BUSINESS: "unanswered",
  CONFLICT: "unanswered",
  TIMEOUT: "unanswered",
  DEPENDENCY_DOWN: "unanswered",
  UNKNOWN_OUTCOME: "always",
  BROKEN_OBJECT: "always",
  BUG: "always",
  BOOT: "always",
  USAGE: "always",
});
