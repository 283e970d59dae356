import type { Delivery } from "./amqp/index.ts";
import type { BrokerRequest } from "./contract/broker.ts";
import { BedsError } from "./contract/errors.ts";
import type { Observe } from "./contract/events.ts";
import type { Lineage, Result } from "./contract/message.ts";
import { authorize, type Principals } from "./message/authorize.ts";
import { decode, type DecodeLimits, lineageOfRefused } from "./message/decode.ts";
import { encodeError, encodeOk, type Timing } from "./message/encode.ts";
import { type Mint, mintedAt } from "./message/event-id.ts";
import { route, type Routes } from "./message/route.ts";
import { type CompiledTemplates, validate } from "./message/validate.ts";
import { deadLetter, type KeepDeadLetter } from "./reliability/dead-letter.ts";
import { deadLetterRules } from "./reliability/settle.ts";

/** Does the work of one allowed request: the named object of a database, or a broker's own handler. */
export type Execute = (request: BrokerRequest) => Promise<Result>;

/** What the data path of one queue needs; made at boot, the same for every message. */
export interface PipelineParts {
  readonly templates: CompiledTemplates;
  readonly principals: Principals;
  readonly routes: Routes<Execute>;
  readonly limits: DecodeLimits & { readonly answerBytes: number };
  readonly mint: Mint;
  /** Runs work as soon as one of the queue's instances is free; `limitMs` is the operation's time limit. */
  readonly onInstance: <T>(limitMs: number, work: () => Promise<T>) => Promise<T>;
  readonly keepDeadLetter: KeepDeadLetter;
  readonly node: string;
  /** Milliseconds since 1970, UTC, with fractions. */
  readonly now: () => number;
  readonly observe: Observe;
}

/** Takes one message from its queue to its settlement. Never rejects: every failure becomes a settlement. */
export type Pipeline = (delivery: Delivery) => Promise<void>;

/**
 * The whole data path as one straight function (wiki/Code-Map.md): decode → validate → authorize → route → execute →
 * encode → settle. Everything up to `execute` happens before it first waits, while the delivery's body is readable.
 */
export function createPipeline(parts: PipelineParts): Pipeline {
  const { templates, principals, routes, limits, mint, now } = parts;
  return async (delivery) => {
    const { arrival } = delivery;
    const body = Buffer.from(delivery.body);
    let lineage: Lineage | null = null;
    let startedAt = arrival.receivedAt;
    try {
      if (delivery.tooLarge) throw tooLarge(delivery.bodySize, limits.messageBytes);
      const envelope = decode(body, arrival, limits, mint);
      lineage = envelope;
      const validated = validate(envelope, templates);
      const authorized = authorize(validated, arrival, principals);
      const { request, execute } = route(authorized, arrival, routes, now());
      const result = await parts.onInstance(request.entry.options.timeoutMs, () => {
        startedAt = now();
        return execute(request);
      });
      const timing = timingOf(envelope, startedAt, now());
      const answer = encodeOk(envelope, result, timing, mint, limits.answerBytes);
      delivery.replyAndAck(answer.body);
      report(parts, delivery, envelope, answer.error?.code ?? "ok", timing);
    } catch (thrown) {
      await fail(parts, { delivery, body, lineage, startedAt }, BedsError.from(thrown));
    }
  };
}

/** A message that failed somewhere on the way, and how far it got. */
interface Failed {
  readonly delivery: Delivery;
  readonly body: Buffer;
  /** Null when it could not even be decoded. */
  readonly lineage: Lineage | null;
  readonly startedAt: number;
}

/** Settles a failed message by the table of `core/reliability/settle.ts`: dead letter first, then answer, then ack. */
async function fail(parts: PipelineParts, failed: Failed, error: BedsError): Promise<void> {
  const { delivery, body } = failed;
  const lineage = failed.lineage ?? lineageOfRefused(delivery.arrival, parts.mint);
  const timing = timingOf(lineage, failed.startedAt, parts.now());
  try {
    const rule = deadLetterRules[error.class];
    if (rule === "always" || (rule === "unanswered" && delivery.replyAddress === null)) {
      const letter = deadLetter(body, delivery.arrival, lineage, error, parts.node);
      await parts.keepDeadLetter(letter);
    }
    delivery.replyAndAck(encodeError(lineage, error, timing, parts.mint).body);
  } catch (thrown) {
    // Nobody could be told and nothing could be kept: the message goes back, which loses nothing.
    delivery.reject(true);
    const during = `settling ${lineage.eventId}`;
    const reason = BedsError.from(thrown);
    parts.observe({ kind: "problem", severity: "error", during, error: reason });
  }
  report(parts, delivery, lineage, error.code, timing);
  if (error.class === "BUG") {
    const during = `request ${lineage.eventId}`;
    parts.observe({ kind: "problem", severity: "error", during, error });
  }
}

/** What is known of a request when it is reported: all of it, or only where it stands in its tree. */
type Reported = Lineage & { readonly template?: string; readonly op?: string };

function report(
  parts: PipelineParts,
  { arrival }: Delivery,
  request: Reported,
  outcome: string,
  timing: Timing,
): void {
  parts.observe({
    kind: "request",
    eventId: request.eventId,
    parentId: request.parentId,
    depth: request.depth,
    template: request.template ?? "",
    op: request.op ?? "",
    principal: arrival.userId,
    queue: arrival.queue,
    outcome,
    queueMs: timing.queueMs,
    execMs: timing.execMs,
  });
}

/** The time in the queue is from the making of the event id to the start of the work; clocks of two hosts may differ. */
function timingOf(request: Lineage, startedAt: number, endedAt: number): Timing {
  const queueMs = Math.max(0, startedAt - mintedAt(request.eventId));
  return { queueMs, execMs: Math.max(0, endedAt - startedAt) };
}

function tooLarge(size: number, limit: number): BedsError {
  return new BedsError("BEDS-M002", { detail: `${size} bytes; the limit is ${limit}` });
}
