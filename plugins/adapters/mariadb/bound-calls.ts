import {
  BedsError,
  type Binding,
  type CallOptions,
  type NamasteCore,
  type Row,
} from "../../../core/contract/index.ts";
import { MariadbBinding } from "./binding.ts";
import type { Connection } from "./connection.ts";
import { statementError } from "./errors.ts";
import { Statement } from "./statement.ts";

/**
 * Calls on one connection within a transaction that somebody else opens and ends: an operation is
 * its statement and nothing more. It is closed before the transaction ends, so that a call which
 * nobody waited for can never run outside of it.
 */
export class BoundCalls implements NamasteCore {
  /**
   * The first call that failed. A failed CALL leaves behind what it did before, so the mutation has
   * failed even where this is caught.
   */
  failure: BedsError | null = null;
  /** The object that was called last; for people. */
  object = "";
  readonly #database: string;
  readonly #connection: Connection;
  #running = 0;
  #closed = false;

  constructor(database: string, connection: Connection) {
    this.#database = database;
    this.#connection = connection;
  }

  createRecord(binding: Binding, values: readonly unknown[], options: CallOptions) {
    return this.#call(binding, values, options);
  }

  fetchRecords(binding: Binding, values: readonly unknown[], options: CallOptions) {
    return this.#call(binding, values, options);
  }

  updateRecord(binding: Binding, values: readonly unknown[], options: CallOptions) {
    return this.#call(binding, values, options);
  }

  deleteRecord(binding: Binding, values: readonly unknown[], options: CallOptions) {
    return this.#call(binding, values, options);
  }

  callObject(binding: Binding, values: readonly unknown[], options: CallOptions) {
    return this.#call(binding, values, options);
  }

  /** No further call is accepted. Errors: BEDS-B001 when one is still running. */
  close(): void {
    this.#closed = true;
    if (this.#running === 0) return;
    throw new BedsError("BEDS-B001", {
      detail: `the work ended before its call of ${this.object}`,
    });
  }

  async #call(
    binding: Binding,
    values: readonly unknown[],
    options: CallOptions,
  ): Promise<readonly Row[]> {
    const statement = new Statement(MariadbBinding.of(binding), values, options);
    if (this.#closed) {
      const detail = `${statement.object} was called after its transaction had ended`;
      throw new BedsError("BEDS-B001", { detail });
    }
    this.object = statement.object;
    this.#running += 1;
    try {
      return statement.rowsOf(await statement.execute(this.#connection));
    } catch (thrown) {
      const error = this.#errorOf(statement, thrown);
      this.failure ??= error;
      throw error;
    } finally {
      this.#running -= 1;
    }
  }

  #errorOf(statement: Statement, thrown: unknown): BedsError {
    if (this.#connection.condemned && !(thrown instanceof BedsError)) return statement.lateError();
    const context = { database: this.#database, read: false, committing: false };
    const error = statementError(thrown, context);
    if (error.code !== "BEDS-D005") return error;
    const detail = `${statement.object}: ${error.detail}`;
    return new BedsError("BEDS-D005", { detail, cause: error.cause });
  }
}
