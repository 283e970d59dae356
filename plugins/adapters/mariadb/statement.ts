import { BedsError, type CallOptions, type Row } from "../../../core/contract/index.ts";
import type { MariadbBinding } from "./binding.ts";
import type { Connection, Reply } from "./connection.ts";

/** One execution of an operation's fixed statement: its values, its clock and its answer. */
export class Statement {
  readonly object: string;
  readonly #binding: MariadbBinding;
  readonly #values: readonly unknown[];
  readonly #options: CallOptions;
  readonly #until: number;

  constructor(binding: MariadbBinding, values: readonly unknown[], options: CallOptions) {
    this.object = binding.operation.object;
    this.#binding = binding;
    this.#values = values;
    this.#options = options;
    this.#until = performance.now() + options.timeoutMs;
  }

  /** Milliseconds until the caller's limit; negative behind it. */
  get leftMs(): number {
    return this.#until - performance.now();
  }

  /** Whether the server keeps the limit itself: one below its own it does not know. */
  get isLimitKnown(): boolean {
    return this.#options.timeoutMs >= this.#binding.operation.timeoutMs;
  }

  /**
   * Runs the statement. Errors: the driver's own; BEDS-D002 also when it ended late: SLEEP returns
   * early and the object goes on.
   */
  async execute(connection: Connection): Promise<Reply> {
    const binding = this.#binding;
    const text = connection.isMariadb ? binding.limitedStatement : binding.statement;
    const started = performance.now();
    const scalars = binding.scalars(this.#values);
    const reply = await connection.execute(text, scalars, this.#options.rowCap);
    const tookMs = performance.now() - started;
    if (this.leftMs <= 0 || tookMs >= binding.operation.timeoutMs) throw this.lateError();
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

  lateError(): BedsError {
    const limitMs = Math.min(this.#options.timeoutMs, this.#binding.operation.timeoutMs);
    return new BedsError("BEDS-D002", { detail: `${this.object} ran longer than ${limitMs} ms` });
  }
}
