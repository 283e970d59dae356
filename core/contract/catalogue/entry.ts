/**
 * Decides how a delivery is settled (wiki/Reliability.md). `BOOT` and `USAGE` never reach a
 * delivery.
 */
export type ErrorClass =
  | "MALFORMED"
  | "UNSUPPORTED"
  | "INVALID"
  | "DENIED"
  | "OVERLOADED"
  | "EXPIRED"
  | "BUSINESS"
  | "CONFLICT"
  | "TIMEOUT"
  | "DEPENDENCY_DOWN"
  | "UNKNOWN_OUTCOME"
  | "BROKEN_OBJECT"
  | "BUG"
  | "BOOT"
  | "USAGE";

/** One row of `wiki/Errors.md`. */
export interface CatalogueEntry {
  readonly class: ErrorClass;
  /** One clause, lower case, without a full stop: it stands behind `error[CODE]: `. */
  readonly message: string;
  /** The remedy, said to the person who meets the error. */
  readonly hint: string;
  /** Whether the same request may succeed later without being changed. */
  readonly retryable: boolean;
}
