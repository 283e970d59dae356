import type { ClientSession } from "mongodb";
import { BedsError } from "../../../core/contract/index.ts";
import type { CommandSender, SendOptions } from "./calls.ts";
import type { CommandOptions, DatabaseClient } from "./client.ts";
import { ServerRefusal } from "./failure.ts";
import type { JsonObject } from "./node.ts";

/** How often a commit is sent whose outcome stays unknown. */
const commitTries = 3;

/** Milliseconds that a commit gets, however little of the time limit is left. */
const leastCommitMs = 1500;

/** Milliseconds before a commit is sent again. */
const commitPauseMs = 50;

/** Milliseconds for undoing; what is not undone by then the server undoes after a minute. */
const abortMs = 1000;

/**
 * One transaction. Its fields are put into the commands here: the driver's own commit and abort
 * take no time limit, and `withTransaction` goes on for two minutes. Several commands must not be
 * sent at the same time.
 */
export class Transaction implements CommandSender {
  readonly #client: DatabaseClient;
  readonly #session: ClientSession;
  readonly #fields: JsonObject;
  readonly #until: number;
  #stage: "new" | "open" | "ended" = "new";
  #running = 0;
  #failure: unknown = null;

  /**
   * Takes a session; the server hears of the transaction with its first command. `until` is the end
   * of its time in terms of `performance.now()`. Errors: BEDS-D001.
   */
  static async begin(client: DatabaseClient, until: number): Promise<Transaction> {
    const session = await client.startSession(Math.max(1, until - performance.now()));
    return new Transaction(client, session, until);
  }

  private constructor(client: DatabaseClient, session: ClientSession, until: number) {
    this.#client = client;
    this.#session = session;
    this.#until = until;
    // A number of its own for each transaction of a session, which the driver lends out again.
    const txnNumber = ++session.serverSession.txnNumber;
    this.#fields = { txnNumber: BigInt(txnNumber), autocommit: false };
  }

  /** Errors: whatever it does is undone, so that a lost answer is BEDS-D001 or D002, never D004. */
  async send(command: JsonObject, { timeoutMs }: SendOptions): Promise<JsonObject> {
    if (this.#stage === "ended") throw bug("a command came after the end of its transaction");
    const limitMs = Math.ceil(Math.min(timeoutMs, this.#until - performance.now()));
    this.#running += 1;
    try {
      if (limitMs <= 0) throw new BedsError("BEDS-D002", { detail: "the time was over" });
      const opening = this.#stage === "new" ? opens : {};
      this.#stage = "open";
      const text = { ...command, maxTimeMS: limitMs, ...this.#fields, ...opening };
      return await this.#run(text, { timeoutMs: limitMs, read: true });
    } catch (thrown) {
      this.#failure ??= thrown;
      throw thrown;
    } finally {
      this.#running -= 1;
    }
  }

  /**
   * Errors: the first one of a command, also where it was caught, because the server has then
   * undone everything; BEDS-B001 while a command is still running.
   */
  check(): void {
    if (this.#failure !== null) throw this.#failure;
    if (this.#running > 0) throw bug("the work ended before its commands");
  }

  /**
   * Commits, on a majority and in its journal. Only the commit is sent again when its outcome is
   * unknown. Errors: CONFLICT when nothing was committed and never will be; BEDS-D001 when the
   * commit was surely never sent; else BEDS-D004.
   */
  async commit(): Promise<void> {
    this.#stage = "ended";
    const limitMs = Math.max(this.#until - performance.now(), leastCommitMs);
    const timeoutMs = Math.ceil(limitMs / commitTries);
    const writeConcern = { w: "majority", j: true, wtimeout: timeoutMs };
    let wasSent = false;
    for (let tries = 1; ; tries++) {
      try {
        await this.#end({ commitTransaction: 1, writeConcern }, { timeoutMs, read: false });
        await this.#session.endSession();
        return;
      } catch (thrown) {
        const failure = BedsError.from(thrown);
        this.#failure = failure;
        if (failure.class === "CONFLICT") throw failure;
        wasSent ||= failure.code !== "BEDS-D001" || failure.cause instanceof ServerRefusal;
        if (tries === commitTries) throw wasSent ? unknownOutcome(failure) : failure;
        await Bun.sleep(commitPauseMs * tries);
      }
    }
  }

  /**
   * Undoes it, and throws nothing: what cannot be undone now is not committed either. After an
   * unknown commit it makes sure that none comes late.
   */
  async abort(): Promise<void> {
    const isOpen = this.#stage !== "new" && !isUndone(this.#failure);
    this.#stage = "ended";
    try {
      if (isOpen) await this.#end({ abortTransaction: 1 }, { timeoutMs: abortMs, read: true });
    } catch {
      // Its session is not lent out again, so that no other transaction has to wait for this one.
      this.#session.serverSession.isDirty = true;
    } finally {
      await this.#session.endSession();
    }
  }

  async #end(command: JsonObject, options: CommandOptions): Promise<void> {
    await this.#run({ ...command, ...this.#fields }, { ...options, database: "admin" });
  }

  async #run(command: JsonObject, options: CommandOptions): Promise<JsonObject> {
    return await this.#client.run(command, { ...options, session: this.#session });
  }
}

/** The transaction sees what was committed last; what it changes nobody else may have changed. */
const opens: JsonObject = { startTransaction: true, readConcern: { level: "local" } };

/** A conflict that the server itself reported has already undone everything. */
function isUndone(failure: unknown): boolean {
  if (!(failure instanceof BedsError) || failure.class !== "CONFLICT") return false;
  return failure.cause instanceof ServerRefusal;
}

function unknownOutcome(failure: BedsError): BedsError {
  return new BedsError("BEDS-D004", { detail: `commit: ${failure.detail}`, cause: failure });
}

function bug(detail: string): BedsError {
  return new BedsError("BEDS-B001", { detail });
}
