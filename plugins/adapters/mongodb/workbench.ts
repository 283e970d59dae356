import type { MongoClient } from "mongodb";
import {
  BedsError,
  type DatabaseServer,
  type DatabaseTarget,
  type ObjectChange,
  type ObjectSource,
  type Template,
  type Workbench,
} from "../../../core/contract/index.ts";
import type { MongodbLimits } from "./adapter.ts";
import { type BenchState, readState, type RuntimeAccount } from "./bench-state.ts";
import { loadDriver } from "./driver.ts";
import { commandFailure, serverText } from "./failure.ts";
import { type RoleDemand, roleSteps } from "./role-steps.ts";
import { readOwnSources, readSources, type Source } from "./source.ts";
import { type Bench, type Step, sourceSteps } from "./steps.ts";

/**
 * The DBA's side: installs collections, views and objects from files, and lets the runtime account
 * do exactly what the templates' operations need. Opened by `beds db` alone, with an account that
 * no node has.
 */
export class MongodbWorkbench implements Workbench {
  readonly #target: DatabaseTarget;
  readonly #limits: MongodbLimits;
  #client: MongoClient | undefined;

  constructor(target: DatabaseTarget, limits: MongodbLimits) {
    this.#target = target;
    this.#limits = limits;
  }

  async plan(
    sources: readonly ObjectSource[],
    templates: readonly Template[],
  ): Promise<readonly ObjectChange[]> {
    const steps = await this.#steps(sources, templates);
    return steps.map(({ change }) => change);
  }

  /** All files are read and checked before the first one is applied. */
  async apply(
    sources: readonly ObjectSource[],
    templates: readonly Template[],
    report: (change: ObjectChange) => void,
  ): Promise<void> {
    const steps = await this.#steps(sources, templates);
    for (const { change, run } of steps) {
      await run();
      report(change);
    }
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.close();
  }

  async #steps(
    files: readonly ObjectSource[],
    templates: readonly Template[],
  ): Promise<readonly Step[]> {
    const sources = [...readOwnSources(), ...readSources(files)];
    const { name: section, database, master } = this.#target;
    const { user, authSource = "admin" } = master;
    const account: RuntimeAccount = { user, authSource };
    const client = await this.#connected();
    const db = client.db(database);
    const bench: Bench = {
      db,
      accounts: client.db(account.authSource),
      driver: await loadDriver(),
      state: await this.#read(() => readState(db, collectionsOf(sources), account)),
    };
    const objects = new Map(bench.state.objects);
    for (const source of sources) {
      if (source.folder === "objects") objects.set(source.name, source.object);
    }
    const demand: RoleDemand = { section, templates, objects, account };
    return [...sourceSteps(sources, bench), ...roleSteps(demand, bench)];
  }

  /** Errors: what the server refuses to show is BEDS-W002, what the network loses is BEDS-D001. */
  async #read(read: () => Promise<BenchState>): Promise<BenchState> {
    try {
      return await read();
    } catch (thrown) {
      const context = { database: this.#target.database, read: true, sent: true };
      const failure = commandFailure(thrown, context);
      if (failure.class === "DEPENDENCY_DOWN") throw failure;
      throw new BedsError("BEDS-W002", { detail: serverText(thrown), cause: thrown });
    }
  }

  async #connected(): Promise<MongoClient> {
    if (this.#client !== undefined) return this.#client;
    const { dba, database, connectTimeoutMs } = this.#target;
    if (dba === null) throw new BedsError("BEDS-W004", { detail: `database ${database}` });
    const { MongoClient } = await loadDriver();
    const client = new MongoClient(addressOf(dba), {
      appName: "beds db",
      auth: { username: dba.user, password: dba.pass },
      authSource: dba.authSource ?? "admin",
      ...(dba.replicaSet === undefined
        ? { directConnection: true }
        : { replicaSet: dba.replicaSet }),
      maxPoolSize: 1,
      connectTimeoutMS: connectTimeoutMs,
      serverSelectionTimeoutMS: Math.min(connectTimeoutMs, this.#limits.selectionMs),
      writeConcern: { w: "majority", journal: true },
    });
    try {
      await client.connect();
    } catch (thrown) {
      await client.close();
      throw commandFailure(thrown, { database, read: true, sent: false });
    }
    this.#client = client;
    return client;
  }
}

function addressOf({ host, port }: DatabaseServer): string {
  return `mongodb://${host.includes(":") ? `[${host}]` : host}:${port}/`;
}

function collectionsOf(sources: readonly Source[]): readonly string[] {
  return sources.flatMap(({ folder, name }) => (folder === "collections" ? [name] : []));
}
