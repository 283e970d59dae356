import {
  BedsError,
  type Binding,
  type CallOptions,
  type NamasteCore,
  type Row,
} from "../../../core/contract/index.ts";
import { MariadbBinding } from "./binding.ts";
import type { Connection } from "./connection.ts";
import { type FailureContext, isLost, statementError } from "./errors.ts";
import type { Pool } from "./pool.ts";
import { Statement } from "./statement.ts";

/**
 * Milliseconds that the server gets to keep its own time limit before the node ends the connection.
 */
export const graceMs = 250;

export interface CallSettings {
  readonly database: string;
  readonly reads: Pool;
  readonly writes: Pool;
  /** Makes the server end a connection and what it runs; settles soon, whatever happens. */
  readonly kill: (connection: Connection) => Promise<void>;
}

/**
 * The data path: reads are one statement in a READ ONLY session, everything else is one statement
 * and COMMIT in a transaction of its own, or ROLLBACK. Every call settles within its time limit
 * plus a second: MariaDB stops the statement by itself; where it does not (SLEEP swallows the
 * limit, the network is dead), a guard has the server kill the connection and then destroys it.
 */
export class MariadbCalls implements NamasteCore {
  readonly #settings: CallSettings;

  constructor(settings: CallSettings) {
    this.#settings = settings;
  }

  createRecord(binding: Binding, values: readonly unknown[], options: CallOptions) {
    return this.#mutate(MariadbBinding.of(binding), values, options);
  }

  updateRecord(binding: Binding, values: readonly unknown[], options: CallOptions) {
    return this.#mutate(MariadbBinding.of(binding), values, options);
  }

  deleteRecord(binding: Binding, values: readonly unknown[], options: CallOptions) {
    return this.#mutate(MariadbBinding.of(binding), values, options);
  }

  callObject(binding: Binding, values: readonly unknown[], options: CallOptions) {
    return this.#mutate(MariadbBinding.of(binding), values, options);
  }

  async fetchRecords(binding: Binding, values: readonly unknown[], options: CallOptions) {
    const statement = new Statement(MariadbBinding.of(binding), values, options);
    const call = new Call(statement, this.#settings, true);
    const pool = this.#settings.reads;
    // An idle connection may have died unnoticed; a read may be asked again, once, on another one.
    return await call
      .run(pool, (connection) => read(statement, connection))
      .catch((thrown: unknown) => {
        if (!call.lostUsedConnection) throw thrown;
        return call.run(pool, (connection) => read(statement, connection));
      });
  }

  async #mutate(
    binding: MariadbBinding,
    values: readonly unknown[],
    options: CallOptions,
  ): Promise<readonly Row[]> {
    const statement = new Statement(binding, values, options);
    const call = new Call(statement, this.#settings, false);
    return await call.run(this.#settings.writes, async (connection) => {
      await connection.setAutocommit(false);
      const rows = statement.rowsOf(await statement.execute(connection));
      call.committing = true;
      await connection.query("COMMIT");
      return rows;
    });
  }
}

async function read(statement: Statement, connection: Connection): Promise<readonly Row[]> {
  const reply = await statement.execute(connection);
  if (reply.inTransaction) {
    throw new BedsError("BEDS-D005", { detail: "the object left a transaction open" });
  }
  return statement.rowsOf(reply);
}

/** One call: its guard, and what is done with its connection afterwards. */
class Call {
  committing = false;
  /**
   * The call failed because a connection that had served before was gone: nothing came back on it.
   */
  lostUsedConnection = false;
  readonly #statement: Statement;
  readonly #settings: CallSettings;
  readonly #read: boolean;

  constructor(statement: Statement, settings: CallSettings, read: boolean) {
    this.#statement = statement;
    this.#settings = settings;
    this.#read = read;
  }

  /** Takes a connection for the duration of `work` and settles what it did. */
  async run(
    pool: Pool,
    work: (connection: Connection) => Promise<readonly Row[]>,
  ): Promise<readonly Row[]> {
    const connection = await pool.acquire(Math.max(1, this.#statement.leftMs));
    const { used } = connection;
    const guard = setTimeout(() => void this.#end(connection), this.#guardMs());
    try {
      return await work(connection);
    } catch (thrown) {
      this.lostUsedConnection = used && isLost(thrown) && this.#statement.leftMs > 0;
      await undo(connection, thrown);
      throw this.#errorOf(connection, thrown);
    } finally {
      clearTimeout(guard);
      pool.release(connection);
    }
  }

  /**
   * The server needs a little more than its limit to answer; a limit below its own it does not
   * know.
   */
  #guardMs(): number {
    const { leftMs, isLimitKnown } = this.#statement;
    return Math.max(1, leftMs + (isLimitKnown ? graceMs : 0));
  }

  /** The statement first, then the connection, then whoever waits for the answer. */
  async #end(connection: Connection): Promise<void> {
    connection.condemn();
    await this.#settings.kill(connection);
    connection.destroy(this.#statement.lateError());
  }

  #errorOf(connection: Connection, thrown: unknown): BedsError {
    const context: FailureContext = {
      database: this.#settings.database,
      read: this.#read,
      committing: this.committing,
    };
    const late = connection.condemned && !(thrown instanceof BedsError);
    return statementError(late ? this.#statement.lateError() : thrown, context);
  }
}

/**
 * Leaves nothing behind: a lock wait (1205) does not end the transaction, nor does an object's own
 * error.
 */
async function undo(connection: Connection, thrown: unknown): Promise<void> {
  if (!connection.alive || isLost(thrown)) return connection.destroy();
  try {
    await connection.query("ROLLBACK");
  } catch (again) {
    connection.destroy(again);
  }
}
