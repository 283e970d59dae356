import {
  type AmqpConnection,
  type ConfirmedMessage,
  type ConnectionOptions,
  DEAD_KEY,
  declareTopology,
  exchange,
  isFailedAttempt,
  Link,
  openPublisher,
  type Publisher,
  republishHeaders,
  retrySteps,
  type Topology,
} from "../amqp/index.ts";
import { BedsError } from "../contract/errors.ts";
import type { Observe } from "../contract/events.ts";
import type { DeadLetter } from "../reliability/dead-letter.ts";
import type { PutOff } from "../reliability/settler.ts";
import { aborted } from "./aborted.ts";
import type { Pool } from "./pool.ts";

export interface TransportParts {
  /** The broker service whose RabbitMQ it is. */
  readonly service: string;
  readonly connection: Omit<ConnectionOptions, "onBlocked">;
  readonly topology: Topology;
  readonly observe: Observe;
}

/**
 * The connections of a worker to one RabbitMQ (wiki/Queue-Topology.md): *data* for deliveries,
 * their answers and acks, *confirmed* for what must not be lost. Both come back by themselves;
 * topology is declared before anything is consumed.
 */
export class Transport {
  readonly #parts: TransportParts;
  readonly #data: Link;
  readonly #confirmed: Link;
  readonly #declared = Promise.withResolvers<void>();
  readonly #opened = Promise.withResolvers<readonly Pool[]>();
  #publisher: Publisher | null = null;

  /** Begins to connect at once. */
  constructor(parts: TransportParts) {
    this.#parts = parts;
    // Nobody need wait for it: a failure is in the log as well.
    this.#declared.promise.catch(() => undefined);
    this.#data = this.#link("data", (connection, signal) => this.#setUpData(connection, signal));
    this.#confirmed = this.#link("confirmed", (connection) => this.#setUpConfirmed(connection));
  }

  /**
   * Resolves when topology was declared for the first time. Errors: why the first attempt failed;
   * others follow.
   */
  declared(): Promise<void> {
    return this.#declared.promise;
  }

  /**
   * Lets the pools consume, now and after every reconnect. Called once, when the worker can serve.
   */
  open(pools: readonly Pool[]): void {
    this.#opened.resolve(pools);
  }

  /** Resolves when the pools consume. Errors: why not, when `signal` is aborted before. */
  async consuming(signal: AbortSignal): Promise<void> {
    await this.#data.waitUntilUp(signal);
  }

  /**
   * Publishes a dead letter and waits for the confirm. Errors: those of `Publisher.publish`; it may
   * then be lost.
   */
  async keepDeadLetter(letter: DeadLetter): Promise<void> {
    const { body, headers, messageId } = letter;
    const properties = {
      messageId,
      headers,
      deliveryMode: 2,
      contentType: "application/json",
    } as const;
    const message = { exchange: exchange.dead, routingKey: DEAD_KEY, body, properties };
    await this.#publish(message);
  }

  /**
   * Publishes a message to the queue of a retry step and waits for the confirm. Errors: as above.
   */
  async putOff({ delivery, body, messageId, step }: PutOff): Promise<void> {
    const { arrival } = delivery;
    const properties = {
      messageId,
      contentType: "application/json",
      deliveryMode: 2,
      headers: republishHeaders(arrival, arrival.attempt + 1),
      userId: this.#parts.connection.user,
      ...(arrival.sentAt > 0 ? { timestamp: arrival.sentAt / 1000 } : {}),
      ...(delivery.replyAddress === null ? {} : { replyTo: delivery.replyAddress }),
      ...(arrival.correlationId === "" ? {} : { correlationId: arrival.correlationId }),
    } as const;
    const retry = retrySteps[step]?.name ?? "";
    await this.#publish({ exchange: retry, routingKey: arrival.queue, body, properties });
  }

  async #publish(message: ConfirmedMessage): Promise<void> {
    if (this.#publisher === null) {
      await this.#confirmed.waitUntilUp(AbortSignal.timeout(patienceMs));
    }
    if (this.#publisher === null) throw new BedsError("BEDS-Q006", { detail: "no publisher" });
    await this.#publisher.publish({ ...message, mandatory: true });
  }

  async close(): Promise<void> {
    this.open([]);
    await Promise.all([this.#data.close(), this.#confirmed.close()]);
  }

  #link(
    role: string,
    setUp: (connection: AmqpConnection, signal: AbortSignal) => Promise<void>,
  ): Link {
    const { service, connection, observe } = this.#parts;
    const link: Link = new Link({
      target: `rabbitmq ${service} ${role}`,
      connection: { ...connection, name: `${connection.name} ${role}` },
      observe: (observation) => {
        observe(observation);
        if (isFailedAttempt(observation)) this.#declared.reject(link.error);
      },
      setUp,
    });
    return link;
  }

  async #setUpData(connection: AmqpConnection, signal: AbortSignal): Promise<void> {
    await declareTopology(connection, this.#parts.topology);
    this.#declared.resolve();
    const pools = await Promise.race([this.#opened.promise, aborted(signal)]);
    for (const pool of pools ?? []) await this.#attach(pool, connection);
  }

  /**
   * A pool that loses its channel alone gets another; when that fails, the whole connection is made
   * anew.
   */
  async #attach(pool: Pool, connection: AmqpConnection): Promise<void> {
    await pool.attach(connection, () => {
      declareTopology(connection, this.#parts.topology)
        .then(() => this.#attach(pool, connection))
        .catch((thrown) => connection.abandon(BedsError.from(thrown)));
    });
  }

  async #setUpConfirmed(connection: AmqpConnection): Promise<void> {
    await declareTopology(connection, this.#parts.topology);
    const publisher = await openPublisher(connection);
    this.#publisher = publisher;
    void publisher.lost.then((reason) => {
      this.#publisher = null;
      connection.abandon(reason);
    });
  }
}

/**
 * Milliseconds that a publish waits for its connection before its message goes back to the queue.
 */
const patienceMs = 10_000;
