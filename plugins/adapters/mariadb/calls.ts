import {
  BedsError,
  type Binding,
  type CallOptions,
  type NamasteCore,
  type Row,
} from "../../../core/contract/index.ts";
import { MariadbBinding } from "./binding.ts";
import type { Connection, Reply } from "./connection.ts";
import { type FailureContext, isLost, statementError } from "./errors.ts";
import type { Pool } from "./pool.ts";

/**
 * Milliseconds that the server gets to keep its own time limit before the node ends the connection.
 */
const graceMs = 250;

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
    const call = new Call(MariadbBinding.of(binding), values, options, this.#settings, true);
    const pool = this.#settings.reads;
    // An idle connection may have died unnoticed; a read may be asked again, once, on another one.
    return await call
      .run(pool, (connection) => read(call, connection))
      .catch((thrown: unknown) => {
        if (!call.lostUsedConnection) throw thrown;
        return call.run(pool, (connection) => read(call, connection));
      });
  }

  async #mutate(
    binding: MariadbBinding,
    values: readonly unknown[],
    options: CallOptions,
  ): Promise<readonly Row[]> {
    const call = new Call(binding, values, options, this.#settings, false);
    return await call.run(this.#settings.writes, async (connection) => {
      const rows = call.rowsOf(await call.execute(connection));
      call.committing = true;
      await connection.query("COMMIT");
      return rows;
    });
  }
}

async function read(call: Call, connection: Connection): Promise<readonly Row[]> {
  const reply = await call.execute(connection);
  if (reply.inTransaction) {
    throw new BedsError("BEDS-D005", { detail: "the object left a transaction open" });
  }
  return call.rowsOf(reply);
}

/** One call: its clock, its guard, and what is done with its connection afterwards. */
class Call {
  committing = false;
  /**
   * The call failed because a connection that had served before was gone: nothing came back on it.
   */
  lostUsedConnection = false;
  readonly #binding: MariadbBinding;
  readonly #values: readonly unknown[];
  readonly #options: CallOptions;
  readonly #settings: CallSettings;
  readonly #read: boolean;
  readonly #until: number;

  constructor(
    binding: MariadbBinding,
    values: readonly unknown[],
    options: CallOptions,
    settings: CallSettings,
    read: boolean,
  ) {
    this.#binding = binding;
    this.#values = values;
    this.#options = options;
    this.#settings = settings;
    this.#read = read;
    this.#until = performance.now() + options.timeoutMs;
  }

  /** Takes a connection for the duration of `work` and settles what it did. */
  async run(
    pool: Pool,
    work: (connection: Connection) => Promise<readonly Row[]>,
  ): Promise<readonly Row[]> {
    const connection = await pool.acquire(Math.max(1, this.#left()));
    const { used } = connection;
    const guard = setTimeout(() => void this.#end(connection), this.#guardMs());
    try {
      return await work(connection);
    } catch (thrown) {
      this.lostUsedConnection = used && isLost(thrown) && this.#left() > 0;
      await undo(connection, thrown);
      throw this.#errorOf(connection, thrown);
    } finally {
      clearTimeout(guard);
      pool.release(connection);
    }
  }

  /**
   * Runs the statement. Errors: BEDS-D002 also when it ended late: SLEEP returns early and the
   * object goes on.
   */
  async execute(connection: Connection): Promise<Reply> {
    const binding = this.#binding;
    const text = connection.isMariadb ? binding.limitedStatement : binding.statement;
    const started = performance.now();
    const scalars = binding.scalars(this.#values);
    const reply = await connection.execute(text, scalars, this.#options.rowCap);
    const tookMs = performance.now() - started;
    if (this.#left() <= 0 || tookMs >= binding.operation.timeoutMs) throw this.#lateError();
    return reply;
  }

  /**
   * Errors: BEDS-D010 for too many rows, BEDS-D009 for cells that are not what the template says.
   */
  rowsOf(reply: Reply): readonly Row[] {
    if (reply.more) {
      const detail = `more than ${this.#options.rowCap} rows`;
      throw new BedsError("BEDS-D010", { detail });
    }
    return this.#binding.rows.read(reply);
  }

  #left(): number {
    return this.#until - performance.now();
  }

  /**
   * The server needs a little more than its limit to answer; a limit below its own it does not
   * know.
   */
  #guardMs(): number {
    const known = this.#options.timeoutMs >= this.#binding.operation.timeoutMs;
    return Math.max(1, this.#left() + (known ? graceMs : 0));
  }

  /** The statement first, then the connection, then whoever waits for the answer. */
  async #end(connection: Connection): Promise<void> {
    connection.condemn();
    await this.#settings.kill(connection);
    connection.destroy(this.#lateError());
  }

  #errorOf(connection: Connection, thrown: unknown): BedsError {
    const context: FailureContext = {
      database: this.#settings.database,
      read: this.#read,
      committing: this.committing,
    };
    const late = connection.condemned && !(thrown instanceof BedsError);
    return statementError(late ? this.#lateError() : thrown, context);
  }

  #lateError(): BedsError {
    const limitMs = Math.min(this.#options.timeoutMs, this.#binding.operation.timeoutMs);
    const detail = `${this.#binding.operation.object} ran longer than ${limitMs} ms`;
    return new BedsError("BEDS-D002", { detail });
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
