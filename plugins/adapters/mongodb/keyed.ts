import {
  BedsError,
  type CallOptions,
  type KeyedMutations,
  type MutationKey,
  type MutationOutcome,
  type NamasteCore,
  type Row,
} from "../../../core/contract/index.ts";
import { MongodbCalls } from "./calls.ts";
import type { DatabaseClient } from "./client.ts";
import { type Ask, hasTransactions } from "./description.ts";
import { KeyStore, refusalNumber, type StoredKey } from "./key-store.ts";
import { endOrphans } from "./orphans.ts";
import { decodeAnswer, encodeAnswer, type MutationAnswer, outcomeOf } from "./stored-answer.ts";
import { Transaction } from "./transaction.ts";

/** Milliseconds before the second try at most; doubled for each further one, up to the longest. */
const firstDelayMs = 8;
const longestDelayMs = 100;

/** Milliseconds of conflicts after which somebody may have died in one. */
const orphanMs = 1000;

/** Milliseconds for what settles a mutation when its own time may be over. */
const settleMs = 1000;

/** How often a key is looked up after a lost answer: a majority has it a little later. */
const unknownLooks = 5;

/** Milliseconds between two such looks. */
const lookAgainMs = 50;

/** The server's numbers for a transaction on a server that has none, and for one in the way. */
const illegalOperation = 20;
const writeConflict = 112;

type Work = (core: NamasteCore) => Promise<readonly Row[]>;

/** Where keyed mutations run. */
export interface KeyedSettings {
  readonly client: DatabaseClient;
  /** For people: `docs`. */
  readonly database: string;
  /** From 0 up to, not including, 1. */
  readonly random: () => number;
}

/**
 * Mutations whose effect, key and answer are one transaction of three commands: the effect, ONE
 * insert of the key with the answer, and the commit. The effect goes first, because whoever comes
 * second is told by its key, or by a conflict before; nobody has to look before.
 */
export class MongodbKeyed implements KeyedMutations {
  readonly #settings: KeyedSettings;
  readonly #keys: KeyStore;

  constructor(settings: KeyedSettings) {
    this.#settings = settings;
    this.#keys = new KeyStore(settings.client, settings.database);
  }

  /**
   * Conflicts are tried again while the time lasts; before each try the key is looked up, since
   * what stood in the way may have been a twin. Errors, beside those of the contract: BEDS-D011
   * where BEDS's own objects are missing or the server has no transactions.
   */
  async run(key: MutationKey, work: Work, { timeoutMs }: CallOptions): Promise<MutationOutcome> {
    let looked = performance.now();
    const until = looked + timeoutMs;
    let conflict: BedsError | null = null;
    for (let tries = 0; ; tries++) {
      try {
        return await this.#try(key, work, until);
      } catch (thrown) {
        conflict = conflictOf(thrown, conflict);
        const delayMs = this.#delay(tries);
        const isLast = performance.now() + delayMs >= until;
        if (isLast || performance.now() - looked > orphanMs) {
          await this.#endOrphans();
          looked = performance.now();
        }
        if (!isLast) await Bun.sleep(delayMs);
        const stored = await this.#stored(key, conflict);
        if (stored !== null) return stored;
        if (isLast) throw conflict;
      }
    }
  }

  /** The server removes expired keys by itself, a minute after their time at the latest. */
  async purge(): Promise<number> {
    return 0;
  }

  async #try(key: MutationKey, work: Work, until: number): Promise<MutationOutcome> {
    const attempt = crypto.randomUUID();
    const transaction = await Transaction.begin(this.#settings.client, until);
    try {
      const rows = await perform(work, transaction);
      const answer: MutationAnswer = { rows, error: null };
      const timeoutMs = until - performance.now();
      const options = { timeoutMs, sender: transaction };
      await this.#keys.insert(key, { attempt, answer: encodeAnswer(answer) }, options);
      await transaction.commit();
      return outcomeOf(answer, false);
    } catch (thrown) {
      const aborted = transaction.abort();
      const failure = await this.#failure(thrown);
      // Where nobody can be asked the abort goes on by itself, and is not waited for.
      if (failure.class === "DEPENDENCY_DOWN") throw failure;
      if (failure.class !== "UNKNOWN_OUTCOME") await aborted;
      if (failure.class === "BUSINESS") return await this.#refuse(key, attempt, failure, until);
      // Who is in the way has not committed yet, so that there is nothing to see.
      if (refusalNumber(failure) === writeConflict) throw failure;
      return await this.#settle(key, failure, attempt);
    }
  }

  /**
   * Stores a BUSINESS error as the answer, beside the transaction that it has undone. The key
   * decides: an answer that is there already stands.
   */
  async #refuse(
    key: MutationKey,
    attempt: string,
    error: BedsError,
    until: number,
  ): Promise<MutationOutcome> {
    const answer: MutationAnswer = { rows: null, error };
    const timeoutMs = Math.ceil(Math.max(until - performance.now(), settleMs));
    try {
      await this.#keys.insert(key, { attempt, answer: encodeAnswer(answer) }, { timeoutMs });
      return outcomeOf(answer, false);
    } catch (thrown) {
      return await this.#settle(key, BedsError.from(thrown), attempt);
    }
  }

  /** The stored answer, whoever stored it, or else `failure` is thrown. Errors: BEDS-K001. */
  async #settle(key: MutationKey, failure: BedsError, attempt: string): Promise<MutationOutcome> {
    const looks = failure.class === "UNKNOWN_OUTCOME" ? unknownLooks : 1;
    for (let look = 1; ; look++) {
      const stored = await this.#stored(key, failure, attempt);
      if (stored !== null) return stored;
      if (look === looks) throw failure;
      await Bun.sleep(lookAgainMs);
    }
  }

  async #stored(
    key: MutationKey,
    failure: BedsError,
    attempt?: string,
  ): Promise<MutationOutcome | null> {
    const stored = await this.#find(key, failure);
    if (stored === null) return null;
    if (stored.requestHash !== key.requestHash) throw new BedsError("BEDS-K001");
    return outcomeOf(decodeAnswer(stored.answer), stored.attempt !== attempt);
  }

  async #find(key: MutationKey, failure: BedsError): Promise<StoredKey | null> {
    try {
      return await this.#keys.find(key, settleMs);
    } catch {
      // What went wrong first says more than that the key cannot be looked up either.
      throw failure;
    }
  }

  async #endOrphans(): Promise<void> {
    try {
      await endOrphans(this.#settings.client);
    } catch {
      // It helps the next try; the conflict itself says what is wrong.
    }
  }

  /** Says so where the server has no transactions at all. */
  async #failure(thrown: unknown): Promise<BedsError> {
    const { client } = this.#settings;
    if (refusalNumber(thrown) !== illegalOperation) return BedsError.from(thrown);
    const ask: Ask = (command) => client.run(command, { timeoutMs: settleMs, read: true });
    if (await hasTransactions(ask)) return BedsError.from(thrown);
    const detail = `database ${this.#settings.database}: the server has no transactions`;
    const hint = "make it a replica set, of one member if need be";
    return new BedsError("BEDS-D011", { detail, hint, cause: thrown });
  }

  /** Full jitter: those who met must not meet again. */
  #delay(tries: number): number {
    return this.#settings.random() * Math.min(longestDelayMs, firstDelayMs * 2 ** tries);
  }
}

/** A command that failed has undone the transaction, also where the work went on or hid it. */
async function perform(work: Work, transaction: Transaction): Promise<readonly Row[]> {
  try {
    return await work(new MongodbCalls(transaction));
  } finally {
    transaction.check();
  }
}

/**
 * What is to be tried again. The time limit of a try that follows a conflict is what the conflict
 * took. Errors: everything else is thrown as it is.
 */
function conflictOf(thrown: unknown, before: BedsError | null): BedsError {
  if (!(thrown instanceof BedsError)) throw thrown;
  if (thrown.class === "CONFLICT") return thrown;
  if (thrown.class === "TIMEOUT" && before !== null) return before;
  throw thrown;
}
