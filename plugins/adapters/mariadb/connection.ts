import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import type { Connection as Driver, ConnectionOptions, FieldPacket } from "mysql2";
import type { DatabaseServer } from "../../../core/contract/index.ts";
import { ConnectionLost } from "./errors.ts";
import { type ConnectionRole, type SessionLimits, sessionStatements } from "./session.ts";
import { connectionLock } from "./system-objects.ts";

export interface ConnectionSettings extends SessionLimits {
  readonly server: DatabaseServer;
  readonly role: ConnectionRole;
  /**
   * The default database; null for none, because every statement of the data path names its own.
   */
  readonly database: string | null;
  readonly connectTimeoutMs: number;
}

/**
 * What the server answered to one statement: its first result set, cells in the order of the
 * columns.
 */
export interface Reply {
  readonly columns: readonly FieldPacket[];
  readonly rows: readonly (readonly unknown[])[];
  /** There were more rows than the limit; they were read and dropped. */
  readonly more: boolean;
  /**
   * A transaction was open when the statement ended; false where the server does not say (a plain
   * SELECT).
   */
  readonly inTransaction: boolean;
  /** Whether the session commits each statement by itself; null where the server does not say. */
  readonly autocommit: boolean | null;
}

type Command = ReturnType<Driver["query"]>;

/**
 * Bits SERVER_STATUS_IN_TRANS and SERVER_STATUS_AUTOCOMMIT of the status in an OK packet (MySQL
 * client/server protocol).
 */
const inTransactionBit = 1;
const autocommitBit = 2;

/**
 * One connection with a session that was set once. It runs one statement at a time, and every
 * statement settles: with the answer, the server's error, or the loss of the connection. Errors are
 * the driver's own; `errors.ts` turns them into BedsErrors where it is known what they mean. Made
 * by the pool and by the workbench.
 */
export class Connection {
  /** The server's name for it, which KILL takes. */
  readonly id: number;
  readonly isMariadb: boolean;
  /**
   * Names the lock that the connection holds, by which `beds_kill` finds it; random, hence nobody
   * else's.
   */
  readonly token = randomBytes(16).toString("hex");
  /** Whether it served a statement before this use: then its loss may have gone unnoticed. */
  used = false;
  /** Told once, when the connection can no longer be used. */
  onDead: () => void = () => {};
  readonly #driver: Driver;
  readonly #socket: Socket;
  #failure: unknown = null;
  #condemned = false;
  #autocommit: boolean | null = null;
  #reject: ((reason: unknown) => void) | null = null;

  private constructor(driver: Driver, socket: Socket, handshake: Handshake) {
    this.#driver = driver;
    this.#socket = socket;
    this.id = handshake.connectionId;
    this.isMariadb = /mariadb/i.test(handshake.serverVersion);
    driver.on("error", (error: unknown) => this.destroy(error));
    driver.on("end", () => this.destroy(new ConnectionLost("the server closed the connection")));
  }

  /** Connects, authenticates and sets the session, all within `connectTimeoutMs`. */
  static async open(settings: ConnectionSettings): Promise<Connection> {
    const connection = await establish(settings, (driver, socket, handshake) => {
      return new Connection(driver, socket, handshake);
    });
    const late = new ConnectionLost("the server did not answer while the session was set");
    const timer = setTimeout(() => connection.destroy(late), settings.connectTimeoutMs);
    try {
      for (const text of sessionStatements(settings.role, settings, connection.isMariadb)) {
        await connection.query(text);
      }
      const { role } = settings;
      if (role === "read" || role === "write") {
        await connection.query(`DO GET_LOCK('${connectionLock(connection.token)}', 0)`);
      }
      connection.used = false;
      return connection;
    } catch (thrown) {
      connection.destroy(thrown);
      throw thrown;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Whether another statement may be sent. */
  get alive(): boolean {
    return this.#failure === null && !this.#condemned;
  }

  /** It is about to be killed: whatever it still answers is not trusted. */
  get condemned(): boolean {
    return this.#condemned;
  }

  condemn(): void {
    this.#condemned = true;
  }

  /** Runs a fixed statement, prepared once on this connection, with scalar values. */
  execute(text: string, values: readonly Scalar[], rowLimit: number): Promise<Reply> {
    return this.#run(() => this.#driver.execute({ sql: text }, [...values]), rowLimit);
  }

  /** Runs a fixed statement that is not worth preparing, or that cannot be. */
  query(text: string): Promise<Reply> {
    return this.#run(() => this.#driver.query({ sql: text }), Number.MAX_SAFE_INTEGER);
  }

  /**
   * Makes each statement a transaction of its own, or the first one open a transaction. Asks the
   * server only when the session is not so already, as the server itself said last.
   */
  async setAutocommit(on: boolean): Promise<void> {
    if (this.#autocommit !== on) await this.query(`SET autocommit = ${Number(on)}`);
  }

  /**
   * Ends the connection at once; a statement in flight is rejected with `reason`. The second call
   * is inert.
   */
  destroy(reason: unknown = new ConnectionLost("the connection was closed by the node")): void {
    if (this.#failure !== null) return;
    this.#failure = reason;
    this.#socket.destroy();
    this.#reject?.(reason);
    this.#reject = null;
    this.onDead();
  }

  /** Says goodbye, so that the server logs no aborted connection; waits half a second at most. */
  async end(): Promise<void> {
    if (this.#failure !== null) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, 500);
      this.#driver.end(() => {
        clearTimeout(timer);
        resolve();
      });
    });
    this.destroy();
  }

  #run(start: () => Command, rowLimit: number): Promise<Reply> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    if (this.#reject !== null) return Promise.reject(new Error("the connection is busy"));
    return new Promise<Reply>((resolve, reject) => {
      this.#reject = reject;
      collect(start(), rowLimit, (error, reply) => {
        if (this.#failure !== null) return;
        this.#reject = null;
        this.used = true;
        this.#autocommit = reply.autocommit ?? this.#autocommit;
        if (error === null) resolve(reply);
        else reject(error);
      });
    });
  }
}

/** What may be bound: scalars alone, because the driver expands objects into SQL. */
export type Scalar = string | number | Buffer | null;

interface Handshake {
  readonly connectionId: number;
  readonly serverVersion: string;
}

/**
 * Listens to a command's events rather than passing a callback, because then the driver buffers no
 * rows: more than `rowLimit` are never held.
 */
function collect(
  command: Command,
  rowLimit: number,
  done: (error: unknown, reply: Reply) => void,
): void {
  const rows: unknown[][] = [];
  let columns: readonly FieldPacket[] = [];
  let results = 0;
  let more = false;
  let status: number | null = null;
  command.on("fields", (fields?: readonly FieldPacket[]) => {
    if (fields === undefined) return;
    results += 1;
    if (results === 1) columns = fields;
  });
  command.on("result", (row: unknown) => {
    if (!Array.isArray(row)) status = statusOf(row);
    else if (results > 1) return;
    else if (rows.length < rowLimit) rows.push(row);
    else more = true;
  });
  const reply = (): Reply => ({
    columns,
    rows,
    more,
    inTransaction: ((status ?? 0) & inTransactionBit) !== 0,
    autocommit: status === null ? null : (status & autocommitBit) !== 0,
  });
  command.on("error", (error: unknown) => done(error ?? new Error("unknown error"), reply()));
  command.on("end", () => done(null, reply()));
}

function statusOf(header: unknown): number | null {
  if (typeof header !== "object" || header === null) return null;
  const status: unknown = Reflect.get(header, "serverStatus");
  return typeof status === "number" ? status : null;
}

/** The socket is ours, so that it can really be destroyed: the driver only half-closes it. */
async function establish(
  settings: ConnectionSettings,
  make: (driver: Driver, socket: Socket, handshake: Handshake) => Connection,
): Promise<Connection> {
  const { createConnection } = await import("mysql2");
  return await new Promise<Connection>((resolve, reject) => {
    const socket = connect({ host: settings.server.host, port: settings.server.port });
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 30_000);
    const driver = createConnection(driverOptions(settings, socket));
    const fail = (error: unknown): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    const late = new ConnectionLost(`no answer within ${settings.connectTimeoutMs} ms`);
    const timer = setTimeout(() => fail(late), settings.connectTimeoutMs);
    const closed = (): void => fail(new ConnectionLost("the server closed the connection"));
    driver.on("error", fail);
    driver.on("end", closed);
    driver.once("connect", (handshake: Handshake) => {
      clearTimeout(timer);
      driver.off("error", fail);
      driver.off("end", closed);
      resolve(make(driver, socket, handshake));
    });
  });
}

function driverOptions(settings: ConnectionSettings, socket: Socket): ConnectionOptions {
  return {
    stream: socket,
    user: settings.server.user,
    password: settings.server.pass,
    ...(settings.database === null ? {} : { database: settings.database }),
    charset: "UTF8MB4_UNICODE_CI",
    connectTimeout: 0,
    maxPreparedStatements: 256,
    multipleStatements: false,
    namedPlaceholders: false,
    rowsAsArray: true,
    dateStrings: true,
    jsonStrings: true,
    supportBigNumbers: true,
    bigNumberStrings: true,
  };
}
