import type { Delivery } from "./amqp/index.ts";
import { BedsError } from "./contract/errors.ts";
import type { Observe, RequestObserved } from "./contract/events.ts";
import type { Envelope, Lineage, Result } from "./contract/message.ts";
import { type Authorized, authorize, type Principals } from "./message/authorize.ts";
import { decode, type DecodeLimits, lineageOfRefused } from "./message/decode.ts";
import { encodeError, encodeOk, type Timing } from "./message/encode.ts";
import { type Mint, mintedAt } from "./message/event-id.ts";
import { refuseExpired, route, type Routes } from "./message/route.ts";
import { type CompiledTemplates, validate } from "./message/validate.ts";
import type { Breaker } from "./reliability/breaker.ts";
import type { Settler } from "./reliability/settler.ts";

/** How an execution ended. A BUSINESS error of a keyed mutation is a stored answer like another. */
export type Executed = {
  /** The effect was there already: the answer is the stored one. */
  readonly replayed: boolean;
} & (
  | { readonly result: Result; readonly error: null }
  | { readonly result: null; readonly error: BedsError }
);

/**
 * Does the work of one allowed request: the named object of a database, or a broker's own handler.
 */
export interface Execute {
  readonly run: (request: Authorized) => Promise<Executed>;
  /**
   * Whether running it twice for the same request cannot take effect twice: a read, or a mutation
   * with a key.
   */
  readonly isRepeatable: boolean;
}

/** What the data path of one queue needs; made at boot, the same for every message. */
export interface PipelineParts {
  readonly templates: CompiledTemplates;
  readonly principals: Principals;
  readonly routes: Routes<Execute>;
  readonly limits: DecodeLimits & { readonly answerBytes: number };
  readonly mint: Mint;
  /**
   * Runs work as soon as one of the queue's instances is free; `limitMs` is the operation's time
   * limit.
   */
  readonly onInstance: <T>(limitMs: number, work: () => Promise<T>) => Promise<T>;
  readonly settler: Settler;
  /** The breaker before a template's database; undefined for work without one. */
  readonly breakerOf: (template: string) => Breaker | undefined;
  /** Milliseconds since 1970, UTC, with fractions. */
  readonly now: () => number;
  readonly observe: Observe;
}

/**
 * Takes one message from its queue to its settlement. Never rejects: every failure becomes a
 * settlement.
 */
export type Pipeline = (delivery: Delivery) => Promise<void>;

/**
 * The whole data path as one straight function (wiki/Code-Map.md): decode → validate → authorize →
 * route → execute → encode → settle. Everything up to `execute` happens before it first waits,
 * while the delivery's body is readable.
 */
export function createPipeline(parts: PipelineParts): Pipeline {
  const { templates, principals, routes, limits, mint, now } = parts;
  return async (delivery) => {
    const { arrival } = delivery;
    const progress = new Progress(delivery, arrival.receivedAt);
    try {
      if (delivery.tooLarge) throw tooLarge(delivery.bodySize, limits.messageBytes);
      const envelope = decode(progress.body, arrival, limits, mint);
      progress.envelope = envelope;
      const validated = validate(envelope, templates);
      const authorized = authorize(validated, arrival, principals);
      const { request, execute } = route(authorized, arrival, routes, now());
      progress.execute = execute;
      const executed = await parts.onInstance(request.entry.options.timeoutMs, () => {
        progress.startedAt = now();
        refuseExpired(request, arrival, progress.startedAt);
        return execute.run(request);
      });
      if (executed.error !== null) {
        progress.replayed = executed.replayed;
        throw executed.error;
      }
      const { result, replayed } = executed;
      const timing = timingOf(envelope, progress.startedAt, now());
      const answer = encodeOk(envelope, result, replayed, timing, mint, limits.answerBytes);
      delivery.replyAndAck(answer.body);
      report(parts, progress, envelope, answer.error, "answered", timing);
    } catch (thrown) {
      await fail(parts, progress, BedsError.from(thrown));
    }
  };
}

/** How far a message got. */
class Progress {
  readonly delivery: Delivery;
  /**
   * A copy: the delivery's own is gone after the first wait, and a retry or dead letter needs it
   * whole.
   */
  readonly body: Buffer;
  /** Null while it is not decoded. */
  envelope: Envelope | null = null;
  /** Null while it has no route. */
  execute: Execute | null = null;
  startedAt: number;
  replayed = false;

  constructor(delivery: Delivery, startedAt: number) {
    this.delivery = delivery;
    this.body = Buffer.from(delivery.body);
    this.startedAt = startedAt;
  }
}

/** Settles a failed message by the table of `core/reliability/settle.ts`. */
async function fail(parts: PipelineParts, progress: Progress, error: BedsError): Promise<void> {
  const { delivery, body, envelope, execute } = progress;
  const lineage = envelope ?? lineageOfRefused(delivery.arrival, parts.mint);
  const timing = timingOf(lineage, progress.startedAt, parts.now());
  const deadline = envelope?.meta.deadline ?? Infinity;
  const settled = await parts.settler.settle({
    delivery,
    body,
    lineage,
    breaker: parts.breakerOf(envelope?.template ?? ""),
    error,
    wasExecuted: execute !== null,
    isRepeatable: execute?.isRepeatable ?? false,
    remainingMs: deadline - parts.now(),
    answer: () => encodeError(lineage, error, progress.replayed, timing, parts.mint).body,
  });
  report(parts, progress, lineage, error, settled, timing);
}

function report(
  parts: PipelineParts,
  { delivery: { arrival }, envelope }: Progress,
  lineage: Lineage,
  error: BedsError | null,
  settled: RequestObserved["settled"],
  timing: Timing,
): void {
  parts.observe({
    kind: "request",
    eventId: lineage.eventId,
    parentId: lineage.parentId,
    depth: lineage.depth,
    template: envelope?.template ?? "",
    op: envelope?.op ?? "",
    principal: arrival.userId,
    queue: arrival.queue,
    outcome: error?.code ?? "ok",
    error,
    settled,
    attempt: arrival.attempt,
    queueMs: timing.queueMs,
    execMs: timing.execMs,
  });
}

/**
 * The time in the queue is from the making of the event id to the start of the work; clocks of two
 * hosts may differ.
 */
function timingOf(request: Lineage, startedAt: number, endedAt: number): Timing {
  const queueMs = Math.max(0, startedAt - mintedAt(request.eventId));
  return { queueMs, execMs: Math.max(0, endedAt - startedAt) };
}

function tooLarge(size: number, limit: number): BedsError {
  return new BedsError("BEDS-M002", { detail: `${size} bytes; the limit is ${limit}` });
}
