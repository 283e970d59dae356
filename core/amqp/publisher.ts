import type { AMQPMessage } from "@cloudamqp/amqp-client";
import { BedsError } from "../contract/errors.ts";
import type { Channel } from "./channel.ts";
import { type Confirmed, ConfirmWindow, defaultConfirmLimits } from "./confirm-window.ts";
import type { ConfirmLimits } from "./confirm-window.ts";
import type { AmqpConnection } from "./connection.ts";
import type { ChannelReceiver } from "./frame-reader.ts";
import type { OutgoingMessage } from "./frame-writer.ts";

/** A message whose fate matters: its id tells a returned one from the others. */
export interface ConfirmedMessage extends OutgoingMessage {
  readonly properties: OutgoingMessage["properties"] & { readonly messageId: string };
}

/** Opens a channel in confirm mode. Errors: BEDS-Q006, BEDS-Q009. */
export async function openPublisher(
  connection: AmqpConnection,
  limits: Partial<ConfirmLimits> = {},
): Promise<Publisher> {
  const channel = await connection.openChannel();
  const publisher = new Publisher(channel, { ...defaultConfirmLimits, ...limits });
  await channel.settling(channel.library.confirmSelect(), "opening a confirmed channel");
  return publisher;
}

/** Publishes with confirms on a channel of its own. Made by `openPublisher`. */
export class Publisher implements ChannelReceiver {
  /** Nothing is consumed here. */
  readonly maxBodyBytes = 0;
  /**
   * RabbitMQ closed the channel, for instance because an exchange is missing, or the connection is
   * lost.
   */
  readonly lost: Promise<BedsError>;
  readonly #channel: Channel;
  readonly #window: ConfirmWindow;
  #error: BedsError | null = null;

  constructor(channel: Channel, limits: ConfirmLimits) {
    this.lost = channel.lost;
    this.#channel = channel;
    this.#window = new ConfirmWindow(limits, channel.connection.surroundings.elapsed);
    channel.receive(this);
    channel.onLost = (reason) => this.#end(reason);
    channel.library.onReturn = (message) => this.#returned(message);
  }

  /** Messages that are not confirmed yet. */
  get inFlight(): number {
    return this.#window.size;
  }

  /**
   * Publishes one message. The promise always settles: when RabbitMQ has taken it, or with
   * BEDS-Q005 (the queue is full), BEDS-Q008 (mandatory, and no queue takes it), BEDS-Q004 (no
   * confirm in time; it may have been taken), BEDS-Q006 or BEDS-Q009 (channel lost; it may have
   * been taken), BEDS-Q010 (too much in flight; not sent).
   */
  publish(message: ConfirmedMessage): Promise<void> {
    return new Promise((resolve, reject) => {
      this.send(message, (error) => (error === null ? resolve() : reject(error)));
    });
  }

  /**
   * The same with a callback. Errors that are known at once are thrown, and `confirmed` is not
   * called.
   */
  send(message: ConfirmedMessage, confirmed: Confirmed): void {
    if (this.#error !== null) throw this.#error;
    this.#window.checkRoom();
    this.#channel.connection.writer.publish(this.#channel.id, message);
    this.#window.add(message.properties.messageId, confirmed);
  }

  /** Closes the channel. What is not confirmed yet ends with BEDS-Q006. */
  async close(): Promise<void> {
    await this.#channel.close();
    this.#end(
      this.#channel.connection.error ??
        new BedsError("BEDS-Q006", { detail: "the publisher was closed" }),
    );
  }

  onDelivery(): void {
    // Nobody consumes on this channel.
  }

  onConfirm(tag: number, multiple: boolean, positive: boolean): void {
    this.#window.confirm(tag, multiple, positive);
  }

  onCancel(): void {
    // Nobody consumes on this channel.
  }

  #returned(message: AMQPMessage): void {
    const target = message.exchange === "" ? "queue" : `exchange '${message.exchange}', key`;
    const detail = `${target} '${message.routingKey}': ${message.replyText ?? "returned"}`;
    this.#window.returned(message.properties.messageId ?? "", detail);
  }

  #end(reason: BedsError): void {
    this.#error ??= reason;
    this.#window.fail(this.#error);
  }
}
