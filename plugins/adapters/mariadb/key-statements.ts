import type { MutationKey } from "../../../core/contract/index.ts";
import type { Connection } from "./connection.ts";
import { keyObjectNames } from "./key-objects.ts";
import { quoteName } from "./names.ts";
import { type StoredAnswer, storedAnswer } from "./stored-answer.ts";

/** What `beds_finish` stores. */
export interface Finish {
  readonly key: MutationKey;
  readonly attempt: string;
  /** Whether the effect is to be undone first. */
  readonly refused: boolean;
  /** JSON. */
  readonly response: string;
}

/** What `beds_begin` did. */
export type Begun =
  /** The transaction is open and holds the key. */
  | { readonly state: "open" }
  /** The key was there; nothing is open. */
  | { readonly state: "known"; readonly stored: StoredAnswer }
  /** The key was there and has just been purged, or the transaction did not open. */
  | { readonly state: "neither" };

/** The CALLs of BEDS's own procedures for keys. Errors are the driver's own, BEDS-B001 apart. */
export class KeyStatements {
  readonly #begin: string;
  readonly #finish: string;
  readonly #find: string;
  readonly #purge: string;

  constructor(database: string) {
    const { begin, finish, find, purge } = keyObjectNames;
    const call = (name: string, marks: string): string =>
      `CALL ${quoteName(database)}.${quoteName(name)}(${marks})`;
    this.#begin = call(begin, "?, ?, ?, ?, ?");
    this.#finish = call(finish, "?, ?, ?, ?, ?");
    this.#find = call(find, "?, ?");
    this.#purge = call(purge, "?");
  }

  async begin(connection: Connection, key: MutationKey, attempt: string): Promise<Begun> {
    const values = [key.scope, key.key, key.requestHash, attempt, serverMoment(key.expiresAt)];
    const reply = await connection.execute(this.#begin, values, 1);
    const stored = storedAnswer(reply.rows);
    if (stored !== null) return { state: "known", stored };
    return { state: reply.inTransaction ? "open" : "neither" };
  }

  async finish(connection: Connection, finish: Finish): Promise<void> {
    const { key, attempt, refused, response } = finish;
    const values = [key.scope, key.key, attempt, Number(refused), response];
    await connection.execute(this.#finish, values, 0);
  }

  /** Null: there is none, and no open transaction holds the key. Error 1205: one does. */
  async find(connection: Connection, { scope, key }: MutationKey): Promise<StoredAnswer | null> {
    const reply = await connection.execute(this.#find, [scope, key], 1);
    return storedAnswer(reply.rows);
  }

  /** Out: how many keys were removed. */
  async purge(connection: Connection, limit: number): Promise<number> {
    const reply = await connection.execute(this.#purge, [limit], 1);
    return Number(reply.rows[0]?.[0]);
  }
}

/**
 * Milliseconds since 1970 → `2026-01-02 03:04:05.678` in UTC. The server's FROM_UNIXTIME ends in
 * 2038.
 */
function serverMoment(ms: number): string {
  return new Date(ms).toISOString().replace("T", " ").replace("Z", "");
}
