import {
  catalogue,
  type CatalogueEntry,
  type ErrorClass,
  type ErrorCode,
} from "./catalogue/index.ts";

/** A place in a file that a person can open: 1-based line and column. */
export interface SourceLocation {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** What is known about one occurrence of an error, beyond what its code already says. */
export interface ErrorFacts {
  /** What exactly is wrong, with the names and values that a reader needs. Never a secret. */
  readonly detail?: string;
  /** What to do about it; replaces the catalogue's general hint. */
  readonly hint?: string;
  readonly where?: SourceLocation;
  readonly cause?: unknown;
}

/**
 * The one error type of BEDS. Branch on `code` or `class`, never on the text.
 *
 * The class decides how a delivery is settled (wiki/Reliability.md, `core/reliability/settle.ts`);
 * the code names the row of `wiki/Errors.md`. Drivers' errors are wrapped into this type inside the
 * plugin that owns the driver.
 */
export class BedsError extends Error {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly hint: string;
  readonly where: SourceLocation | undefined;

  constructor(code: ErrorCode, facts: ErrorFacts = {}) {
    const entry = catalogue[code];
    super(entry.message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = "BedsError";
    this.code = code;
    this.detail = facts.detail ?? "";
    this.hint = facts.hint ?? entry.hint;
    this.where = facts.where;
  }

  get class(): ErrorClass {
    return catalogue[this.code].class;
  }

  get retryable(): boolean {
    return catalogue[this.code].retryable;
  }

  /**
   * Wraps whatever was thrown: a `BedsError` stays itself, anything else is a BUG (`BEDS-B001`).
   */
  static from(thrown: unknown): BedsError {
    if (thrown instanceof BedsError) return thrown;
    const detail = thrown instanceof Error ? thrown.message : String(thrown);
    return new BedsError("BEDS-B001", { detail, cause: thrown });
  }
}

/**
 * Looks a code up that came over the wire or from a file; undefined when it is not in the
 * catalogue.
 */
export function findCatalogueEntry(code: string): CatalogueEntry | undefined {
  return Object.entries(catalogue).find(([known]) => known === code)?.[1];
}

export type { CatalogueEntry, ErrorClass, ErrorCode };
