import {
  BedsError,
  type Binding,
  type CallOptions,
  type NamasteCore,
  type Row,
} from "../../../core/contract/index.ts";
import { isReading, MongodbBinding } from "./binding.ts";
import type { CommandOptions, DatabaseClient } from "./client.ts";
import { isDocument, isList, type JsonObject } from "./node.ts";
import type { CommandObject } from "./object.ts";

export type SendOptions = Pick<CommandOptions, "timeoutMs" | "read">;

/** What takes commands and gives them their terms: the client itself, or a transaction. */
export interface CommandSender {
  /** Out: the server's answer. Errors: BedsErrors of the letter D. */
  send(command: JsonObject, options: SendOptions): Promise<JsonObject>;
}

/**
 * The data path: one request is one command. A read is answered from the first batch alone, which
 * holds one row more than allowed, so that too many are noticed.
 */
export class MongodbCalls implements NamasteCore {
  readonly #sender: CommandSender;

  constructor(sender: CommandSender) {
    this.#sender = sender;
  }

  createRecord(binding: Binding, values: readonly unknown[], options: CallOptions) {
    return this.#call(MongodbBinding.of(binding), values, options);
  }

  fetchRecords(binding: Binding, values: readonly unknown[], options: CallOptions) {
    return this.#call(MongodbBinding.of(binding), values, options);
  }

  updateRecord(binding: Binding, values: readonly unknown[], options: CallOptions) {
    return this.#call(MongodbBinding.of(binding), values, options);
  }

  deleteRecord(binding: Binding, values: readonly unknown[], options: CallOptions) {
    return this.#call(MongodbBinding.of(binding), values, options);
  }

  callObject(binding: Binding, values: readonly unknown[], options: CallOptions) {
    return this.#call(MongodbBinding.of(binding), values, options);
  }

  async #call(
    binding: MongodbBinding,
    values: readonly unknown[],
    options: CallOptions,
  ): Promise<readonly Row[]> {
    const filled = binding.fill(values);
    const read = isReading(binding.object);
    const { object } = binding;
    const command = read
      ? readCommand(object, filled, options)
      : { [object.kind]: object.on, ...filled };
    const { timeoutMs } = options;
    const reply = await this.#sender.send(command, { timeoutMs, read });
    const documents = read ? firstBatch(reply, options) : outcome(binding, filled, reply);
    return binding.operation.result.shape === "none" ? [] : binding.rows.read(documents);
  }
}

/** Each command by itself; a write is acknowledged when a majority has it in its journal. */
export function commandSender(client: DatabaseClient): CommandSender {
  return {
    send(command, options) {
      const { timeoutMs, read } = options;
      const terms = read ? {} : { writeConcern: { w: "majority", j: true, wtimeout: timeoutMs } };
      return client.run({ ...command, maxTimeMS: timeoutMs, ...terms }, options);
    },
  };
}

function readCommand(
  object: CommandObject,
  filled: JsonObject,
  { rowCap }: CallOptions,
): JsonObject {
  const most = rowCap + 1;
  if (object.kind === "find") {
    const { limit } = filled;
    const asked = typeof limit === "number" ? Math.min(limit, most) : most;
    return { find: object.on, ...filled, limit: asked, batchSize: most };
  }
  const { pipeline } = filled;
  const stages = isList(pipeline) ? pipeline : [];
  return {
    aggregate: object.on,
    ...filled,
    pipeline: [...stages, { $limit: most }],
    // One more than can come, so that the server knows that it is done and keeps no cursor.
    cursor: { batchSize: most + 1 },
  };
}

function firstBatch(reply: JsonObject, options: CallOptions): readonly unknown[] {
  const { cursor } = reply;
  const batch = isDocument(cursor) ? cursor["firstBatch"] : undefined;
  if (!isDocument(cursor) || !isList(batch)) {
    throw new BedsError("BEDS-D009", { detail: "the answer of a read has no rows" });
  }
  if (batch.length > options.rowCap) throw tooManyRows(options);
  // A batch ends at 16 MiB whatever its size in rows; a part of the rows is no answer.
  if (cursor["id"] === 0n) return batch;
  throw new BedsError("BEDS-D010", { detail: "the rows do not fit into one batch of 16 MiB" });
}

/** The documents that a write returns. Errors: BEDS-D404 when it found nothing to change. */
function outcome(
  { object, operation }: MongodbBinding,
  filled: JsonObject,
  reply: JsonObject,
): readonly unknown[] {
  const isChange = operation.kind === "update" || operation.kind === "delete";
  if (object.kind === "findAndModify") {
    const { value } = reply;
    if (isDocument(value)) return [value];
    if (operation.kind === "call" && operation.result.shape !== "one") return [];
    throw nothingFound(object.name);
  }
  if (object.kind === "insert") {
    const { documents } = filled;
    return isList(documents) ? documents : [];
  }
  if (isChange && reply["n"] === 0) throw nothingFound(object.name);
  return [];
}

function nothingFound(name: string): BedsError {
  return new BedsError("BEDS-D404", { detail: `${name} found no record` });
}

function tooManyRows({ rowCap }: CallOptions): BedsError {
  return new BedsError("BEDS-D010", { detail: `more than ${rowCap} rows` });
}
