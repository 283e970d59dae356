import { BedsError } from "../contract/errors.ts";
import { Channel } from "./channel.ts";
import { FrameWriter } from "./frame-writer.ts";
import { Heartbeat } from "./heartbeat.ts";
import { FRAME_MAX, LibraryClient } from "./library-client.ts";
import { defaultOutputLimits, type OutputBuffer } from "./output-buffer.ts";
import { readServerRefusal, safeCause, wrapLibraryError } from "./server-refusal.ts";
import type { Surroundings } from "./surroundings.ts";

/** PEM files; they are read at each attempt, so that a renewed certificate is taken by itself. */
export interface TlsFiles {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** Where RabbitMQ is and how to talk to it. */
export interface ConnectionOptions {
  readonly host: string;
  readonly port: number;
  readonly vhost: string;
  readonly user: string;
  /** Plain text here; it comes from a secret and is never logged. */
  readonly pass: string;
  /** How RabbitMQ lists the connection. */
  readonly name: string;
  /** Present: TLS. An empty object trusts the system's authorities. */
  readonly tls?: TlsFiles;
  /** Default 10. RabbitMQ may lower it; 0 switches the watchdog off. */
  readonly heartbeatSeconds?: number;
  /** From the first packet to the end of the handshake. Default 3000. */
  readonly connectTimeoutMs?: number;
  /** More than this waiting for a slow server is BEDS-Q010. Default 64 MiB. */
  readonly maxOutputBytes?: number;
  /** RabbitMQ stopped taking messages, with its reason, or takes them again (null). */
  readonly onBlocked?: (reason: string | null) => void;
  readonly surroundings: Surroundings;
}

/**
 * Connects and authenticates once. Errors: BEDS-Q001 when nobody answers in time, BEDS-Q002 when
 * account or vhost are refused, BEDS-Q012 when `signal` is aborted. Nothing is left behind by an
 * attempt that failed.
 */
export async function openConnection(
  options: ConnectionOptions,
  signal: AbortSignal,
): Promise<AmqpConnection> {
  const place = `${options.host}:${options.port}`;
  if (options.user === "" || options.pass === "") {
    // The library would try guest instead.
    throw new BedsError("BEDS-Q002", { detail: `${place}: user or pass is empty` });
  }
  const tls = options.tls === undefined ? undefined : await readTlsFiles(options.tls);
  if (signal.aborted) throw new BedsError("BEDS-Q012", { detail: `connecting to ${place}` });
  const maxOutputBytes = options.maxOutputBytes ?? defaultOutputLimits.maxBytes;
  const client = new LibraryClient(connectionUrl(options), tls, maxOutputBytes);
  const limitMs = options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const abort = (): void =>
    client.end(new BedsError("BEDS-Q012", { detail: `connecting to ${place}` }));
  try {
    await new Promise<void>((resolve, reject) => {
      client.onEnd = (reason) => reject(connectFailure(reason, place));
      signal.addEventListener("abort", abort, { once: true });
      timer = setTimeout(() => {
        const detail = `${place}: no answer in ${limitMs} ms`;
        client.end(new BedsError("BEDS-Q001", { detail }));
      }, limitMs);
      client.connect().then(
        () => resolve(),
        (thrown) => reject(connectFailure(thrown, place)),
      );
    });
    return new AmqpConnection(client, options);
  } catch (thrown) {
    const error = connectFailure(thrown, place);
    client.end(error);
    throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}

/**
 * One authenticated connection. It is never used again once it has ended: a link opens another.
 * Made by `openConnection`.
 */
export class AmqpConnection {
  /** `host:port/vhost`, for people. */
  readonly place: string;
  readonly account: string;
  readonly surroundings: Surroundings;
  /** Settles once, when the connection is over for whatever reason. */
  readonly closed: Promise<BedsError>;
  readonly writer: FrameWriter;
  readonly #client: LibraryClient;
  readonly #heartbeat: Heartbeat;
  readonly #channels = new Set<Channel>();
  #endedBy: BedsError | null = null;

  constructor(client: LibraryClient, options: ConnectionOptions) {
    this.place = `${options.host}:${options.port}/${options.vhost}`;
    this.account = options.user;
    this.surroundings = options.surroundings;
    this.#client = client;
    const { promise, resolve } = Promise.withResolvers<BedsError>();
    this.closed = promise;
    client.onEnd = (reason) => this.#end(reason, resolve);
    client.onblocked = (reason) => options.onBlocked?.(reason);
    client.onunblocked = () => options.onBlocked?.(null);
    client.stopIdleTimer();
    this.writer = new FrameWriter(client.output, client.frameMax || FRAME_MAX);
    this.#heartbeat = new Heartbeat(client.heartbeat, {
      reads: () => client.reads,
      writes: () => client.output.flushes,
      sendHeartbeat: () => this.writer.heartbeat(),
      onSilence: (ms) =>
        this.abandon(new BedsError("BEDS-Q006", { detail: `${this.place}: silent for ${ms} ms` })),
    });
  }

  get output(): OutputBuffer {
    return this.#client.output;
  }

  /** Undefined while the connection is alive. */
  get error(): BedsError | null {
    return this.#endedBy;
  }

  /** RabbitMQ's reason for taking no messages at present; null when it takes them. */
  get blocked(): string | null {
    return this.#client.blocked ?? null;
  }

  /** Opens a channel. Errors: BEDS-Q006 when the connection ends meanwhile. */
  async openChannel(): Promise<Channel> {
    const library = await this.settling(this.#client.channel(), "opening a channel");
    const channel = new Channel(this, library, (receiver) =>
      this.#client.setReceiver(library.id, receiver),
    );
    if (this.#endedBy !== null) throw this.#endedBy;
    this.#channels.add(channel);
    void channel.over.then(() => this.#channels.delete(channel));
    return channel;
  }

  /**
   * Ends the connection at once because it is of no use any more; what is unsettled is delivered
   * again.
   */
  abandon(reason: BedsError): void {
    this.#client.end(reason);
  }

  /** Writes what is finished, says goodbye and ends. Never throws. */
  async close(): Promise<void> {
    if (this.#endedBy !== null) return;
    // RabbitMQ ignores acks that stand behind connection.close.
    this.output.collect();
    const goodbye = this.#client.close().catch(() => undefined);
    this.output.flush();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const tooLong = new Promise((resolve) => (timer = setTimeout(resolve, GOODBYE_MS)));
    await Promise.race([goodbye, this.closed, tooLong]);
    clearTimeout(timer);
    this.#client.end(new BedsError("BEDS-Q006", { detail: `${this.place}: closed by this node` }));
  }

  /**
   * Waits for a call of the library, which may never settle when the connection ends at the wrong
   * moment. Errors: what the library threw, wrapped; `during` begins the detail.
   */
  async settling<T>(call: Promise<T>, during: string): Promise<T> {
    try {
      return await this.whileOpen(call);
    } catch (thrown) {
      throw wrapLibraryError(thrown, during);
    }
  }

  /**
   * Waits for `work`, but no longer than the connection lives. Errors: its own, or why the
   * connection ended.
   */
  whileOpen<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.closed.then((reason) => Promise.reject(reason))]);
  }

  #end(reason: BedsError, resolve: (reason: BedsError) => void): void {
    this.#endedBy = reason;
    this.#heartbeat.stop();
    for (const channel of this.#channels) channel.lose(reason);
    this.#channels.clear();
    resolve(reason);
  }
}

const CONNECT_TIMEOUT_MS = 3_000;
const HEARTBEAT_SECONDS = 10;

/** RabbitMQ answers connection.close at once, or not at all. */
const GOODBYE_MS = 2_000;

function connectionUrl(options: ConnectionOptions): string {
  const scheme = options.tls === undefined ? "amqp" : "amqps";
  const account = `${encodeURIComponent(options.user)}:${encodeURIComponent(options.pass)}`;
  const query = new URLSearchParams({
    name: options.name,
    frameMax: String(FRAME_MAX),
    heartbeat: String(options.heartbeatSeconds ?? HEARTBEAT_SECONDS),
  });
  const vhost = encodeURIComponent(options.vhost);
  const host = options.host.includes(":") ? `[${options.host}]` : options.host;
  return `${scheme}://${account}@${host}:${options.port}/${vhost}?${query}`;
}

async function readTlsFiles(
  files: TlsFiles,
): Promise<{ ca?: string; cert?: string; key?: string }> {
  const read: { ca?: string; cert?: string; key?: string } = {};
  if (files.ca !== undefined) read.ca = await readPem(files.ca);
  if (files.cert !== undefined) read.cert = await readPem(files.cert);
  if (files.key !== undefined) read.key = await readPem(files.key);
  return read;
}

async function readPem(path: string): Promise<string> {
  try {
    return await Bun.file(path).text();
  } catch (thrown) {
    throw new BedsError("BEDS-C006", { detail: `${path}: cannot be read`, cause: thrown });
  }
}

/**
 * A connection that ends before it is up was never lost: nobody could be reached, or RabbitMQ
 * refused.
 */
function connectFailure(thrown: unknown, place: string): BedsError {
  const refusal = readServerRefusal(thrown instanceof BedsError ? thrown.detail : thrown);
  if (refusal !== null) {
    const detail = `${place}: ${refusal.text}`;
    const denied = refusal.code === 403 || refusal.code === 530;
    return new BedsError(denied ? "BEDS-Q002" : "BEDS-Q001", { detail });
  }
  if (!(thrown instanceof BedsError)) {
    const cause = safeCause(thrown);
    return new BedsError("BEDS-Q001", { detail: `${place}: ${cause.message}`, cause });
  }
  if (thrown.code !== "BEDS-Q006") return thrown;
  return new BedsError("BEDS-Q001", { detail: `${place}: ${thrown.detail}`, cause: thrown });
}
