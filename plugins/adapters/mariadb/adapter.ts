import {
  type Adapter,
  BedsError,
  type DatabaseDescription,
  type DatabaseTarget,
  type Operation,
  type Template,
} from "../../../core/contract/index.ts";
import { MariadbBinding, statementText } from "./binding.ts";
import { MariadbCalls } from "./calls.ts";
import { Connection } from "./connection.ts";
import { describeDatabase } from "./description.ts";
import { statementError } from "./errors.ts";
import { MariadbKeyed } from "./keyed.ts";
import { quoteName } from "./names.ts";
import { commitOrphans } from "./orphans.ts";
import { Pool } from "./pool.ts";
import type { ConnectionRole, SessionLimits } from "./session.ts";
import { killProcedure } from "./system-objects.ts";

/** Milliseconds that killing a statement may take before its connection is given up without it. */
const killMs = 500;
/** Milliseconds that reading the catalogue may take. */
const catalogueMs = 30_000;

/**
 * A MariaDB or MySQL database as one worker uses it: two sets of connections, for reads and for
 * writes, each up to `target.connections` and opened when needed. Made by the plugin's `open`, once
 * a database.
 */
export class MariadbAdapter implements Adapter {
  readonly core: MariadbCalls;
  readonly #target: DatabaseTarget;
  readonly #limits: SessionLimits;
  readonly #reads: Pool;
  readonly #writes: Pool;
  readonly #keyed: MariadbKeyed;
  #isMariadb = true;

  constructor(target: DatabaseTarget, limits: SessionLimits) {
    this.#target = target;
    this.#limits = limits;
    this.#reads = this.#pool("read");
    this.#writes = this.#pool("write");
    this.core = new MariadbCalls({
      database: target.name,
      reads: this.#reads,
      writes: this.#writes,
      kill: (connection) => this.#kill(connection),
    });
    this.#keyed = new MariadbKeyed({
      name: target.name,
      database: target.database,
      writes: this.#writes,
      kill: (connection) => this.#kill(connection),
      openControl: () => this.#open("control"),
    });
  }

  /** MySQL runs no XA statement within a procedure, hence has no keys. */
  get keyed(): MariadbKeyed | undefined {
    return this.#isMariadb ? this.#keyed : undefined;
  }

  async check(signal: AbortSignal): Promise<void> {
    await this.#read(signal, this.#target.connectTimeoutMs, (connection) =>
      connection.query("DO 0"),
    );
  }

  async describe(signal: AbortSignal): Promise<DatabaseDescription> {
    const { database } = this.#target;
    return await this.#read(signal, catalogueMs, (connection) => {
      this.#isMariadb = connection.isMariadb;
      return describeDatabase(connection, database);
    });
  }

  async bind(template: Template, operation: Operation): Promise<MariadbBinding> {
    const text = statementText(this.#target.database, template, operation);
    return new MariadbBinding(template, operation, text);
  }

  async close(): Promise<void> {
    await Promise.all([this.#reads.close(), this.#writes.close()]);
  }

  #pool(role: ConnectionRole): Pool {
    const { name, connections } = this.#target;
    const open = () => (role === "write" ? this.#openForWrites() : this.#open(role));
    return new Pool({ database: name, size: connections, open });
  }

  /** A connection for writes begins by finishing what a crash of the server left locked. */
  async #openForWrites(): Promise<Connection> {
    const connection = await this.#open("write");
    if (!connection.isMariadb) return connection;
    const late = setTimeout(() => connection.destroy(), this.#target.connectTimeoutMs);
    try {
      await commitOrphans(connection);
      connection.used = false;
      return connection;
    } catch (thrown) {
      connection.destroy(thrown);
      throw thrown;
    } finally {
      clearTimeout(late);
    }
  }

  #open(role: ConnectionRole): Promise<Connection> {
    return Connection.open({
      ...this.#limits,
      server: this.#target.master,
      role,
      database: null,
      connectTimeoutMs: this.#target.connectTimeoutMs,
    });
  }

  /**
   * Runs `work` on a connection for reads, which is destroyed when the time or the caller's
   * patience ends.
   */
  async #read<T>(
    signal: AbortSignal,
    limitMs: number,
    work: (connection: Connection) => Promise<T>,
  ): Promise<T> {
    const { name } = this.#target;
    const late = new BedsError("BEDS-D001", { detail: `database ${name}: no answer in time` });
    if (signal.aborted) throw late;
    const connection = await this.#reads.acquire(limitMs);
    const giveUp = (): void => connection.destroy(late);
    const timer = setTimeout(giveUp, limitMs);
    signal.addEventListener("abort", giveUp, { once: true });
    try {
      return await work(connection);
    } catch (thrown) {
      throw statementError(thrown, { database: name, read: true, committing: false });
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", giveUp);
      this.#reads.release(connection);
    }
  }

  /**
   * Over a connection of its own, because the one to be killed cannot take another statement.
   * Ending the connection rather than the statement also stops an object that would go on after an
   * interrupted SLEEP.
   */
  async #kill(connection: Connection): Promise<void> {
    let expired = (): void => {};
    const late = new Promise<void>((resolve) => {
      expired = resolve;
    });
    const timer = setTimeout(() => expired(), killMs);
    // What cannot be killed is given up all the same: without COMMIT the server undoes it when it
    // ends.
    await Promise.race([this.#endOnServer(connection).catch(() => {}), late]);
    clearTimeout(timer);
  }

  async #endOnServer(connection: Connection): Promise<void> {
    const control = await this.#open("control");
    const name = `${quoteName(this.#target.database)}.${quoteName(killProcedure)}`;
    try {
      await control
        .execute(`CALL ${name}(?)`, [connection.token], 0)
        // Not installed yet: KILL by itself is allowed while the connection runs a plain SELECT.
        .catch(() => control.query(`KILL ${connection.id}`));
    } finally {
      control.destroy();
    }
  }
}
