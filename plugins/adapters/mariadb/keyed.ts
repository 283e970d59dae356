import {
  BedsError,
  type CallOptions,
  type KeyedMutations,
  type MutationKey,
  type MutationOutcome,
} from "../../../core/contract/index.ts";
import type { Connection } from "./connection.ts";
import { serverText, statementError } from "./errors.ts";
import { keyLimits } from "./key-objects.ts";
import { KeyStatements } from "./key-statements.ts";
import { type AttemptSettings, KeyedAttempt, ownError, type Work } from "./keyed-attempt.ts";
import type { Pool } from "./pool.ts";
import type { StoredAnswer } from "./stored-answer.ts";

/** How often one mutation is tried, the first time included, while its time lasts. */
const maxTries = 10;
/** Milliseconds before the second try at most; doubled for each further one, up to the second. */
const firstDelayMs = 8;
const longestDelayMs = 250;
/** Milliseconds for finding out what became of a lost commit; within the grace of an instance. */
const lookUpMs = 1000;
/** Milliseconds between two looks at a key that an open transaction holds. */
const lookAgainMs = 25;
/** Milliseconds that a purge may take. */
const purgeMs = 10_000;

export interface KeyedSettings {
  /** For people: `app`. */
  readonly name: string;
  /** The database's name on the server. */
  readonly database: string;
  readonly writes: Pool;
  readonly kill: (connection: Connection) => Promise<void>;
  /** A connection beside the pool, which may be full of those that wait for the key. */
  readonly openControl: () => Promise<Connection>;
}

/**
 * Mutations whose key, effect and answer are one XA transaction on MariaDB (reference in
 * `key-objects.ts`): three round trips, begin, work and finish. Shares the write connections with
 * calls that have no key.
 */
export class MariadbKeyed implements KeyedMutations {
  readonly #settings: KeyedSettings;
  readonly #statements: KeyStatements;
  readonly #attempt: AttemptSettings;

  constructor(settings: KeyedSettings) {
    this.#settings = settings;
    this.#statements = new KeyStatements(settings.database);
    this.#attempt = {
      database: settings.name,
      writes: settings.writes,
      statements: this.#statements,
      kill: settings.kill,
      lookUp: (key, lost) => this.#lookUp(key, lost),
    };
  }

  /** Errors, beside those of the contract: BEDS-D011 where BEDS's own objects are missing. */
  async run(key: MutationKey, work: Work, options: CallOptions): Promise<MutationOutcome> {
    refuseLongKey(key);
    const until = performance.now() + options.timeoutMs;
    for (let tries = 1; ; tries += 1) {
      const attempt = new KeyedAttempt(this.#attempt, key, until);
      try {
        return await attempt.run(work);
      } catch (thrown) {
        const isConflict = thrown instanceof BedsError && thrown.class === "CONFLICT";
        const delayMs = isConflict ? jitter(tries) : 0;
        const isInTime = performance.now() + delayMs < until;
        if (!(isConflict || attempt.wasStale) || tries === maxTries || !isInTime) throw thrown;
        await Bun.sleep(delayMs);
      }
    }
  }

  async purge(limit: number): Promise<number> {
    const { writes, name } = this.#settings;
    const connection = await writes.acquire(purgeMs);
    const late = new BedsError("BEDS-D002", { detail: `purging took longer than ${purgeMs} ms` });
    const guard = setTimeout(() => connection.destroy(late), purgeMs);
    try {
      await connection.setAutocommit(true);
      return await this.#statements.purge(connection, limit);
    } catch (thrown) {
      connection.destroy();
      const context = { database: name, read: false, committing: false };
      throw ownError(statementError(thrown, context), serverText(thrown).errno);
    } finally {
      clearTimeout(guard);
      writes.release(connection);
    }
  }

  /**
   * Asks on a connection of its own until the answer is sure or the time is over. While an open
   * transaction holds the key, that is the lost one: it is killed, and then is committed or gone.
   */
  async #lookUp(key: MutationKey, lost: Connection): Promise<StoredAnswer | null | "unknown"> {
    const until = performance.now() + lookUpMs;
    let killing: Promise<void> | null = null;
    while (performance.now() < until) {
      try {
        return await this.#find(key, until);
      } catch (thrown) {
        if (serverText(thrown).errno === 1205) killing ??= this.#settings.kill(lost);
        await Bun.sleep(lookAgainMs);
      }
    }
    await killing;
    return "unknown";
  }

  async #find(key: MutationKey, until: number): Promise<StoredAnswer | null> {
    const control = await this.#settings.openControl();
    const guard = setTimeout(() => control.destroy(), Math.max(1, until - performance.now()));
    try {
      return await this.#statements.find(control, key);
    } finally {
      clearTimeout(guard);
      control.destroy();
    }
  }
}

/** Full jitter: those who met in a deadlock must not meet again. */
function jitter(tries: number): number {
  return Math.random() * Math.min(longestDelayMs, firstDelayMs * 2 ** tries);
}

function refuseLongKey({ scope, key }: MutationKey): void {
  const isShort =
    Buffer.byteLength(scope) <= keyLimits.scope && Buffer.byteLength(key) <= keyLimits.key;
  if (isShort) return;
  const detail = `a scope has up to ${keyLimits.scope} bytes, a key up to ${keyLimits.key}`;
  throw new BedsError("BEDS-B001", { detail });
}
