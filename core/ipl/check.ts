import { BedsError, type SourceLocation } from "../contract/errors.ts";
import type { DatabaseDescription } from "../contract/adapter.ts";
import { findDrift } from "../template/drift.ts";
import { databaseTarget } from "./database.ts";
import { localLanes, neededConnections } from "./instances.ts";
import type { LoadedNode } from "./load.ts";

/** How far a check goes. */
export interface CheckScope {
  /** Only files: no server is asked. */
  readonly offline: boolean;
}

/**
 * Compares every template with its database and the node's connections with what the servers allow.
 * Out: every finding; a database that cannot be asked is a finding too. Called by `beds check` and
 * `beds doctor`; what is wrong with files has been found by `loadNode` already.
 */
export async function checkNode(
  node: LoadedNode,
  scope: CheckScope,
  signal: AbortSignal,
): Promise<readonly BedsError[]> {
  if (scope.offline) return [];
  const found: BedsError[] = [];
  for (const name of node.drivers.keys()) {
    try {
      found.push(...(await checkDatabase(node, name, signal)));
    } catch (thrown) {
      found.push(BedsError.from(thrown));
    }
  }
  return found;
}

async function checkDatabase(
  node: LoadedNode,
  name: string,
  signal: AbortSignal,
): Promise<readonly BedsError[]> {
  const driver = node.drivers.get(name);
  if (driver === undefined) return [];
  const { config } = node.loaded;
  const adapter = driver.open(databaseTarget(config, name, { connections: 1, dba: false }));
  try {
    await adapter.check(signal);
    const description = await adapter.describe(signal);
    const drift = findDrift(node.registry.all, description, name);
    const found = [...drift, ...checkConnections(node, name, driver.class, description)];
    return found.map((error) => located(error, node.loaded.whereOf(["databases", name, "master"])));
  } finally {
    await adapter.close();
  }
}

/**
 * All workers of this node together, each with one set of connections for reads and one for writes.
 */
function checkConnections(
  node: LoadedNode,
  name: string,
  databaseClass: "rec" | "rel" | "none",
  description: DatabaseDescription,
): readonly BedsError[] {
  const { config } = node.loaded;
  let wanted = 0;
  for (let worker = 0; worker < config.node.workers; worker++) {
    const lanes = localLanes(config, node.brokers, worker);
    const connections = neededConnections(lanes, databaseClass);
    const target = config.databases[name]?.connections ?? 0;
    wanted += 2 * (target === 0 ? connections : target);
  }
  if (wanted <= description.maxConnections) return [];
  const detail =
    `database '${name}': ${config.node.workers} workers would open up to ${wanted} connections, ` +
    `the server allows ${description.maxConnections}`;
  return [new BedsError("BEDS-C010", { detail })];
}

/**
 * What no template's line is to blame for stands at the database's section of the configuration.
 */
function located(error: BedsError, where: SourceLocation | undefined): BedsError {
  if (error.where !== undefined || where === undefined) return error;
  const { code, detail, hint } = error;
  return new BedsError(code, { detail, hint, where, cause: error });
}
