import type { ClientSession, MongoClient, MongoClientOptions } from "mongodb";
import { BedsError, type DatabaseServer } from "../../../core/contract/index.ts";
import { type Driver, loadDriver } from "./driver.ts";
import { commandFailure, mayAskAgain, refuseWriteErrors } from "./failure.ts";
import { isDocument, type JsonObject } from "./node.ts";
import { ConnectionLost, Reach } from "./reach.ts";

/**
 * Milliseconds that the server gets to keep its own time limit before the node ends the connection.
 */
const graceMs = 250;

/**
 * Milliseconds between two looks at a server: how fast one that is back is seen. The driver takes
 * 500 at least.
 */
const heartbeatMs = 500;

/** How the client connects. */
export interface ClientSettings {
  readonly server: DatabaseServer;
  readonly database: string;
  readonly connections: number;
  readonly connectTimeoutMs: number;
  /** Milliseconds that a command waits at most for a server that takes it. */
  readonly selectionMs: number;
}

/** How one command runs. */
export interface CommandOptions {
  readonly timeoutMs: number;
  /** Its outcome does not matter when its answer is lost; a read is then asked again. */
  readonly read: boolean;
  /** Of the transaction that it is part of. Such a command is never sent twice. */
  readonly session?: ClientSession;
  /** Where not the client's own: transactions and sessions end in `admin`. */
  readonly database?: "admin";
  readonly signal?: AbortSignal;
}

/**
 * One pool of connections to one database: the only place that sends anything. Commands are sent as
 * documents and their answers looked through, because the driver's own methods would retry and hide
 * what happened.
 */
export class DatabaseClient {
  /** What the server knows its connections by. */
  readonly appName = "beds";
  readonly #settings: ClientSettings;
  #connection: Connected | undefined;
  #connecting: Promise<Connected> | undefined;
  #closed = false;

  constructor(settings: ClientSettings) {
    this.#settings = settings;
  }

  /** The driver's types; loads it, and connects to nothing. */
  async types(): Promise<Driver> {
    return await loadDriver();
  }

  /** A session for transactions, to be ended with `endSession`. Errors: BEDS-D001. */
  async startSession(timeoutMs: number): Promise<ClientSession> {
    const { client } = await this.#connected(timeoutMs);
    return client.startSession({ causalConsistency: false });
  }

  /**
   * Sends one command. Out: the server's answer. Errors: BedsErrors of the letter D; a write whose
   * answer was lost is BEDS-D004, one that was surely never sent is BEDS-D001. Settles within the
   * time limit plus a grace.
   */
  async run(command: JsonObject, options: CommandOptions): Promise<JsonObject> {
    const until = performance.now() + options.timeoutMs;
    const connected = await this.#connected(options.timeoutMs);
    try {
      return await this.#send(connected, command, options, until);
    } catch (thrown) {
      const mayRepeat = options.read && options.session === undefined;
      const isAgain = mayAskAgain(thrown, mayRepeat) && performance.now() < until;
      if (!isAgain) throw this.#failure(thrown, options, true);
    }
    try {
      return await this.#send(connected, command, options, until);
    } catch (thrown) {
      throw this.#failure(thrown, options, true);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#connecting?.catch(() => undefined);
    const connection = this.#connection;
    this.#connection = undefined;
    await connection?.client.close();
  }

  /**
   * The connected client. A driver's client whose first attempt failed stays dead, so that each
   * gets a new one.
   */
  async #connected(limitMs: number): Promise<Connected> {
    if (this.#connection !== undefined) return this.#connection;
    if (this.#closed) throw this.#unreachable("the connections are closed");
    this.#connecting ??= this.#connect();
    let timer: Timer | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(this.#unreachable("still connecting")), limitMs);
    });
    try {
      return await Promise.race([this.#connecting, late]);
    } catch (thrown) {
      throw this.#failure(thrown, { timeoutMs: 0, read: true }, false);
    } finally {
      clearTimeout(timer);
    }
  }

  async #connect(): Promise<Connected> {
    try {
      const connection = await connect(this.#settings, this.appName);
      this.#connection = connection;
      return connection;
    } finally {
      this.#connecting = undefined;
    }
  }

  #unreachable(reason: string): BedsError {
    return new BedsError("BEDS-D001", { detail: `database ${this.#settings.database}: ${reason}` });
  }

  async #send(
    { client, reach }: Connected,
    command: JsonObject,
    options: CommandOptions,
    until: number,
  ): Promise<JsonObject> {
    const { database } = this.#settings;
    const guard = new AbortController();
    const limitMs = Math.max(1, until - performance.now()) + graceMs;
    const timer = setTimeout(() => guard.abort(timeLimit), limitMs);
    const signal =
      options.signal === undefined ? guard.signal : AbortSignal.any([guard.signal, options.signal]);
    const { mark } = reach;
    using _held = reach.hold(guard);
    try {
      const session = options.session === undefined ? {} : { session: options.session };
      const reply: unknown = await client
        .db(options.database ?? database)
        .command(command, { ...bsonOptions, ...session, signal });
      const answer = isDocument(reply) ? reply : {};
      refuseWriteErrors(answer, { database, read: options.read, sent: true });
      return answer;
    } catch (thrown) {
      if (options.signal?.aborted === true) throw this.#unreachable("nobody waits for it any more");
      if (!guard.signal.aborted) throw thrown;
      if (guard.signal.reason instanceof ConnectionLost) throw guard.signal.reason;
      throw this.#lateError(options, reach.couldSend(mark));
    } finally {
      clearTimeout(timer);
    }
  }

  /** The server kept silent beyond its own limit, or there was none to ask. */
  #lateError({ timeoutMs, read }: CommandOptions, sent: boolean): BedsError {
    if (!sent) return this.#unreachable("no primary");
    const detail = `database ${this.#settings.database}: no answer within ${timeoutMs} ms`;
    return new BedsError(read ? "BEDS-D002" : "BEDS-D004", { detail });
  }

  #failure(thrown: unknown, { read }: CommandOptions, sent: boolean): BedsError {
    return commandFailure(thrown, { database: this.#settings.database, read, sent });
  }
}

interface Connected {
  readonly client: MongoClient;
  readonly reach: Reach;
}

const timeLimit = new Error("time limit");

/** 64-bit integers come back exact, bytes with their subtype. */
const bsonOptions = { useBigInt64: true, promoteBuffers: false } as const;

async function connect(settings: ClientSettings, appName: string): Promise<Connected> {
  const { MongoClient } = await loadDriver();
  const { host, port } = settings.server;
  const address = host.includes(":") ? `[${host}]` : host;
  const client = new MongoClient(`mongodb://${address}:${port}/`, {
    appName,
    ...clientOptions(settings),
  });
  const reach = new Reach();
  client.on("topologyDescriptionChanged", ({ newDescription }) => {
    reach.see([...newDescription.servers.values()].some(({ type }) => usable.has(type)));
  });
  try {
    await client.connect();
    return { client, reach };
  } catch (thrown) {
    await client.close();
    throw thrown;
  }
}

const usable: ReadonlySet<string> = new Set(["RSPrimary", "Standalone", "Mongos"]);

function clientOptions(settings: ClientSettings): MongoClientOptions {
  const { server, connections, connectTimeoutMs, selectionMs } = settings;
  const { authSource = "admin", replicaSet, user, pass } = server;
  return {
    auth: { username: user, password: pass },
    authSource,
    ...(replicaSet === undefined ? { directConnection: true } : { replicaSet }),
    maxPoolSize: connections,
    maxConnecting: connections,
    waitQueueTimeoutMS: selectionMs,
    connectTimeoutMS: connectTimeoutMs,
    serverSelectionTimeoutMS: Math.min(connectTimeoutMs, selectionMs),
    heartbeatFrequencyMS: heartbeatMs,
    // What BEDS may repeat it repeats by itself, and says so.
    retryReads: false,
    retryWrites: false,
  };
}
