import { randomBytes } from "node:crypto";
import {
  BedsError,
  type MutationKey,
  type MutationOutcome,
  type NamasteCore,
  type Row,
} from "../../../core/contract/index.ts";
import { BoundCalls } from "./bound-calls.ts";
import { graceMs } from "./calls.ts";
import type { Connection } from "./connection.ts";
import { ConnectionLost, isLost, serverText, statementError } from "./errors.ts";
import { transactionName } from "./key-objects.ts";
import type { KeyStatements } from "./key-statements.ts";
import type { Pool } from "./pool.ts";
import {
  encodeAnswer,
  type MutationAnswer,
  type StoredAnswer,
  storedOutcome,
} from "./stored-answer.ts";

export interface AttemptSettings {
  readonly database: string;
  readonly writes: Pool;
  readonly statements: KeyStatements;
  /** Makes the server end a connection and what it runs; settles soon, whatever happens. */
  readonly kill: (connection: Connection) => Promise<void>;
  /**
   * What became of a key whose transaction was lost with its connection: the stored answer, null
   * when it is sure that the transaction is gone, "unknown" when that cannot be told in time.
   */
  readonly lookUp: (key: MutationKey, lost: Connection) => Promise<StoredAnswer | null | "unknown">;
}

export type Work = (core: NamasteCore) => Promise<readonly Row[]>;

/** What had been sent last: only `beds_finish` can commit. */
type Phase = "begin" | "work" | "finish";

/**
 * One try of a keyed mutation: `beds_begin`, the work, `beds_finish`, each awaited before the next
 * is sent, on a connection of its own. The connection goes back to the pool only when the server
 * has said that no transaction is open on it.
 */
export class KeyedAttempt {
  /** The connection had died unnoticed before anything began: another try costs nothing. */
  wasStale = false;
  readonly #settings: AttemptSettings;
  readonly #key: MutationKey;
  readonly #until: number;
  readonly #id = randomBytes(16).toString("hex");
  #phase: Phase = "begin";
  #object = "";

  /** In: `until` is the caller's limit on the clock of `performance.now()`. */
  constructor(settings: AttemptSettings, key: MutationKey, until: number) {
    this.#settings = settings;
    this.#key = key;
    this.#until = until;
  }

  async run(work: Work): Promise<MutationOutcome> {
    const { writes } = this.#settings;
    const connection = await writes.acquire(Math.max(1, this.#leftMs));
    const { used } = connection;
    const guard = setTimeout(() => void this.#end(connection), this.#leftMs + graceMs);
    try {
      return (await this.#begin(connection)) ?? (await this.#perform(connection, work));
    } catch (thrown) {
      this.wasStale = used && this.#phase === "begin" && isLost(thrown);
      return await this.#settle(connection, thrown);
    } finally {
      clearTimeout(guard);
      writes.release(connection);
    }
  }

  get #leftMs(): number {
    return this.#until - performance.now();
  }

  /** Claims the key. Out: what it was answered before, or null when the work is ours to do. */
  async #begin(connection: Connection): Promise<MutationOutcome | null> {
    await connection.setAutocommit(true);
    const begun = await this.#settings.statements.begin(connection, this.#key, this.#id);
    if (begun.state === "open") return null;
    if (begun.state === "known") return storedOutcome(begun.stored, this.#key.requestHash, true);
    throw new BedsError("BEDS-D003", { detail: "the key was removed while it was looked at" });
  }

  async #perform(connection: Connection, work: Work): Promise<MutationOutcome> {
    this.#phase = "work";
    const answer = await this.#answer(connection, work);
    const response = encodeAnswer(answer);
    // The object may have used up the time without any one statement being late.
    if (connection.condemned || this.#leftMs <= 0) throw this.#lateError();
    if (!connection.alive) throw new ConnectionLost("the connection was lost before the commit");
    this.#phase = "finish";
    const finish = { key: this.#key, attempt: this.#id, refused: answer.error !== null, response };
    await this.#settings.statements.finish(connection, finish);
    return { replayed: false, ...answer };
  }

  /** Does the work. Out: its rows, or the BUSINESS error that it ended with; throws every other. */
  async #answer(connection: Connection, work: Work): Promise<MutationAnswer> {
    const core = new BoundCalls(this.#settings.database, connection);
    let answer: MutationAnswer;
    try {
      const rows = await work(core);
      answer = core.failure === null ? { rows, error: null } : { rows: null, error: core.failure };
    } catch (thrown) {
      // What the database said weighs more than what the work made of it.
      const failed = core.failure;
      const error = failed === null || failed.class === "BUSINESS" ? thrown : failed;
      if (!(error instanceof BedsError)) throw error;
      answer = { rows: null, error };
    } finally {
      this.#object = core.object;
      core.close();
    }
    if (answer.error !== null && answer.error.class !== "BUSINESS") throw answer.error;
    return answer;
  }

  /** The statement first, then the connection, then whoever waits for the answer. */
  async #end(connection: Connection): Promise<void> {
    connection.condemn();
    await this.#settings.kill(connection);
    connection.destroy(this.#lateError());
  }

  /** After a failure: leaves no transaction open and says what became of the mutation. */
  async #settle(connection: Connection, thrown: unknown): Promise<MutationOutcome> {
    // The key was used for another request: `beds_begin` has left nothing open.
    if (thrown instanceof BedsError && thrown.code === "BEDS-K001") throw thrown;
    const left = isLost(thrown) ? "unsure" : await this.#undo(connection);
    if (left === "unsure") connection.destroy();
    if (left === "unsure" && this.#phase === "finish") {
      const outcome = await this.#resolve(connection);
      if (outcome !== null) return outcome;
    }
    const error = this.#errorOf(connection, thrown);
    if (error.code !== "BEDS-D005") throw error;
    if (left === "given up") throw this.#conflict(error);
    // The server has rolled back, yet who knows what else such an object has done to the session.
    connection.destroy();
    throw error;
  }

  /**
   * Rolls back. Out: "given up" when the server had undone the transaction by itself, because then,
   * and only then, it takes XA ROLLBACK without XA END: that is how a deadlock which an object hid
   * behind something else is told from a broken object. "unsure" when the connection is of no more
   * use.
   */
  async #undo(connection: Connection): Promise<"given up" | "undone" | "unsure"> {
    const name = transactionName(this.#id);
    try {
      await connection.query(`XA ROLLBACK ${name}`);
      return "given up";
    } catch (refused) {
      if (isLost(refused)) return "unsure";
    }
    try {
      await connection.query(`XA END ${name}`);
      await connection.query(`XA ROLLBACK ${name}`);
      return "undone";
    } catch {
      return "unsure";
    }
  }

  /** After `beds_finish` was lost. Out: null when it is sure that nothing was committed. */
  async #resolve(connection: Connection): Promise<MutationOutcome | null> {
    const found = await this.#settings.lookUp(this.#key, connection);
    if (found === null) return null;
    if (found !== "unknown") {
      // The attempt's random name tells our own answer from one that somebody stored after us.
      return storedOutcome(found, this.#key.requestHash, found.attempt !== this.#id);
    }
    const detail = `database ${this.#settings.database}: the answer to the commit was lost`;
    throw new BedsError("BEDS-D004", { detail });
  }

  #conflict(cause: BedsError): BedsError {
    const detail = `${this.#object}: the database had undone the transaction (a deadlock)`;
    return new BedsError("BEDS-D003", { detail, cause });
  }

  #errorOf(connection: Connection, thrown: unknown): BedsError {
    if (connection.condemned && !(thrown instanceof BedsError)) return this.#lateError();
    const context = { database: this.#settings.database, read: false, committing: false };
    const error = statementError(thrown, context);
    if (thrown instanceof BedsError || this.#phase === "work") return error;
    if (this.#phase === "begin" || !isRefusal(thrown)) {
      return ownError(error, serverText(thrown).errno);
    }
    return new BedsError("BEDS-D005", { detail: `${this.#object}: ${error.detail}` });
  }

  #lateError(): BedsError {
    const what = this.#object === "" ? "claiming the key" : this.#object;
    return new BedsError("BEDS-D002", { detail: `${what} took longer than the time limit` });
  }
}

/**
 * 1305 the savepoint is gone · 1397 the key is gone · 1399, 1400 the transaction is not in the
 * state that it was left in: refused before anything was committed, and the object's doing.
 */
function isRefusal(thrown: unknown): boolean {
  return [1305, 1397, 1399, 1400].includes(serverText(thrown).errno);
}

/** 1142, 1370 not granted · 1146, 1305, 1449 not there · 1318 of another version. */
const ownObjectNumbers = new Set([1142, 1146, 1305, 1318, 1370, 1449]);

/**
 * The error of one of BEDS's own procedures: it is no refusal of the request, and no object of the
 * DBA's is broken.
 */
export function ownError(error: BedsError, errno: number): BedsError {
  if (ownObjectNumbers.has(errno)) return new BedsError("BEDS-D011", { detail: error.detail });
  if (error.class !== "BUSINESS" && error.class !== "BROKEN_OBJECT") return error;
  return new BedsError("BEDS-B001", { detail: error.detail, cause: error });
}
