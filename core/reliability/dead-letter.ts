import type { FieldTable } from "../amqp/index.ts";
import type { BedsError } from "../contract/errors.ts";
import type { Arrival, Lineage } from "../contract/message.ts";

/** A message that nobody will execute, as it is kept for an operator. */
export interface DeadLetter {
  /** The bytes as they arrived; empty when they were too many to be read. */
  readonly body: Uint8Array;
  readonly headers: FieldTable;
  readonly messageId: string;
}

/**
 * Keeps dead letters. Resolves once RabbitMQ has confirmed; rejects when it has not, and the letter
 * may be lost.
 */
export type KeepDeadLetter = (letter: DeadLetter) => Promise<void>;

/**
 * Writes down what became of a message: whose it was, where it came from, why it ended. `node` is
 * the one that gave it up. The headers are those that a later replay needs.
 */
export function deadLetter(
  body: Uint8Array,
  arrival: Arrival,
  lineage: Lineage,
  error: BedsError,
  node: string,
): DeadLetter {
  return {
    body,
    messageId: lineage.eventId,
    headers: {
      "beds-event-id": lineage.eventId,
      "beds-root-id": lineage.rootId,
      "beds-principal": arrival.userId,
      "beds-exchange": arrival.exchange,
      "beds-routing-key": arrival.routingKey,
      "beds-queue": arrival.queue,
      "beds-reply-to": arrival.replyTo,
      "beds-error-code": error.code,
      "beds-error-class": error.class,
      "beds-error-detail": error.detail.slice(0, longestDetail),
      "beds-node": node,
      "beds-died-at": new Date(arrival.receivedAt).toISOString(),
    },
  };
}

/** Characters. The object's own texts have no bound; a header table must fit into one frame. */
const longestDetail = 1000;
