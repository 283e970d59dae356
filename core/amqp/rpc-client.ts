import { BedsError } from "../contract/errors.ts";
import type { Observe } from "../contract/events.ts";
import { exchange } from "./base-topology.ts";
import type { ConfirmLimits } from "./confirm-window.ts";
import type { AmqpConnection, ConnectionOptions } from "./connection.ts";
import type { FieldTable } from "./field-table.ts";
import type { ArrivedMessage, ChannelReceiver } from "./frame-reader.ts";
import { Link } from "./link.ts";
import { type ConfirmedMessage, openPublisher, type Publisher } from "./publisher.ts";
import { replyQueueName } from "./reply-address.ts";
import { Sweep } from "./sweep.ts";

/** What an RPC client needs; it opens a connection of its own. */
export interface RpcClientOptions {
  /** Names the client in observations: `rabbitmq app_server rpc`. */
  readonly target: string;
  readonly connection: Omit<ConnectionOptions, "onBlocked">;
  readonly observe: Observe;
  /** Longer answers are refused with BEDS-M030. */
  readonly maxAnswerBytes: number;
  /** `maxInFlight` bounds the unanswered requests as well. */
  readonly limits?: Partial<ConfirmLimits>;
}

/** Everything about a request beside its key and body. */
export interface RpcRequest {
  /** Default `beds.events`. */
  readonly exchange?: string;
  /** Milliseconds until BEDS-Q007; RabbitMQ drops a request that was not taken by then. */
  readonly timeoutMs: number;
  /** The request's event id. */
  readonly messageId: string;
  /**
   * Survives a restart of RabbitMQ in a classic queue. Default false; quorum queues keep
   * everything.
   */
  readonly persistent?: boolean;
  readonly headers?: FieldTable;
}

/**
 * Asks and waits for answers, over a connection of its own that comes back by itself. Answers
 * arrive in an exclusive queue `beds.reply.<account>.<uuid>`, new with each connection. Used by the
 * CLI, gateways, composites and tests.
 */
export class RpcClient {
  readonly #options: RpcClientOptions;
  readonly #link: Link;
  readonly #pending = new Map<string, Pending>();
  readonly #sweep = new Sweep(SWEEP_MS, () => this.#expire());
  readonly #maxInFlight: number;
  #session: Session | null = null;
  #sent = 0;

  /** Begins to connect at once. */
  constructor(options: RpcClientOptions) {
    this.#options = options;
    this.#maxInFlight = options.limits?.maxInFlight ?? MAX_IN_FLIGHT;
    this.#link = new Link({
      target: options.target,
      connection: options.connection,
      observe: options.observe,
      setUp: (connection) => this.#setUp(connection),
    });
  }

  /** Requests without an answer. */
  get inFlight(): number {
    return this.#pending.size;
  }

  /** Errors: why the client is not connected when `signal` is aborted. */
  async waitUntilUp(signal: AbortSignal): Promise<void> {
    await this.#link.waitUntilUp(signal);
  }

  /**
   * Sends a request and returns the body of its answer. The promise always settles. Errors:
   * BEDS-Q007 no answer in time, BEDS-Q005 the queue is full, BEDS-Q008 no queue takes it (never on
   * `beds.events`, whose alternate exchange takes everything: there BEDS itself answers
   * UNSUPPORTED), BEDS-Q006 not connected or lost, BEDS-Q002 the account may not publish this key,
   * BEDS-Q010 too much in flight, BEDS-Q012 aborted.
   */
  request(
    routingKey: string,
    body: string | Uint8Array,
    request: RpcRequest,
    signal?: AbortSignal,
  ): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) throw new BedsError("BEDS-Q012");
      const session = this.#session;
      const publisher = session?.publisher ?? null;
      if (session === null || publisher === null) throw this.#notConnected();
      if (this.#pending.size >= this.#maxInFlight) {
        throw new BedsError("BEDS-Q010", {
          detail: `${this.#maxInFlight} requests are unanswered`,
        });
      }
      const correlationId = (++this.#sent).toString(36);
      const { now, elapsed } = this.#options.connection.surroundings;
      const pending: Pending = {
        routingKey,
        timeoutMs: request.timeoutMs,
        expiresAt: elapsed() + request.timeoutMs,
        resolve,
        reject,
        stopListening: null,
      };
      const properties: ConfirmedMessage["properties"] = {
        contentType: "application/json",
        deliveryMode: request.persistent === true ? PERSISTENT : TRANSIENT,
        correlationId,
        replyTo: session.replyQueue,
        expiration: String(Math.ceil(request.timeoutMs)),
        messageId: request.messageId,
        timestamp: Math.floor(now() / 1000),
        userId: this.#options.connection.user,
        ...(request.headers === undefined ? {} : { headers: request.headers }),
      };
      const target = request.exchange ?? exchange.events;
      const message = { exchange: target, routingKey, body, properties, mandatory: true };
      publisher.send(message, (error) => {
        if (error !== null) this.#take(correlationId)?.reject(error);
      });
      this.#pending.set(correlationId, pending);
      this.#sweep.wake();
      if (signal !== undefined) this.#listen(signal, correlationId, pending);
    });
  }

  /** Ends the connection; what is unanswered ends with BEDS-Q006. */
  async close(): Promise<void> {
    await this.#link.close();
    this.#failAll(new BedsError("BEDS-Q006", { detail: "the client was closed" }));
  }

  /**
   * An exclusive queue belongs to its connection and may outlive it for a while: each gets a new
   * name.
   */
  async #setUp(connection: AmqpConnection): Promise<void> {
    const channel = await connection.openChannel();
    const name = connection.surroundings.uuid();
    const replyQueue = replyQueueName(connection.account, name);
    const once = { durable: false, autoDelete: true, exclusive: true };
    await channel.settling(
      channel.library.queueDeclare(replyQueue, once),
      "declaring the reply queue",
    );
    channel.receive(this.#receiver(connection, replyQueue));
    // The queue dies with the connection, so an ack would protect nothing.
    const unacknowledged = { tag: name, noAck: true, exclusive: true };
    const begun = channel.library.basicConsume(replyQueue, unacknowledged, () => undefined);
    await channel.settling(begun, "consuming the reply queue");
    const publisher = await openPublisher(connection, this.#options.limits);
    const session: Session = { publisher, replyQueue };
    this.#session = session;
    void channel.lost.then((reason) => this.#lose(session, connection, reason));
    void this.#keepPublishing(session, connection, publisher).catch((thrown) => {
      this.#lose(session, connection, BedsError.from(thrown));
    });
  }

  /**
   * RabbitMQ closes the channel of whoever publishes what he may not. That one request fails and
   * those that were not confirmed yet; all others keep their connection and get their answers.
   */
  async #keepPublishing(
    session: Session,
    connection: AmqpConnection,
    first: Publisher,
  ): Promise<void> {
    for (let publisher = first; connection.error === null;) {
      session.publisher = publisher;
      await publisher.lost;
      session.publisher = null;
      if (connection.error !== null) return;
      publisher = await openPublisher(connection, this.#options.limits);
    }
  }

  /** Without its reply queue a client is deaf: a new connection is the one way back. */
  #lose(session: Session, connection: AmqpConnection, reason: BedsError): void {
    if (this.#session !== session) return;
    this.#session = null;
    connection.abandon(reason);
    this.#failAll(reason);
  }

  #receiver(connection: AmqpConnection, replyQueue: string): ChannelReceiver {
    return {
      maxBodyBytes: this.#options.maxAnswerBytes,
      onDelivery: (message) => this.#answer(message),
      onConfirm: () => undefined,
      onCancel: () => {
        const detail = `'${replyQueue}': RabbitMQ deleted the reply queue`;
        connection.abandon(new BedsError("BEDS-Q009", { detail }));
      },
    };
  }

  /** An answer came. One that nobody waits for any more is dropped. */
  #answer(message: ArrivedMessage): void {
    const pending = this.#take(message.properties.correlationId);
    if (pending === null) return;
    if (!message.tooLarge) return pending.resolve(Buffer.from(message.body));
    const detail = `${message.bodySize} bytes, at most ${this.#options.maxAnswerBytes} are taken`;
    pending.reject(new BedsError("BEDS-M030", { detail }));
  }

  #take(correlationId: string): Pending | null {
    const pending = this.#pending.get(correlationId);
    if (pending === undefined) return null;
    this.#pending.delete(correlationId);
    pending.stopListening?.();
    return pending;
  }

  #listen(signal: AbortSignal, correlationId: string, pending: Pending): void {
    const abort = (): void => this.#take(correlationId)?.reject(new BedsError("BEDS-Q012"));
    signal.addEventListener("abort", abort, { once: true });
    pending.stopListening = () => signal.removeEventListener("abort", abort);
  }

  #expire(): boolean {
    const elapsed = this.#options.connection.surroundings.elapsed();
    for (const [correlationId, { expiresAt, timeoutMs, routingKey }] of this.#pending) {
      if (expiresAt > elapsed) continue;
      const detail = `'${routingKey}': no answer in ${timeoutMs} ms`;
      this.#take(correlationId)?.reject(new BedsError("BEDS-Q007", { detail }));
    }
    return this.#pending.size > 0;
  }

  #failAll(reason: BedsError): void {
    for (const correlationId of [...this.#pending.keys()])
      this.#take(correlationId)?.reject(reason);
    this.#sweep.stop();
  }

  #notConnected(): BedsError {
    const error = this.#session === null ? this.#link.error : null;
    const why = error === null ? "not yet" : `${error.code} ${error.detail}`;
    return new BedsError("BEDS-Q006", {
      detail: `${this.#options.target} is not connected: ${why}`,
    });
  }
}

/** What belongs to one connection. */
interface Session {
  /** Null for the moment in which another channel is opened. */
  publisher: Publisher | null;
  readonly replyQueue: string;
}

/** A request without an answer. */
interface Pending {
  readonly routingKey: string;
  readonly timeoutMs: number;
  readonly expiresAt: number;
  readonly resolve: (body: Buffer) => void;
  readonly reject: (error: BedsError) => void;
  stopListening: (() => void) | null;
}

const TRANSIENT = 1;
const PERSISTENT = 2;
const MAX_IN_FLIGHT = 10_000;

/** How late a time limit may be noticed. */
const SWEEP_MS = 20;
