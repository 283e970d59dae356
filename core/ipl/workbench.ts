import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { ObjectChange, ObjectSource, Workbench } from "../contract/adapter.ts";
import { BedsError } from "../contract/errors.ts";
import { suggestion } from "../contract/suggest.ts";
import type { Template } from "../contract/template.ts";
import { databaseTarget } from "./database.ts";
import { type LoadedNode, templatesFolder } from "./load.ts";

/** One database as its DBA works on it: what the files say, and what the database says to them. */
export interface DatabaseWork {
  readonly name: string;
  readonly files: number;
  plan(): Promise<readonly ObjectChange[]>;
  apply(report: (change: ObjectChange) => void): Promise<void>;
}

/**
 * Chooses the databases that `beds db` works on. In: the names that a person gave; none means all
 * that have a DBA's side. Errors: BEDS-C008 for a name that is not configured, BEDS-W004 where the
 * DBA's account is missing; found before anything is done to any database.
 */
export function chooseDatabases(node: LoadedNode, named: readonly string[]): readonly string[] {
  const known = [...node.drivers.keys()];
  const stranger = named.find((name) => !node.drivers.has(name));
  if (stranger !== undefined) {
    const detail = `there is no [databases.${stranger}]${suggestion(stranger, known)}`;
    throw new BedsError("BEDS-C008", { detail });
  }
  const chosen =
    named.length > 0 ? [...new Set(named)] : known.filter((name) => hasDba(node, name));
  for (const name of chosen) refuseWithoutDba(node, name);
  return chosen;
}

/**
 * Opens one database with the DBA's account, lets `work` do what it does, and closes it again.
 * Errors: BEDS-C006 for a secret that cannot be read, BEDS-D001 and D008 from the server, and
 * whatever `work` throws.
 */
export async function withWorkbench<T>(
  node: LoadedNode,
  name: string,
  work: (database: DatabaseWork) => Promise<T>,
): Promise<T> {
  const sources = await readObjectSources(templatesFolder(node.loaded), name);
  const templates = node.registry.all.filter(({ database }) => database === name);
  const workbench = openWorkbench(node, name);
  try {
    return await work(databaseWork(name, sources, templates, workbench));
  } finally {
    await workbench.close();
  }
}

/** Folders below `db/` that no configured database will ever read: most likely misspelt. */
export async function strayFolders(node: LoadedNode): Promise<readonly string[]> {
  const folders = await readdir(join(templatesFolder(node.loaded), "db"), {
    withFileTypes: true,
  }).catch(() => []);
  return folders
    .filter((entry) => entry.isDirectory() && !node.drivers.has(entry.name))
    .map(({ name }) => name)
    .sort();
}

/**
 * Reads the object files of one database, in the order of their paths, which are relative to the
 * templates' folder. A database without a folder has none. Errors: BEDS-W001 for a file that cannot
 * be read.
 */
export async function readObjectSources(
  folder: string,
  database: string,
): Promise<readonly ObjectSource[]> {
  const root = join(folder, "db", database);
  const found = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = found.filter((entry) => entry.isFile() && /^[^.].*\.(sql|json)$/.test(entry.name));
  const paths = files.map(({ parentPath, name }) => join(parentPath, name)).sort();
  return await Promise.all(paths.map((path) => readObjectSource(folder, path)));
}

async function readObjectSource(folder: string, file: string): Promise<ObjectSource> {
  const path = file.slice(folder.length + 1).replaceAll("\\", "/");
  try {
    const text = await Bun.file(file).text();
    const checksum = new Bun.CryptoHasher("sha256").update(text).digest("hex");
    return { path, text, checksum };
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new BedsError("BEDS-W001", { detail: `${path}: ${reason}`, cause: thrown });
  }
}

function databaseWork(
  name: string,
  sources: readonly ObjectSource[],
  templates: readonly Template[],
  workbench: Workbench,
): DatabaseWork {
  return {
    name,
    files: sources.length,
    plan: () => workbench.plan(sources, templates),
    apply: (report) => workbench.apply(sources, templates, report),
  };
}

function openWorkbench(node: LoadedNode, name: string): Workbench {
  const target = databaseTarget(node.loaded.config, name, { connections: 1, dba: true });
  const workbench = node.drivers.get(name)?.openWorkbench?.(target);
  if (workbench !== undefined) return workbench;
  throw new BedsError("BEDS-C008", { detail: `database '${name}': its adapter has no DBA's side` });
}

function hasDba(node: LoadedNode, name: string): boolean {
  return node.drivers.get(name)?.openWorkbench !== undefined;
}

function refuseWithoutDba(node: LoadedNode, name: string): void {
  if (node.loaded.config.databases[name]?.dba !== undefined) return;
  const hint = `give [databases.${name}.dba] user and pass`;
  throw new BedsError("BEDS-W004", { detail: `database '${name}'`, hint });
}
