import { BedsError } from "../contract/errors.ts";
import type { ConnectionObserved, Observation, Observe } from "../contract/events.ts";
import { sleep } from "../contract/sleep.ts";
import { type BackoffLimits, backoffMs, defaultBackoff } from "./backoff.ts";
import { type AmqpConnection, type ConnectionOptions, openConnection } from "./connection.ts";

/** What a link keeps up, and what it does each time it is up. */
export interface LinkOptions {
  /** Names the link in observations: `rabbitmq app_server data`. */
  readonly target: string;
  readonly connection: Omit<ConnectionOptions, "onBlocked">;
  readonly observe: Observe;
  /**
   * Makes a new connection useful: declares topology, opens channels, consumes. Called on every
   * (re)connect; the link is up when it has returned. What it throws ends this connection and
   * counts as a failed attempt.
   */
  readonly setUp: (connection: AmqpConnection, signal: AbortSignal) => Promise<void>;
  readonly backoff?: BackoffLimits;
}

/**
 * The supervisor of one connection: connects, sets up, waits for the end, and begins again until it
 * is closed. It never gives up; what is wrong is in `error` and in its observations. One a
 * connection of a worker.
 */
export class Link {
  readonly #options: LinkOptions;
  readonly #stop = new AbortController();
  readonly #waiting = new Set<(connection: AmqpConnection) => void>();
  readonly #finished: Promise<void>;
  #connection: AmqpConnection | null = null;
  #error: BedsError | null = null;

  /** Begins to connect at once. */
  constructor(options: LinkOptions) {
    this.#options = options;
    this.#finished = this.#run();
  }

  /** The connection while it is up and set up, else null. */
  current(): AmqpConnection | null {
    // One that has just ended is not noticed by the loop before its next turn.
    return this.#connection?.error === null ? this.#connection : null;
  }

  /** Why the link is down, or went down last; null when it never was. */
  get error(): BedsError | null {
    return this.#error;
  }

  /** Errors: when `signal` is aborted or the link closed, why the link is down, else BEDS-Q012. */
  async waitUntilUp(signal: AbortSignal): Promise<AmqpConnection> {
    const current = this.current();
    if (current !== null) return current;
    const either = AbortSignal.any([signal, this.#stop.signal]);
    const { promise, resolve, reject } = Promise.withResolvers<AmqpConnection>();
    const giveUp = (): void => reject(this.#error ?? new BedsError("BEDS-Q012"));
    if (either.aborted) giveUp();
    either.addEventListener("abort", giveUp, { once: true });
    this.#waiting.add(resolve);
    try {
      return await promise;
    } finally {
      this.#waiting.delete(resolve);
      either.removeEventListener("abort", giveUp);
    }
  }

  /** Says goodbye and connects no more. Resolves when nothing is left. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#finished;
  }

  async #run(): Promise<void> {
    const { surroundings } = this.#options.connection;
    let attempt = 0;
    while (!this.#stop.signal.aborted) {
      const startedAt = surroundings.elapsed();
      const wasUp = await this.#runOnce();
      if (this.#stop.signal.aborted) return;
      const ms = surroundings.elapsed() - startedAt;
      // A connection that is lost again and again within seconds is not a success.
      if (wasUp && ms > STEADY_MS) attempt = 0;
      const limits = this.#options.backoff ?? defaultBackoff;
      const wait = backoffMs(attempt++, surroundings.random(), limits);
      // An attempt that failed only at its time limit has waited already.
      await sleep(wasUp ? wait : Math.max(wait - ms, MIN_WAIT_MS), this.#stop.signal);
    }
  }

  /** One connection from its first packet to its end. Out: whether it was up. */
  async #runOnce(): Promise<boolean> {
    const { signal } = this.#stop;
    let connection: AmqpConnection | null = null;
    const stop = (): void => void connection?.close();
    signal.addEventListener("abort", stop, { once: true });
    try {
      const onBlocked = (reason: string | null): void => {
        this.#say(reason === null ? "unblocked" : "blocked", reason ?? "");
      };
      connection = await openConnection({ ...this.#options.connection, onBlocked }, signal);
      await connection.whileOpen(this.#options.setUp(connection, signal));
      await this.#serve(connection);
      return true;
    } catch (thrown) {
      await connection?.close();
      if (signal.aborted) return false;
      this.#error = BedsError.from(thrown);
      this.#say("retrying", textOf(this.#error));
      return false;
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  /** From up to down. */
  async #serve(connection: AmqpConnection): Promise<void> {
    if (connection.error !== null) throw connection.error;
    this.#connection = connection;
    this.#say("up", connection.place);
    for (const resolve of this.#waiting) resolve(connection);
    const reason = await connection.closed;
    this.#connection = null;
    this.#error = reason;
    // An end that was asked for is no event.
    if (!this.#stop.signal.aborted) this.#say("down", textOf(reason));
  }

  #say(change: ConnectionObserved["change"], detail: string): void {
    this.#options.observe({ kind: "connection", target: this.#options.target, change, detail });
  }
}

/** Whether an observation of a link says that it tried to come up and could not. */
export function isFailedAttempt(observation: Observation): boolean {
  return observation.kind === "connection" && observation.change === "retrying";
}

/** Up for longer than this is a new beginning for the backoff. */
const STEADY_MS = 5_000;

const MIN_WAIT_MS = 20;

function textOf(error: BedsError): string {
  return error.detail === "" ? error.code : `${error.code}: ${error.detail}`;
}
