import { BedsError, type ErrorClass } from "../contract/errors.ts";

/** The exit codes of every command, by sysexits.h where it has one. */
export const exitCodes = {
  ok: 0,
  findings: 1,
  usage: 64,
  data: 65,
  unavailable: 69,
  bug: 70,
  later: 75,
  denied: 77,
  config: 78,
  interrupted: 130,
} as const;

/**
 * The exit code that says what kind of failure it was. In: the class, which may come over the wire
 * and be unknown here, and the code, which decides where a class says too little. Pure. Called by
 * the commands and by a node that could not start.
 */
export function exitCodeOf(error: { readonly code: string; readonly class: string }): number {
  const exception = exceptions[error.code];
  if (exception !== undefined) return exception;
  const known = Object.entries(byClass).find(([name]) => name === error.class);
  return known?.[1] ?? exitCodes.bug;
}

/** As above for anything that was thrown. */
export function exitCodeFor(thrown: unknown): number {
  return exitCodeOf(BedsError.from(thrown));
}

const byClass: Readonly<Record<ErrorClass, number>> = {
  MALFORMED: exitCodes.data,
  UNSUPPORTED: exitCodes.data,
  INVALID: exitCodes.data,
  DENIED: exitCodes.denied,
  OVERLOADED: exitCodes.later,
  EXPIRED: exitCodes.later,
  BUSINESS: exitCodes.findings,
  CONFLICT: exitCodes.later,
  TIMEOUT: exitCodes.later,
  DEPENDENCY_DOWN: exitCodes.unavailable,
  UNKNOWN_OUTCOME: exitCodes.later,
  BROKEN_OBJECT: exitCodes.bug,
  BUG: exitCodes.bug,
  BOOT: exitCodes.config,
  USAGE: exitCodes.usage,
};

const exceptions: Readonly<Record<string, number>> = {
  // Nobody serves the key at the moment; the request itself may be right.
  "BEDS-Q008": exitCodes.unavailable,
  "BEDS-N003": exitCodes.unavailable,
  // Object files are the data of `beds db`, not its configuration.
  "BEDS-W001": exitCodes.data,
  "BEDS-W002": exitCodes.data,
  "BEDS-W003": exitCodes.data,
  "BEDS-U004": exitCodes.data,
};
