import type { AMQPChannel } from "@cloudamqp/amqp-client";
import { BedsError } from "../contract/errors.ts";
import type { AmqpConnection } from "./connection.ts";
import type { ChannelReceiver } from "./frame-reader.ts";
import { wrapLibraryError } from "./server-refusal.ts";

/**
 * One channel of a connection, from its opening to its end. RabbitMQ's numbers are used again; an
 * object of this class is not, so a delivery that outlives its channel cannot be mistaken for one
 * of the next.
 */
export class Channel {
  readonly id: number;
  readonly connection: AmqpConnection;
  /** The library's channel: for the methods that wait for an answer. */
  readonly library: AMQPChannel;
  /**
   * Settles when RabbitMQ closes the channel or the connection ends; never after our own `close`.
   */
  readonly lost: Promise<BedsError>;
  /** Settles when the channel is of no use any more, whoever ended it. */
  readonly over: Promise<void>;
  /**
   * Called at once, in the midst of reading, when the channel is lost: nothing may be written to it
   * after.
   */
  onLost: (reason: BedsError) => void = () => undefined;
  readonly #setReceiver: (receiver: ChannelReceiver | undefined) => void;
  readonly #lost = Promise.withResolvers<BedsError>();
  readonly #over = Promise.withResolvers<void>();
  #open = true;

  constructor(
    connection: AmqpConnection,
    library: AMQPChannel,
    setReceiver: (receiver: ChannelReceiver | undefined) => void,
  ) {
    this.connection = connection;
    this.library = library;
    this.id = library.id;
    this.lost = this.#lost.promise;
    this.over = this.#over.promise;
    this.#setReceiver = setReceiver;
    library.onerror = (reason) => this.lose(wrapLibraryError(reason, `channel ${this.id}`));
  }

  get open(): boolean {
    return this.#open;
  }

  /** Who takes the deliveries, confirms and cancels from now on. */
  receive(receiver: ChannelReceiver): void {
    this.#setReceiver(receiver);
  }

  /**
   * Waits for a call of the library on this channel. Errors: wrapped, `during` begins the detail.
   */
  settling<T>(call: Promise<T>, during: string): Promise<T> {
    return this.connection.settling(call, during);
  }

  /** Writes the acks that are due, then closes. Never throws; inert when the channel is over. */
  async close(): Promise<void> {
    if (!this.#open) return;
    // RabbitMQ ignores acks that stand behind channel.close.
    this.connection.output.collect();
    this.#open = false;
    await this.settling(this.library.close(), "closing a channel").catch(() => undefined);
    this.#setReceiver(undefined);
    this.#over.resolve();
  }

  /**
   * The channel is gone and cannot be written to. Called by the library's callback or the
   * connection.
   */
  lose(reason: BedsError): void {
    if (!this.#open) return;
    this.#open = false;
    this.#setReceiver(undefined);
    this.onLost(reason);
    this.#lost.resolve(reason);
    this.#over.resolve();
  }
}
