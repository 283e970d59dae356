import { createHash } from "node:crypto";
import * as v from "valibot";
import { BedsError, type MutationKey, type ObjectSource } from "../../../core/contract/index.ts";
import { commandSender, type CommandSender, type SendOptions } from "./calls.ts";
import type { DatabaseClient } from "./client.ts";
import { ServerRefusal } from "./failure.ts";
import { isDocument, isList, type JsonObject } from "./node.ts";
import { keysCollection } from "./object.ts";

/** Ends what has expired; the adapter asks for it by its name to see that it is there. */
const expiryIndex = "beds_key_expires";

/** A document of `beds_key`, as far as an answer needs it. */
export interface StoredKey {
  readonly requestHash: string;
  /** Who stored it. */
  readonly attempt: string;
  /** JSON. */
  readonly answer: string;
}

/**
 * The collection of keys, versioned here and installed by `beds db apply` like the DBA's own. Older
 * and newer versions of BEDS use it side by side, so that the validator lets other fields be.
 */
export function systemSources(): readonly ObjectSource[] {
  const text = JSON.stringify(keysSource, null, 2);
  const checksum = createHash("sha256").update(text).digest("hex");
  return [{ path: `beds/collections/${keysCollection}.json`, text, checksum }];
}

/**
 * What of it the runtime account does not see, for people. It may not list indexes; a hint to one
 * that is not there the server refuses.
 */
export async function missingKeyObjects(
  ask: (command: JsonObject) => Promise<JsonObject>,
  types: ReadonlyMap<string, string>,
): Promise<readonly string[]> {
  if (types.get(keysCollection) !== "collection") return [`collection ${keysCollection}`];
  try {
    await ask({ find: keysCollection, filter: {}, hint: expiryIndex, limit: 1 });
    return [];
  } catch (thrown) {
    const number = refusalNumber(thrown);
    if (number === badHint) return [`index ${expiryIndex} of ${keysCollection}`];
    if (number === unauthorized) return [`collection ${keysCollection}`];
    throw thrown;
  }
}

/** The keys of one database, and the answers that are stored with them. */
export class KeyStore {
  readonly #sender: CommandSender;
  readonly #database: string;

  constructor(client: DatabaseClient, database: string) {
    this.#sender = commandSender(client);
    this.#database = database;
  }

  /**
   * Stores a key with its answer; in a transaction where `sender` is one. Errors: BEDS-D003 when
   * the key is there already, D011 where BEDS's own objects are missing or the server has no
   * transactions.
   */
  async insert(
    { scope, key, requestHash, expiresAt }: MutationKey,
    { attempt, answer }: Pick<StoredKey, "attempt" | "answer">,
    options: Omit<SendOptions, "read"> & { readonly sender?: CommandSender },
  ): Promise<void> {
    const document = {
      _id: { scope, key },
      hash: requestHash,
      attempt,
      answer,
      created_at: new Date(),
      expires_at: new Date(expiresAt),
    };
    const { sender = this.#sender, timeoutMs } = options;
    try {
      await sender.send(
        { insert: keysCollection, documents: [document] },
        { timeoutMs, read: false },
      );
    } catch (thrown) {
      throw this.#failure(thrown);
    }
  }

  /**
   * Finds a key that a majority has, so that its answer can never be taken back. Null where there
   * is none, or not yet.
   */
  async find({ scope, key }: MutationKey, timeoutMs: number): Promise<StoredKey | null> {
    const command = {
      find: keysCollection,
      filter: { _id: { $eq: { scope, key } } },
      limit: 1,
      singleBatch: true,
      readConcern: { level: "majority" },
    };
    const reply = await this.#sender.send(command, { timeoutMs, read: true });
    const { cursor } = reply;
    const batch = isDocument(cursor) ? cursor["firstBatch"] : undefined;
    if (!isList(batch) || batch.length === 0) return null;
    const checked = v.safeParse(keySchema, batch[0]);
    if (!checked.success) {
      const detail = `a stored key cannot be read: ${checked.issues[0].message}`;
      throw new BedsError("BEDS-B001", { detail });
    }
    const { hash: requestHash, attempt, answer } = checked.output;
    return { requestHash, attempt, answer };
  }

  #failure(thrown: unknown): unknown {
    const where = `database ${this.#database}`;
    switch (refusalNumber(thrown)) {
      case duplicate: {
        return new BedsError("BEDS-D003", { detail: "another one with this key was faster" });
      }
      case unauthorized: {
        return new BedsError("BEDS-D011", { detail: `${where}: ${keysCollection}`, cause: thrown });
      }
      case refusedDocument: {
        const detail = `${where}: the validator of ${keysCollection} is of another version`;
        return new BedsError("BEDS-D011", { detail, cause: thrown });
      }
      default:
        return thrown;
    }
  }
}

/** The server's number of what it refused; 0 for anything else. */
export function refusalNumber(thrown: unknown): number {
  if (!(thrown instanceof BedsError) || !(thrown.cause instanceof ServerRefusal)) return 0;
  return thrown.cause.number;
}

/** https://www.mongodb.com/docs/manual/reference/error-codes/ */
const badHint = 2;
const unauthorized = 13;
const refusedDocument = 121;
const duplicate = 11_000;

/** Other fields may follow in a later version. */
const keySchema = v.object({ hash: v.string(), attempt: v.string(), answer: v.string() });

const text = { bsonType: "string" };

const keysSource = {
  collection: keysCollection,
  description: "BEDS: what was asked for under which idempotency key, and what was answered",
  validator: {
    $jsonSchema: {
      bsonType: "object",
      required: ["_id", "hash", "attempt", "answer", "created_at", "expires_at"],
      properties: {
        _id: {
          bsonType: "object",
          description: "scope: principal, template and operation",
          required: ["scope", "key"],
          additionalProperties: false,
          properties: { scope: text, key: text },
        },
        hash: { ...text, description: "SHA-256 of the arguments" },
        attempt: { ...text, description: "who stored it" },
        answer: { ...text, description: "JSON" },
        created_at: { bsonType: "date" },
        expires_at: { bsonType: "date", description: "the server removes it then" },
      },
    },
  },
  indexes: [{ name: expiryIndex, key: { expires_at: 1 }, expireAfterSeconds: 0 }],
};
