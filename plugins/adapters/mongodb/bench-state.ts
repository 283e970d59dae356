import type { Db } from "mongodb";
import { type Privilege, privilegesIn } from "./grants.ts";
import { isDocument, isList, type JsonObject } from "./node.ts";
import { type CommandObject, objectsCollection, readObject, sourcesCollection } from "./object.ts";
import { isFinding } from "./description.ts";

/** The role that the runtime account gets everything through. */
export const runtimeRole = "beds_runtime";

/** What a database holds before the workbench does anything, as the DBA's account sees it. */
export interface BenchState {
  /** `view` or `collection`, by name. */
  readonly types: ReadonlyMap<string, string>;
  /** Names of the indexes, by collection; only of those that were asked for. */
  readonly indexes: ReadonlyMap<string, ReadonlySet<string>>;
  /** Objects that are well-formed, by name. */
  readonly objects: ReadonlyMap<string, CommandObject>;
  /** SHA-256 of what was applied last, by path. */
  readonly checksums: ReadonlyMap<string, string>;
  /** Undefined while there is no such role. */
  readonly role: RoleState | undefined;
  /** Whether the runtime account has the role. */
  readonly isGranted: boolean;
}

export interface RoleState {
  readonly privileges: readonly Privilege[];
  /** Roles that it inherits from; there should be none. */
  readonly inherited: readonly JsonObject[];
}

/** The runtime account: its name and the database that holds it. */
export interface RuntimeAccount {
  readonly user: string;
  readonly authSource: string;
}

/** Reads all of it. `collections` are those whose indexes are wanted. */
export async function readState(
  db: Db,
  collections: readonly string[],
  account: RuntimeAccount,
): Promise<BenchState> {
  const listed = await db.listCollections({}, { nameOnly: true }).toArray();
  const types = new Map(listed.map(({ name, type }) => [name, type ?? "collection"]));
  const indexes = new Map<string, ReadonlySet<string>>();
  for (const name of collections) {
    if (types.get(name) !== "collection") continue;
    const found = await db.collection(name).listIndexes().toArray();
    indexes.set(name, new Set(found.map((index) => String(index["name"]))));
  }
  return {
    types,
    indexes,
    objects: await readObjects(db),
    checksums: await readChecksums(db),
    role: await readRole(db),
    isGranted: await isGranted(db, account),
  };
}

async function readObjects(db: Db): Promise<ReadonlyMap<string, CommandObject>> {
  const objects = new Map<string, CommandObject>();
  for (const document of await db.collection(objectsCollection).find({}).toArray()) {
    const object = readObject(document);
    if (!isFinding(object)) objects.set(object.name, object);
  }
  return objects;
}

async function readChecksums(db: Db): Promise<ReadonlyMap<string, string>> {
  const notes = await db.collection(sourcesCollection).find({}).toArray();
  return new Map(notes.map((note) => [String(note._id), String(note["checksum"])]));
}

async function readRole(db: Db): Promise<RoleState | undefined> {
  const role = await first(db, { rolesInfo: runtimeRole, showPrivileges: true }, "roles");
  if (role === undefined) return undefined;
  const { privileges, roles } = role;
  const inherited = isList(roles) ? roles.filter((each) => isDocument(each)) : [];
  return { privileges: privilegesIn(privileges), inherited };
}

async function isGranted(db: Db, { user, authSource }: RuntimeAccount): Promise<boolean> {
  const found = await first(db, { usersInfo: { user, db: authSource } }, "users");
  const roles = found?.["roles"];
  if (!isList(roles)) return false;
  return roles.some(
    (each) => isDocument(each) && each["role"] === runtimeRole && each["db"] === db.databaseName,
  );
}

async function first(db: Db, command: JsonObject, list: string): Promise<JsonObject | undefined> {
  const reply: unknown = await db.command(command);
  const found = isDocument(reply) ? reply[list] : undefined;
  const one: unknown = isList(found) ? found[0] : undefined;
  return isDocument(one) ? one : undefined;
}
