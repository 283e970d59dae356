import type { Binding, CallOptions, NamasteCore } from "../contract/adapter.ts";
import { BedsError } from "../contract/errors.ts";
import type { Result, Row } from "../contract/message.ts";
import { operationName } from "../contract/template.ts";
import type { Execute } from "../pipeline.ts";

/**
 * Makes the function that executes one operation on its database; called at boot. The operation's kind decides once
 * which of the five methods of `NamasteCore` it goes through.
 *
 * Errors of the function: what the adapter throws; BEDS-D404 when an operation that yields one row found none, and
 * BEDS-D009 when it found several.
 */
export function executor(core: NamasteCore, binding: Binding): Execute {
  const { timeoutMs, result } = binding.operation;
  const options: CallOptions = Object.freeze({ timeoutMs, rowCap: result.rowCap });
  const call = methodFor(core, binding);
  return async (request) => shaped(binding, await call(binding, request.values, options));
}

type Method = NamasteCore["callObject"];

function methodFor(core: NamasteCore, binding: Binding): Method {
  const methods: Readonly<Record<Binding["operation"]["kind"], Method>> = {
    create: (...call) => core.createRecord(...call),
    fetch: (...call) => core.fetchRecords(...call),
    update: (...call) => core.updateRecord(...call),
    delete: (...call) => core.deleteRecord(...call),
    call: (...call) => core.callObject(...call),
  };
  return methods[binding.operation.kind];
}

function shaped({ template, operation }: Binding, rows: readonly Row[]): Result {
  const { shape } = operation.result;
  if (shape === "one" && rows.length !== 1) {
    const detail = `${operationName(template, operation)} found ${rows.length} rows, not one`;
    throw new BedsError(rows.length === 0 ? "BEDS-D404" : "BEDS-D009", { detail });
  }
  return { rows: shape === "none" ? noRows : rows, next: null, version: null, token: null };
}

const noRows: readonly Row[] = Object.freeze([]);
