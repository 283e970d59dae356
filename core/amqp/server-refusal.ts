import { BedsError, type ErrorCode } from "../contract/errors.ts";

/** What RabbitMQ said when it closed something. */
export interface ServerRefusal {
  readonly scope: "channel" | "connection";
  /** `PRECONDITION_FAILED - inequivalent arg …` */
  readonly text: string;
  /** AMQP's reply code: 403, 404, 406 … */
  readonly code: number;
}

/**
 * Reads what the library threw or reported. It keeps the reply code in the text alone
 *, so this is the one place where BEDS looks into a text. Null: it was not
 * RabbitMQ that refused.
 */
export function readServerRefusal(thrown: unknown): ServerRefusal | null {
  const match = REFUSAL.exec(messageOf(thrown));
  if (match === null) return null;
  const [, scope, text = "", code] = match;
  return { scope: scope === "connection" ? "connection" : "channel", text, code: Number(code) };
}

/**
 * Wraps what the library threw. `during` says what was being done; it begins the detail. Out:
 * BEDS-Q002 when the account or the vhost was refused, BEDS-Q009 when a channel was closed, else
 * BEDS-Q006.
 */
export function wrapLibraryError(thrown: unknown, during: string): BedsError {
  if (thrown instanceof BedsError) return thrown;
  const refusal = readServerRefusal(thrown);
  const text = refusal?.text ?? messageOf(thrown);
  return new BedsError(codeOf(refusal), { detail: `${during}: ${text}`, cause: safeCause(thrown) });
}

/**
 * What may be kept of an error of the library. Its own carries the whole client with it, password
 * included, and would be printed with it.
 */
export function safeCause(thrown: unknown): Error {
  return new Error(messageOf(thrown));
}

const REFUSAL = /^(connection|channel \d+) closed: (.*) \((\d{3})\)$/s;

function codeOf(refusal: ServerRefusal | null): ErrorCode {
  if (refusal === null) return "BEDS-Q006";
  const denied = refusal.code === ACCESS_REFUSED || refusal.code === NOT_ALLOWED;
  if (denied) return "BEDS-Q002";
  return refusal.scope === "channel" ? "BEDS-Q009" : "BEDS-Q006";
}

const ACCESS_REFUSED = 403;

/** RabbitMQ's answer to a vhost that does not exist. */
const NOT_ALLOWED = 530;

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
