import {
  type Adapter,
  BedsError,
  type Binding,
  type DatabaseDescription,
  type DatabaseTarget,
  type KeyedMutations,
  type NamasteCore,
  type Operation,
  type Template,
} from "../../../core/contract/index.ts";
import { MongodbBinding } from "./binding.ts";
import { commandSender, MongodbCalls } from "./calls.ts";
import { DatabaseClient } from "./client.ts";
import { checkCommand } from "./command-check.ts";
import {
  type Ask,
  describeDatabase,
  findingText,
  hasTransactions,
  isFinding,
  readDocuments,
} from "./description.ts";
import { MongodbKeyed } from "./keyed.ts";
import { readObject } from "./object.ts";

/** The plugin's options. */
export interface MongodbLimits {
  /** Milliseconds that a request waits at most for a primary. */
  readonly selectionMs: number;
}

/** Milliseconds for one look at the server while a node boots. */
const lookMs = 10_000;

/** A MongoDB database as one worker opens it. Nothing connects before the first call. */
export class MongodbAdapter implements Adapter {
  readonly core: NamasteCore;
  readonly #client: DatabaseClient;
  readonly #database: string;
  #keyed: KeyedMutations | undefined;

  constructor(target: DatabaseTarget, limits: MongodbLimits) {
    const { database, connections, connectTimeoutMs, master } = target;
    const { selectionMs } = limits;
    this.#database = database;
    this.#client = new DatabaseClient({
      server: master,
      database,
      connections,
      connectTimeoutMs,
      selectionMs,
    });
    this.core = new MongodbCalls(commandSender(this.#client));
    this.#keyed = new MongodbKeyed({ client: this.#client, database, random: Math.random });
  }

  /**
   * There until `describe` has found a server without transactions, which is one that is no member
   * of a replica set. Whoever has not asked gets BEDS-D011 from it.
   */
  get keyed(): KeyedMutations | undefined {
    return this.#keyed;
  }

  async check(signal: AbortSignal): Promise<void> {
    await this.#client.run({ ping: 1 }, { timeoutMs: lookMs, read: true, signal });
  }

  async describe(signal: AbortSignal): Promise<DatabaseDescription> {
    const ask: Ask = (command) =>
      this.#client.run(command, { timeoutMs: lookMs, read: true, signal });
    if (!(await hasTransactions(ask))) this.#keyed = undefined;
    return await describeDatabase(ask, this.#database);
  }

  /** Reads the object again and compiles it. Errors: BEDS-T014, T015, T019 and T020. */
  async bind(template: Template, operation: Operation): Promise<Binding> {
    const { object: name, where } = operation;
    const [document] = await readDocuments(
      (command) => this.#client.run(command, { timeoutMs: lookMs, read: true }),
      name,
    );
    if (document === undefined) {
      throw new BedsError("BEDS-T014", {
        detail: `${this.#database} has no command ${name}`,
        where,
      });
    }
    const object = readObject(document);
    if (isFinding(object)) throw refused(name, findingText(object), operation);
    const checked = checkCommand(object);
    if (!("object" in checked)) {
      throw refused(name, checked.map(findingText).join("; "), operation);
    }
    return new MongodbBinding(template, operation, checked, await this.#client.types());
  }

  async close(): Promise<void> {
    await this.#client.close();
  }
}

function refused(name: string, reason: string, { where }: Operation): BedsError {
  return new BedsError("BEDS-T020", { detail: `${name}: ${reason}`, where });
}
