import { BedsError } from "../contract/errors.ts";
import type { Arrival } from "../contract/message.ts";
import { AckWindow } from "./ack-window.ts";
import type { Channel } from "./channel.ts";
import type { AmqpConnection } from "./connection.ts";
import { Delivery, type DeliveryChannel } from "./delivery.ts";
import type { ArrivedMessage, ChannelReceiver } from "./frame-reader.ts";
import type { OutgoingProperties } from "./message-properties.ts";
import { restoreArrival } from "./republished.ts";

/** What to take, and how much of it. */
export interface ConsumeOptions {
  readonly queue: string;
  /** Unsettled deliveries at most: the throttle of a pool. */
  readonly prefetch: number;
  /** Longer bodies are skipped and delivered as `tooLarge`. */
  readonly maxBodyBytes: number;
}

/**
 * Begins to consume a queue on a channel of its own, acknowledging by hand. `onDelivery` is called
 * in the midst of reading: it must not throw (that ends the connection, BEDS-B001) and must not
 * keep the body. Errors: BEDS-Q009 when there is no such queue, BEDS-Q002 when the account may not,
 * BEDS-Q006.
 */
export async function consume(
  connection: AmqpConnection,
  options: ConsumeOptions,
  onDelivery: (delivery: Delivery) => void,
): Promise<Consumer> {
  const during = `consuming '${options.queue}'`;
  const channel = await connection.openChannel();
  const consumer = new Consumer(channel, options, onDelivery);
  try {
    await channel.settling(channel.library.basicQos(options.prefetch), during);
    const manual = { tag: consumer.tag, noAck: false };
    // The callback is never called: our reader takes the deliveries before the library sees them.
    const begun = channel.library.basicConsume(options.queue, manual, () => undefined);
    await channel.settling(begun, during);
  } catch (thrown) {
    await channel.close();
    throw thrown;
  }
  return consumer;
}

/** One consumer on one channel. Made by `consume`. */
export class Consumer implements ChannelReceiver, DeliveryChannel {
  readonly queue: string;
  readonly tag: string;
  readonly maxBodyBytes: number;
  /**
   * Settles when deliveries come no more although nobody asked for it: RabbitMQ closed the channel
   * or cancelled the consumer, or the connection is lost. Never after our own `cancel` or `close`
   * has succeeded.
   */
  readonly lost: Promise<BedsError>;
  readonly #channel: Channel;
  readonly #connection: AmqpConnection;
  readonly #onDelivery: (delivery: Delivery) => void;
  readonly #window = new AckWindow();
  readonly #lost = Promise.withResolvers<BedsError>();
  readonly #removeHook: () => void;
  #waiting: (() => void)[] = [];

  constructor(channel: Channel, options: ConsumeOptions, onDelivery: (delivery: Delivery) => void) {
    this.queue = options.queue;
    this.tag = `beds-${channel.id}-${channel.connection.surroundings.uuid()}`;
    this.maxBodyBytes = options.maxBodyBytes;
    this.lost = this.#lost.promise;
    this.#channel = channel;
    this.#connection = channel.connection;
    this.#onDelivery = onDelivery;
    this.#removeHook = channel.connection.output.beforeFlush(() => this.#writeAcks());
    channel.receive(this);
    channel.onLost = (reason) => this.#lose(reason);
    void channel.over.then(() => this.#end());
  }

  /** Deliveries that are not settled yet. */
  get unsettled(): number {
    return this.#channel.open ? this.#window.open : 0;
  }

  /**
   * Stops the deliveries; the channel stays open for what is in flight. Errors: none, a lost
   * channel is stopped.
   */
  async cancel(): Promise<void> {
    if (!this.#channel.open) return;
    const cancelled = this.#channel.library.basicCancel(this.tag);
    await this.#channel.settling(cancelled, `cancelling '${this.queue}'`).catch(() => undefined);
  }

  /**
   * Resolves when every delivery is settled and its ack was written, or when the channel is gone.
   */
  async settled(): Promise<void> {
    if (this.unsettled > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.#channel.open) await this.#connection.output.flushed();
  }

  /**
   * Writes the acks that are due and closes the channel. What is unsettled goes back to the queue.
   */
  async close(): Promise<void> {
    await this.#channel.close();
  }

  onDelivery(message: ArrivedMessage): void {
    if (!this.#channel.open) return;
    this.#window.deliver();
    const delivery = new Delivery(this, message, this.#arrivalOf(message));
    try {
      this.#onDelivery(delivery);
    } catch (thrown) {
      // The message is unsettled and stays so until its channel ends.
      this.#connection.abandon(BedsError.from(thrown));
    } finally {
      delivery.releaseBody();
    }
  }

  onConfirm(): void {
    // A consumer's channel is not in confirm mode: its replies are at most once by nature.
  }

  onCancel(): void {
    const detail = `'${this.queue}': RabbitMQ cancelled the consumer, its queue is gone`;
    this.#lost.resolve(new BedsError("BEDS-Q009", { detail }));
  }

  reply(address: string, body: string | Uint8Array, properties: OutgoingProperties): void {
    if (!this.#channel.open) return;
    const message = { exchange: "", routingKey: address, body, properties };
    this.#connection.writer.publish(this.#channel.id, message);
  }

  finish(tag: number): void {
    if (!this.#channel.open) return;
    this.#window.finish(tag);
    this.#connection.output.touch();
    this.#wake();
  }

  reject(tag: number, requeue: boolean): void {
    if (!this.#channel.open) return;
    if (requeue) this.#connection.writer.requeue(this.#channel.id, tag);
    else this.#connection.writer.reject(this.#channel.id, tag);
    this.#window.settle(tag);
    this.#wake();
  }

  #writeAcks(): void {
    if (!this.#window.dirty || !this.#channel.open) return;
    this.#window.write((tag, multiple) => {
      this.#connection.writer.ack(this.#channel.id, tag, multiple);
    });
  }

  #lose(reason: BedsError): void {
    this.#end();
    this.#lost.resolve(reason);
  }

  #end(): void {
    this.#removeHook();
    this.#wake();
  }

  #wake(): void {
    if (this.#waiting.length === 0 || this.unsettled > 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  #arrivalOf(message: ArrivedMessage): Arrival {
    const { properties } = message;
    const arrival: Arrival = {
      userId: properties.userId,
      exchange: message.exchange,
      routingKey: message.routingKey,
      queue: this.queue,
      replyTo: properties.replyTo,
      correlationId: properties.correlationId,
      messageId: properties.messageId,
      redelivered: message.redelivered,
      receivedAt: this.#connection.surroundings.now(),
      sentAt: properties.timestamp * 1000,
      attempt: 0,
    };
    const isOurs = properties.userId === this.#connection.account;
    return isOurs ? restoreArrival(arrival, properties.headers) : arrival;
  }
}
