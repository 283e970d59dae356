import { type AmqpConnection, consume, type Consumer, type Delivery } from "../amqp/index.ts";
import { BedsError } from "../contract/errors.ts";
import type { Observe, PoolObserved } from "../contract/events.ts";
import type { Pipeline } from "../pipeline.ts";
import { aborted } from "./aborted.ts";
import type { Instances } from "./instances.ts";

type OnLost = (reason: BedsError) => void;

export interface PoolParts {
  readonly queue: string;
  readonly instances: Instances;
  /** How many instances there are, for observations. */
  readonly count: number;
  /** Deliveries that RabbitMQ may send ahead for each instance. */
  readonly prefetchPerInstance: number;
  readonly maxBodyBytes: number;
  readonly pipeline: Pipeline;
  readonly observe: Observe;
}

/** How often held instances are looked at, in milliseconds. */
const sweepMs = 500;

/**
 * The instances of one queue in one worker: one channel with one consumer, whose prefetch is the
 * number of messages that the instances may hold. It consumes again whenever its connection is set
 * up anew.
 */
export class Pool {
  readonly queue: string;
  readonly #parts: PoolParts;
  readonly #sweeps: ReturnType<typeof setInterval>;
  readonly #inFlight = new Set<Promise<void>>();
  /** Who wants the pool to take nothing: names of databases that are down. */
  readonly #pausedBy = new Set<string>();
  #consumer: Consumer | null = null;
  #attached: { readonly connection: AmqpConnection; readonly onLost: OnLost } | null = null;
  /** Counts what is to be: whoever waited and finds another number has been overtaken. */
  #turn = 0;
  #attaching: Promise<void> = Promise.resolve();
  #pausing: Promise<unknown> = Promise.resolve();
  #draining = false;

  constructor(parts: PoolParts) {
    this.queue = parts.queue;
    this.#parts = parts;
    this.#sweeps = setInterval(() => parts.instances.sweep(), sweepMs);
  }

  /**
   * Begins to consume on a connection; called on every (re)connect, after the topology was
   * declared. `onLost` is told when deliveries stop although the connection lives. Errors: those of
   * `consume`.
   */
  attach(connection: AmqpConnection, onLost: OnLost): Promise<void> {
    this.#attached = { connection, onLost };
    const turn = ++this.#turn;
    const attaching = this.#retire().then(() => this.#consume(connection, onLost, turn));
    this.#attaching = attaching.catch(() => undefined);
    return attaching;
  }

  /**
   * Takes no more messages until everybody who paused it has resumed it; what it has goes on.
   * Resolves when RabbitMQ sends none.
   */
  async pause(by: string, reason: string): Promise<void> {
    if (this.#draining) return;
    const isFirst = this.#pausedBy.size === 0;
    this.#pausedBy.add(by);
    if (isFirst) {
      this.#turn += 1;
      this.#say("paused", reason);
      this.#pausing = Promise.all([this.#attaching, this.#retire()]);
    }
    await this.#pausing;
  }

  /** Consumes again, on the connection that there is; a later one finds the pool resumed. */
  resume(by: string): void {
    if (!this.#pausedBy.delete(by) || this.#pausedBy.size > 0 || this.#draining) return;
    const attached = this.#attached;
    if (attached === null || attached.connection.error !== null) return;
    const { connection, onLost } = attached;
    this.attach(connection, onLost).catch((thrown: unknown) => onLost(BedsError.from(thrown)));
  }

  /**
   * Takes no more messages, finishes those that it has, writes their acks. Out: how many were not
   * finished when `signal` was aborted; RabbitMQ delivers them again elsewhere.
   */
  async drain(signal: AbortSignal): Promise<number> {
    this.#draining = true;
    this.#turn += 1;
    this.#say("draining", `${this.#inFlight.size} in flight`);
    const consumer = this.#consumer;
    // RabbitMQ may not answer, for instance while it has an alarm; the signal bounds every wait.
    const bounded = (wait: Promise<unknown> | undefined) => Promise.race([wait, aborted(signal)]);
    await bounded(Promise.all([this.#attaching, consumer?.cancel()]));
    await bounded(this.#idle());
    const unfinished = this.#inFlight.size;
    clearInterval(this.#sweeps);
    await bounded(consumer?.settled());
    await bounded(consumer?.close());
    this.#say("drained", unfinished === 0 ? "" : `${unfinished} unfinished, requeued`);
    return unfinished;
  }

  async #consume(connection: AmqpConnection, onLost: OnLost, turn: number): Promise<void> {
    if (turn !== this.#turn || this.#draining || this.#pausedBy.size > 0) return;
    const { count, prefetchPerInstance, maxBodyBytes } = this.#parts;
    const options = { queue: this.queue, prefetch: count * prefetchPerInstance, maxBodyBytes };
    const consumer = await consume(connection, options, (delivery) => this.#take(delivery));
    if (turn !== this.#turn) return await retire(consumer);
    this.#consumer = consumer;
    this.#say("consuming", "");
    void consumer.lost.then((reason) => {
      if (this.#consumer !== consumer || this.#draining) return;
      void this.#retire();
      this.#say("paused", reason.detail);
      if (connection.error === null) onLost(reason);
    });
  }

  async #retire(): Promise<void> {
    const consumer = this.#consumer;
    this.#consumer = null;
    if (consumer !== null) await retire(consumer);
  }

  #take(delivery: Delivery): void {
    const work = this.#parts.pipeline(delivery).finally(() => this.#inFlight.delete(work));
    this.#inFlight.add(work);
  }

  async #idle(): Promise<void> {
    while (this.#inFlight.size > 0) await Promise.all(this.#inFlight);
  }

  #say(change: PoolObserved["change"], detail: string): void {
    const { queue, count: instances } = this.#parts;
    this.#parts.observe({ kind: "pool", queue, change, instances, detail });
  }
}

/** Stops a consumer; its channel stays until what is in flight has been acknowledged. */
async function retire(consumer: Consumer): Promise<void> {
  await consumer.cancel();
  void consumer.settled().then(() => consumer.close());
}
