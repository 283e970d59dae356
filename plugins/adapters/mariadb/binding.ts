import { BedsError, Binding, type Operation, type Template } from "../../../core/contract/index.ts";
import type { Scalar } from "./connection.ts";
import { quoteName } from "./names.ts";
import { parameterEncoder } from "./parameters.ts";
import { RowReader } from "./rows.ts";

/** An operation with its fixed statement: nothing of a request ever gets into the text. */
export class MariadbBinding extends Binding {
  readonly statement: string;
  /**
   * The statement with the time limit that MariaDB keeps itself; it holds for the whole of a CALL.
   */
  readonly limitedStatement: string;
  readonly rows: RowReader;
  readonly #encode: (values: readonly unknown[]) => readonly Scalar[];
  readonly #text: StatementText;

  constructor(template: Template, operation: Operation, text: StatementText) {
    super(template, operation);
    this.#text = text;
    this.statement = text.sql;
    const limitS = (operation.timeoutMs / 1000).toFixed(3);
    this.limitedStatement = `SET STATEMENT max_statement_time = ${limitS} FOR ${text.sql}`;
    this.rows = new RowReader(template);
    this.#encode = parameterEncoder(operation);
  }

  /** What is bound, in the order of the placeholders. */
  scalars(values: readonly unknown[]): readonly Scalar[] {
    const scalars = this.#encode(values);
    return this.#text.order === null ? scalars : this.#text.order.map((at) => scalars[at] ?? null);
  }

  /** The binding as this adapter made it; one of another adapter is a bug of the caller. */
  static of(binding: Binding): MariadbBinding {
    if (binding instanceof MariadbBinding) return binding;
    throw new BedsError("BEDS-B001", { detail: "the operation is bound to another adapter" });
  }
}

export interface StatementText {
  readonly sql: string;
  /** Which parameter stands at each placeholder; null when they stand in their own order. */
  readonly order: readonly number[] | null;
}

/**
 * The text for an operation: CALL, SELECT of a function as `value`, or SELECT of every declared
 * field from a view. Called once an operation, at boot. Errors: BEDS-T003, BEDS-T018, BEDS-T019 for
 * what the checks of templates and of drift should have stopped.
 */
export function statementText(
  database: string,
  template: Template,
  operation: Operation,
): StatementText {
  const name = `${quoteName(database)}.${quoteName(operation.object)}`;
  const marks = operation.parameters.map(() => "?").join(", ");
  if (operation.objectType === "procedure") return { sql: `CALL ${name}(${marks})`, order: null };
  if (operation.objectType === "function") {
    return { sql: `SELECT ${name}(${marks}) AS \`value\``, order: null };
  }
  if (operation.objectType === "view") return viewText(name, template, operation);
  const detail = `${template.name}.${operation.name}: a ${operation.objectType} is no object here`;
  throw new BedsError("BEDS-T019", { detail, where: operation.where });
}

/**
 * `SELECT … FROM view WHERE …`, one row more than allowed, so that too many are noticed. An
 * optional parameter narrows the rows only when it is sent; the server folds `NULL IS NULL` away
 * and still uses the index.
 */
function viewText(name: string, template: Template, operation: Operation): StatementText {
  const selected = template.fields.map((field) => field.column);
  if (selected.length === 0) {
    const detail = `${template.name} declares no field that ${operation.object} could be asked for`;
    throw new BedsError("BEDS-T018", { detail, where: operation.where });
  }
  const order: number[] = [];
  const conditions = operation.parameters.map((parameter, at) => {
    const equal = `${quoteName(parameter.column)} = ?`;
    order.push(at);
    if (parameter.required) return equal;
    order.push(at);
    return `(? IS NULL OR ${equal})`;
  });
  const sql = [
    `SELECT ${selected.map(quoteName).join(", ")} FROM ${name}`,
    ...(conditions.length === 0 ? [] : [`WHERE ${conditions.join(" AND ")}`]),
    ...(operation.orderBy.length === 0
      ? []
      : [`ORDER BY ${operation.orderBy.map((key) => orderKey(template, key)).join(", ")}`]),
    `LIMIT ${operation.result.rowCap + 1}`,
  ];
  return { sql: sql.join(" "), order };
}

/** `-usr_created_at` or `-created_at` → `usr_created_at` DESC. */
function orderKey(template: Template, key: string): string {
  const descending = key.startsWith("-");
  const name = descending ? key.slice(1) : key;
  const field = template.fields.find((each) => each.name === name || each.column === name);
  return `${quoteName(field?.column ?? name)}${descending ? " DESC" : ""}`;
}
