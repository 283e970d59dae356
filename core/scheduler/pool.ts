import { type AmqpConnection, consume, type Consumer, type Delivery } from "../amqp/index.ts";
import type { BedsError } from "../contract/errors.ts";
import type { Observe, PoolObserved } from "../contract/events.ts";
import type { Pipeline } from "../pipeline.ts";
import { aborted } from "./aborted.ts";
import type { Instances } from "./instances.ts";

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
 * The instances of one queue in one worker: one channel with one consumer, whose prefetch is the number of messages
 * that the instances may hold. It consumes again whenever its connection is set up anew.
 */
export class Pool {
  readonly queue: string;
  readonly #parts: PoolParts;
  readonly #sweeps: ReturnType<typeof setInterval>;
  readonly #inFlight = new Set<Promise<void>>();
  #consumer: Consumer | null = null;
  #draining = false;

  constructor(parts: PoolParts) {
    this.queue = parts.queue;
    this.#parts = parts;
    this.#sweeps = setInterval(() => parts.instances.sweep(), sweepMs);
  }

  /**
   * Begins to consume on a connection; called on every (re)connect, after the topology was declared. `onLost` is told
   * when deliveries stop although the connection lives. Errors: those of `consume`.
   */
  async attach(connection: AmqpConnection, onLost: (reason: BedsError) => void): Promise<void> {
    if (this.#draining) return;
    const { count, prefetchPerInstance, maxBodyBytes } = this.#parts;
    const options = { queue: this.queue, prefetch: count * prefetchPerInstance, maxBodyBytes };
    const consumer = await consume(connection, options, (delivery) => this.#take(delivery));
    this.#consumer = consumer;
    this.#say("consuming", "");
    void consumer.lost.then((reason) => {
      if (this.#draining || this.#consumer !== consumer) return;
      this.#consumer = null;
      this.#say("paused", reason.detail);
      if (connection.error === null) onLost(reason);
    });
  }

  /**
   * Takes no more messages, finishes those that it has, writes their acks. Out: how many were not finished when
   * `signal` was aborted; RabbitMQ delivers them again elsewhere.
   */
  async drain(signal: AbortSignal): Promise<number> {
    this.#draining = true;
    this.#say("draining", `${this.#inFlight.size} in flight`);
    await this.#consumer?.cancel();
    await Promise.race([this.#idle(), aborted(signal)]);
    const unfinished = this.#inFlight.size;
    clearInterval(this.#sweeps);
    await Promise.race([this.#consumer?.settled(), aborted(signal)]);
    await this.#consumer?.close();
    this.#say("drained", unfinished === 0 ? "" : `${unfinished} unfinished, requeued`);
    return unfinished;
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
