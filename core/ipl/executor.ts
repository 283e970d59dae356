import type { Adapter, Binding, CallOptions, NamasteCore } from "../contract/adapter.ts";
import { BedsError } from "../contract/errors.ts";
import type { Result, Row } from "../contract/message.ts";
import { isRead, operationName } from "../contract/template.ts";
import type { Execute } from "../pipeline.ts";
import { type ConflictTries, retryConflicts } from "../reliability/conflict.ts";
import { mutationKey } from "../reliability/idempotency.ts";

/** What executors share. */
export interface ExecutorSettings {
  readonly conflicts: ConflictTries;
  /** Milliseconds for which a mutation's key is remembered. */
  readonly keepKeysMs: number;
  /** Milliseconds since 1970, UTC. */
  readonly now: () => number;
}

/**
 * Makes what executes one operation on its database; called at boot. The operation's kind decides
 * once which of the five methods of `NamasteCore` it goes through, and whether it is keyed: every
 * mutation is, unless its template says `idempotency = "off"` or the adapter cannot.
 *
 * Errors: what the adapter throws; BEDS-D404 when an operation that yields one row found none, and
 * BEDS-D009 when it found several.
 */
export function executor(adapter: Adapter, binding: Binding, settings: ExecutorSettings): Execute {
  const { operation } = binding;
  const { timeoutMs, result } = operation;
  const options: CallOptions = Object.freeze({ timeoutMs, rowCap: result.rowCap });
  const work = async (core: NamasteCore, values: readonly unknown[]): Promise<readonly Row[]> =>
    shaped(binding, await call(core, binding, values, options));
  const { keyed } = adapter;
  if (isRead(operation.kind) || operation.idempotency === "off" || keyed === undefined) {
    return {
      isRepeatable: isRead(operation.kind),
      run: async ({ values }) => {
        const once = () => work(adapter.core, values);
        const rows = await retryConflicts(once, timeoutMs, settings.conflicts);
        return { result: resultOf(rows), error: null, replayed: false };
      },
    };
  }
  return {
    isRepeatable: true,
    run: async (request) => {
      const key = mutationKey(request, settings.now(), settings.keepKeysMs);
      const outcome = await keyed.run(key, (core) => work(core, request.values), options);
      const { replayed, rows, error } = outcome;
      return error === null
        ? { result: resultOf(rows), error, replayed }
        : { result: null, error, replayed };
    },
  };
}

function call(
  core: NamasteCore,
  binding: Binding,
  values: readonly unknown[],
  options: CallOptions,
): Promise<readonly Row[]> {
  switch (binding.operation.kind) {
    case "create":
      return core.createRecord(binding, values, options);
    case "fetch":
      return core.fetchRecords(binding, values, options);
    case "update":
      return core.updateRecord(binding, values, options);
    case "delete":
      return core.deleteRecord(binding, values, options);
    case "call":
      return core.callObject(binding, values, options);
  }
}

function shaped({ template, operation }: Binding, rows: readonly Row[]): readonly Row[] {
  const { shape } = operation.result;
  if (shape === "one" && rows.length !== 1) {
    const detail = `${operationName(template, operation)} found ${rows.length} rows, not one`;
    throw new BedsError(rows.length === 0 ? "BEDS-D404" : "BEDS-D009", { detail });
  }
  return shape === "none" ? noRows : rows;
}

const noRows: readonly Row[] = Object.freeze([]);

function resultOf(rows: readonly Row[]): Result {
  return { rows, next: null, version: null, token: null };
}
