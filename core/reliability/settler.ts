import type { Delivery } from "../amqp/index.ts";
import { BedsError } from "../contract/errors.ts";
import type { Observe, RequestObserved } from "../contract/events.ts";
import type { Lineage } from "../contract/message.ts";
import type { Breaker } from "./breaker.ts";
import { type DeadLetter, deadLetter } from "./dead-letter.ts";
import { judge } from "./settle.ts";

/** A message to be tried again later. */
export interface PutOff {
  readonly delivery: Delivery;
  readonly body: Uint8Array;
  readonly messageId: string;
  /** The index of the retry step. */
  readonly step: number;
}

/** What a settler needs; made at boot, one for each RabbitMQ of a worker. */
export interface SettlerParts {
  readonly node: string;
  /** Milliseconds of the retry steps, in order. */
  readonly delays: readonly number[];
  /** Both resolve once RabbitMQ has confirmed, and reject when it has not. */
  readonly keepDeadLetter: (letter: DeadLetter) => Promise<void>;
  readonly putOff: (message: PutOff) => Promise<void>;
  /** Milliseconds that a message which could not be settled is held before it goes back. */
  readonly returnDelayMs: number;
  readonly observe: Observe;
}

/** A message whose request failed. */
export interface FailedMessage {
  readonly delivery: Delivery;
  readonly body: Uint8Array;
  readonly lineage: Lineage;
  /** The breaker before the database that it needs; undefined for work without one. */
  readonly breaker: Breaker | undefined;
  readonly error: BedsError;
  readonly wasExecuted: boolean;
  readonly isRepeatable: boolean;
  readonly remainingMs: number;
  /** Encodes the error answer; called only when it is sent. */
  readonly answer: () => string;
}

/** Settles failed messages exactly once, whatever fails on the way. */
export class Settler {
  readonly #parts: SettlerParts;

  constructor(parts: SettlerParts) {
    this.#parts = parts;
  }

  /**
   * Does what the table says, and acknowledges last: nothing is acknowledged before it was
   * answered, put off or kept. When that cannot be done the message goes back to its queue. Out:
   * what became of it. Never rejects.
   */
  async settle(failed: FailedMessage): Promise<RequestObserved["settled"]> {
    try {
      return await this.#settle(failed);
    } catch (thrown) {
      const during = `settling ${failed.lineage.eventId}`;
      const error = BedsError.from(thrown);
      this.#parts.observe({ kind: "problem", severity: "error", during, error });
      return await this.#giveUp(failed, error);
    }
  }

  /**
   * What cannot be settled for a reason that lies in the message itself is kept as a dead letter;
   * waiting would not mend it. Anything else goes back to its queue, after a while in which it
   * holds its place: given back at once it would come again at once.
   */
  async #giveUp(failed: FailedMessage, error: BedsError): Promise<RequestObserved["settled"]> {
    const { delivery, body, lineage } = failed;
    try {
      if (error.class === "BUG") {
        const { node } = this.#parts;
        await this.#parts.keepDeadLetter(deadLetter(body, delivery.arrival, lineage, error, node));
        delivery.ack();
        return "dead";
      }
    } catch {
      // The dead letters are out of reach as well; the first failure is in the log.
    }
    await Bun.sleep(this.#parts.returnDelayMs);
    delivery.reject(true);
    return "returned";
  }

  async #settle(failed: FailedMessage): Promise<RequestObserved["settled"]> {
    const { delivery, body, lineage, error } = failed;
    const { arrival } = delivery;
    const isAnswerable = delivery.replyAddress !== null;
    const { breaker } = failed;
    const isGuarded = breaker !== undefined;
    const facts = { ...failed, attempt: arrival.attempt, isAnswerable, isGuarded };
    const verdict = judge(error, facts, this.#parts.delays);
    if (verdict.kind === "return") {
      // Given back before the pools are paused, it would come again at once.
      await breaker?.trip();
      delivery.reject(true);
      return "returned";
    }
    if (verdict.kind === "retry") {
      const { step } = verdict;
      await this.#parts.putOff({ delivery, body, messageId: lineage.eventId, step });
      delivery.ack();
      return "put off";
    }
    // Even what is not tried again tells that its database is gone.
    if (error.class === "DEPENDENCY_DOWN") void breaker?.trip();
    if (verdict.deadLetter) {
      await this.#parts.keepDeadLetter(deadLetter(body, arrival, lineage, error, this.#parts.node));
    }
    const wasAnswered = delivery.replyAndAck(failed.answer());
    if (verdict.deadLetter) return "dead";
    return wasAnswered ? "answered" : "dropped";
  }
}
