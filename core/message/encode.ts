import { BedsError } from "../contract/errors.ts";
import type { Answer, AnswerError, Lineage, Result } from "../contract/message.ts";
import type { Mint } from "./event-id.ts";

/** What the answer says about time, in milliseconds. */
export interface Timing {
  /** From the sender's publish to the start, as far as it is known. */
  readonly queueMs: number;
  readonly execMs: number;
}

/** An answer as it goes out, and what it says. */
export interface Encoded {
  /** JSON; the publisher writes it as UTF-8. */
  readonly body: string;
  /** Null for an answer with status ok. */
  readonly error: BedsError | null;
}

/**
 * The last stage: an answer of version 1 with status ok. An answer of more than `answerBytes` is
 * replaced by the error BEDS-M030, since what RabbitMQ or the caller cannot take is worth less than
 * a reason.
 *
 * The answer is an event of its own: a new id, the request as its parent.
 */
export function encodeOk(
  request: Lineage,
  result: Result,
  replayed: boolean,
  timing: Timing,
  mint: Mint,
  answerBytes: number,
): Encoded {
  const body = write(request, "ok", { result, error: null, replayed }, timing, mint);
  // A UTF-16 unit takes at most three bytes, so most answers need not be measured.
  if (body.length * 3 > answerBytes) {
    const bytes = Buffer.byteLength(body);
    if (bytes > answerBytes) {
      const detail = `${bytes} bytes; the limit is ${answerBytes}`;
      return encodeError(request, new BedsError("BEDS-M030", { detail }), false, timing, mint);
    }
  }
  return { body, error: null };
}

/**
 * The last stage for a request that failed. `request` is `lineageOfRefused` where there is no
 * envelope.
 */
export function encodeError(
  request: Lineage,
  error: BedsError,
  replayed: boolean,
  timing: Timing,
  mint: Mint,
): Encoded {
  const said = { result: null, error: answerErrorOf(error), replayed };
  return { body: write(request, "error", said, timing, mint), error };
}

/**
 * What a caller may know about an error. Where the node or a server of its own is at fault, the
 * detail is the operator's: it names hosts, accounts and driver texts.
 */
export function answerErrorOf(error: BedsError): AnswerError {
  const { code, message, hint, retryable } = error;
  const isOurs = error.class === "DEPENDENCY_DOWN" || error.class === "BOOT";
  const isHidden = isOurs || error.class === "DENIED" || code === "BEDS-B001";
  const detail = isHidden ? "" : error.detail.slice(0, longestDetail);
  return { code, class: error.class, message, detail, hint, retryable };
}

/** Characters. A database object's own text has no bound that BEDS could set elsewhere. */
const longestDetail = 4000;

function write(
  request: Lineage,
  status: "ok" | "error",
  { result, error, replayed }: Pick<Answer, "result" | "error" | "replayed">,
  timing: Timing,
  mint: Mint,
): string {
  const answer: Answer = {
    v: 1,
    event_id: mint.next(),
    parent_id: request.eventId,
    depth: request.depth + 1,
    status,
    result,
    replayed,
    error,
    ticket: null,
    timing: {
      queue_ms: Math.round(timing.queueMs * 10) / 10,
      exec_ms: Math.round(timing.execMs * 100) / 100,
    },
  };
  return JSON.stringify(answer);
}
