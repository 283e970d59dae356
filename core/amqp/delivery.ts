import type { Arrival } from "../contract/message.ts";
import type { ArrivedMessage } from "./frame-reader.ts";
import type { ArrivedProperties, OutgoingProperties } from "./message-properties.ts";
import { isReplyAddress } from "./reply-address.ts";

/**
 * What a delivery does to the channel that it came on. Implemented by `Consumer`; inert once the
 * channel is gone.
 */
export interface DeliveryChannel {
  /** Errors: BEDS-Q010, and nothing was written. */
  reply(address: string, body: string | Uint8Array, properties: OutgoingProperties): void;
  finish(tag: number): void;
  reject(tag: number, requeue: boolean): void;
}

/**
 * One message that a consumer took. It is settled exactly once, by the first of `replyAndAck`,
 * `ack` and `reject`; a second call does nothing, and neither does any once its channel is gone:
 * RabbitMQ delivers it again.
 */
export class Delivery {
  readonly arrival: Arrival;
  readonly properties: ArrivedProperties;
  readonly bodySize: number;
  /** The body was longer than the consumer takes (BEDS-M002); `body` is empty. */
  readonly tooLarge: boolean;
  readonly #channel: DeliveryChannel;
  readonly #tag: number;
  #body: Buffer;
  #settled = false;

  constructor(channel: DeliveryChannel, message: ArrivedMessage, arrival: Arrival) {
    this.arrival = arrival;
    this.properties = message.properties;
    this.bodySize = message.bodySize;
    this.tooLarge = message.tooLarge;
    this.#channel = channel;
    this.#tag = message.deliveryTag;
    this.#body = message.body;
  }

  /**
   * The body, valid only until the consumer's callback returns, and empty afterwards: it is a view
   * into the read buffer. Decode it, or copy it with `Buffer.from`.
   */
  get body(): Buffer {
    return this.#body;
  }

  get settled(): boolean {
    return this.#settled;
  }

  /**
   * Where an answer may go; null when the sender named nothing, or an address that is not its own.
   */
  get replyAddress(): string | null {
    const { replyTo, userId } = this.arrival;
    return isReplyAddress(replyTo, userId) ? replyTo : null;
  }

  /**
   * Publishes the answer and acknowledges, in this order on the delivery's own channel. Without a
   * reply address it only acknowledges. The correlation id is the request's. Out: whether an answer
   * was written. Errors: BEDS-Q010 when too much is waiting: the delivery is then not settled.
   */
  replyAndAck(body: string | Uint8Array, properties: OutgoingProperties = JSON_ANSWER): boolean {
    if (this.#settled) return false;
    const address = this.replyAddress;
    if (address !== null) {
      const { correlationId } = this.arrival;
      const all = correlationId === "" ? properties : { ...properties, correlationId };
      this.#channel.reply(address, body, all);
    }
    this.ack();
    return address !== null;
  }

  /** The message is done with. The ack leaves at the end of this turn. */
  ack(): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#channel.finish(this.#tag);
  }

  /**
   * Gives the message back. With `requeue` it is not its fault: another consumer gets it, uncounted
   * on RabbitMQ 4.3 (basic.nack). Without, it is: the queue's dead-letter exchange gets it, and
   * nobody where there is none.
   */
  reject(requeue: boolean): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#channel.reject(this.#tag, requeue);
  }

  /** Called by the consumer when its callback has returned. */
  releaseBody(): void {
    this.#body = NO_BODY;
  }
}

const NO_BODY = Buffer.alloc(0);

const JSON_ANSWER: OutgoingProperties = { contentType: "application/json" };
