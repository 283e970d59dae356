import type {
  Adapter,
  AdapterDriver,
  DatabaseDescription,
  DatabaseServer,
  DatabaseTarget,
} from "../contract/adapter.ts";
import { BedsError } from "../contract/errors.ts";
import type { Observe } from "../contract/events.ts";
import type { DatabaseClass, Operation, Template } from "../contract/template.ts";
import type { Config, DatabaseConfig } from "../config/schema.ts";
import type { Execute } from "../pipeline.ts";
import { findDrift, findOperationDrift } from "../template/drift.ts";
import { executor, type ExecutorSettings } from "./executor.ts";

/** What a worker needs to bring one database up. */
export interface DatabaseParts {
  readonly name: string;
  readonly driver: AdapterDriver;
  readonly target: DatabaseTarget;
  /** The templates that live in it. */
  readonly templates: readonly Template[];
  readonly settings: ExecutorSettings;
  readonly observe: Observe;
}

/** Keys that are forgotten in one statement; more would hold locks that requests wait for. */
const purgePortion = 1000;

/** What bringing a database up gave: what executes each operation, or why it is switched off. */
export type Executors = ReadonlyMap<Operation, Execute | BedsError>;

/**
 * One database of a worker: its adapter, and the way from "configured" to "serves". The order is
 * that of the program load: authenticate, drift check, bind.
 */
export class DatabaseService {
  readonly name: string;
  readonly templates: readonly Template[];
  readonly class: DatabaseClass;
  readonly #settings: ExecutorSettings;
  readonly #adapter: Adapter;
  readonly #observe: Observe;
  #description: DatabaseDescription | null = null;
  #isUp = false;

  constructor(parts: DatabaseParts) {
    this.name = parts.name;
    this.templates = parts.templates;
    this.class = parts.driver.class;
    this.#settings = parts.settings;
    this.#adapter = parts.driver.open(parts.target);
    this.#observe = parts.observe;
  }

  /** Reaches the database and authenticates. Errors: BEDS-D001, BEDS-D008. */
  async authenticate(signal: AbortSignal): Promise<void> {
    await this.#adapter.check(signal);
    this.#turn(true, "");
  }

  /**
   * Asks the database what it has. Out: every difference from the templates; empty when they agree.
   */
  async findDrift(signal: AbortSignal): Promise<readonly BedsError[]> {
    this.#description = await this.#adapter.describe(signal);
    return findDrift(this.templates, this.#description, this.name);
  }

  /** Makes every operation ready that has no drift; the others are switched off with the reason. */
  async bind(): Promise<Executors> {
    const executors = new Map<Operation, Execute | BedsError>();
    for (const template of this.templates) {
      for (const operation of template.operations.values()) {
        executors.set(operation, await this.#executor(template, operation));
      }
    }
    return executors;
  }

  /**
   * Forgets keys that have expired, in bounded portions, until none is left or `signal` is aborted.
   */
  async purgeKeys(signal: AbortSignal): Promise<void> {
    const { keyed } = this.#adapter;
    if (keyed === undefined) return;
    while (!signal.aborted && (await keyed.purge(purgePortion)) === purgePortion);
  }

  async close(): Promise<void> {
    await this.#adapter.close();
  }

  async #executor(template: Template, operation: Operation): Promise<Execute | BedsError> {
    const description = this.#description;
    if (description === null) throw new BedsError("BEDS-B001", { detail: "bind before findDrift" });
    const [drift] = findOperationDrift(template, operation, description);
    if (drift !== undefined) return drift;
    const binding = await this.#adapter.bind(template, operation);
    const { isRepeatable, run } = executor(this.#adapter, binding, this.#settings);
    return {
      isRepeatable,
      run: async (request) => {
        try {
          const executed = await run(request);
          this.#turn(true, "");
          return executed;
        } catch (thrown) {
          const isDown = thrown instanceof BedsError && thrown.class === "DEPENDENCY_DOWN";
          this.#turn(!isDown, isDown ? thrown.detail : "");
          throw thrown;
        }
      },
    };
  }

  /** Says when the database goes away or comes back; adapters themselves are silent. */
  #turn(isUp: boolean, detail: string): void {
    if (isUp === this.#isUp) return;
    this.#isUp = isUp;
    const change = isUp ? "up" : "down";
    this.#observe({ kind: "connection", target: `database ${this.name}`, change, detail });
  }
}

/** Which sides of a database are opened. */
export interface TargetNeeds {
  /** Connections of this process, at most, where the section does not say. */
  readonly connections: number;
  /** Whether the DBA's account is needed; its secret is not read otherwise. */
  readonly dba: boolean;
}

/**
 * A `[databases.<name>]` section as an adapter takes it, its secrets read. Errors: BEDS-C006 for a
 * secret that cannot be read, BEDS-C008 for a section that does not exist.
 */
export function databaseTarget(config: Config, name: string, needs: TargetNeeds): DatabaseTarget {
  const section = config.databases[name];
  if (section === undefined) {
    throw new BedsError("BEDS-C008", { detail: `there is no [databases.${name}]` });
  }
  const master = masterServer(section);
  return {
    name,
    database: section.database,
    master,
    secondary: secondaryServer(section, master),
    dba: needs.dba ? dbaServer(section, master) : null,
    connections: section.connections === 0 ? needs.connections : section.connections,
    connectTimeoutMs: section.connect_timeout_ms,
  };
}

function masterServer({ master }: DatabaseConfig): DatabaseServer {
  return {
    host: master.host,
    port: master.port,
    user: master.user,
    pass: master.pass.reveal(),
    ...authentication(master.auth_source),
    ...(master.replica_set === "" ? {} : { replicaSet: master.replica_set }),
  };
}

function secondaryServer(section: DatabaseConfig, master: DatabaseServer): DatabaseServer | null {
  const { secondary } = section;
  if (secondary === undefined) return null;
  const own = { ...master, host: secondary.host, port: secondary.port };
  if (secondary.user === undefined) return own;
  return { ...own, user: secondary.user, pass: secondary.pass.reveal() };
}

function dbaServer({ dba }: DatabaseConfig, master: DatabaseServer): DatabaseServer | null {
  if (dba === undefined) return null;
  const { user, pass, auth_source: source } = dba;
  return { ...master, user, pass: pass.reveal(), ...authentication(source) };
}

function authentication(source: string): { readonly authSource?: string } {
  return source === "" ? {} : { authSource: source };
}
