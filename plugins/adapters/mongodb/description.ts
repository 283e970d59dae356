import {
  BedsError,
  type DatabaseDescription,
  type DescribedObject,
  type DescribedValue,
  type FieldType,
} from "../../../core/contract/index.ts";
import { isReading } from "./binding.ts";
import { checkCommand } from "./command-check.ts";
import { ServerRefusal } from "./failure.ts";
import { grantWord, needsOf, ownNeeds, privilegesIn } from "./grants.ts";
import { missingKeyObjects } from "./key-store.ts";
import { isDocument, isList, type JsonObject, pathText } from "./node.ts";
import {
  type CommandObject,
  type CommandParameter,
  type Finding,
  objectsCollection,
  ownCollections,
  readObject,
} from "./object.ts";

/**
 * What MongoDB accepts unless it is told otherwise; only a monitoring account may ask for the real
 * number.
 */
const usualConnections = 65_536;

/** The server's name of "not authorized". */
const unauthorized = 13;

/**
 * What the database has and what the runtime account may do there, read with that account alone. An
 * account that may not yet read `beds_objects` finds nothing, which says that `beds db apply` has
 * not run. Called at boot and by `beds check`.
 */
export async function describeDatabase(ask: Ask, database: string): Promise<DatabaseDescription> {
  const info = await ask({ buildInfo: 1 });
  const status = await ask({ connectionStatus: 1, showPrivileges: true });
  const { authInfo } = status;
  const privileges = isDocument(authInfo) ? authInfo["authenticatedUserPrivileges"] : undefined;
  const types = await collectionTypes(ask);
  const objects = new Map<string, DescribedObject>();
  for (const document of await readDocuments(ask)) {
    const described = describeObject(document, database, types);
    objects.set(described.name, described);
  }
  return {
    product: "MongoDB",
    version: String(info["version"]),
    maxConnections: usualConnections,
    objects,
    grants: [...new Set(privilegesIn(privileges).map(({ word }) => word))].sort(),
    harmlessGrants: ownNeeds.map((need) => grantWord(database, need)),
    missing: await missingKeyObjects(ask, types),
  };
}

/** Whether the server has transactions: a member of a replica set, or a router of several. */
export async function hasTransactions(ask: Ask): Promise<boolean> {
  const { setName, msg } = await ask({ hello: 1 });
  return setName !== undefined || msg === "isdbgrid";
}

/**
 * All documents of `beds_objects`, or those with this name. None where the account may not read
 * them.
 */
export async function readDocuments(ask: Ask, name?: string): Promise<readonly unknown[]> {
  const filter = name === undefined ? {} : { _id: { $eq: name } };
  const most = 100_000;
  try {
    const found = await ask({ find: objectsCollection, filter, sort: { _id: 1 }, batchSize: most });
    return batchOf(found);
  } catch (thrown) {
    if (isUnauthorized(thrown)) return [];
    throw thrown;
  }
}

export type Ask = (command: JsonObject) => Promise<JsonObject>;

/**
 * Why the object cannot be used on what it names; undefined when it can. Also the workbench's rule.
 */
export function placeRefusal(object: CommandObject, type: string | undefined): string | undefined {
  if (ownCollections.has(object.on)) return `${object.on} is BEDS's own`;
  if (type === undefined) return undefined;
  if (isReading(object) && type !== "view") {
    return `${object.on} is a ${type}: a plain read goes through a view, which the DBA defines`;
  }
  if (!isReading(object) && type === "view") return `${object.on} is a view, and cannot be changed`;
  return undefined;
}

/** `command.filter.a: a slot may not stand here …`, for people. */
export function findingText({ path, reason }: Finding): string {
  return path.length === 0 ? reason : `${pathText(path)}: ${reason}`;
}

export function isFinding(read: CommandObject | Finding): read is Finding {
  return "reason" in read;
}

function describeObject(
  document: unknown,
  database: string,
  types: ReadonlyMap<string, string>,
): DescribedObject {
  const read = readObject(document);
  if (isFinding(read)) {
    const name = isDocument(document) ? String(document["_id"]) : "(no document)";
    const refusal = findingText(read);
    return { name, type: "command", parameters: [], refusal, requires: [] };
  }
  const checked = checkCommand(read);
  const findings = "object" in checked ? [] : checked.map(findingText);
  const misplaced = placeRefusal(read, types.get(read.on));
  const refusals = misplaced === undefined ? findings : [...findings, misplaced];
  return {
    name: read.name,
    type: "command",
    parameters: read.parameters.map(describeParameter),
    ...(refusals.length === 0 ? {} : { refusal: refusals.join("; ") }),
    requires: needsOf(read).map((need) => grantWord(database, need)),
  };
}

function describeParameter({ name, type, list, required }: CommandParameter): DescribedValue {
  const declared = `${list ? "list of " : ""}${type}${required ? "" : ", optional"}`;
  return { name, declared, accepts: list ? ["json"] : accepted[type] };
}

/** The field types that a parameter of each type takes without losing anything. */
const accepted: { readonly [Type in FieldType]: readonly FieldType[] } = {
  string: ["string", "enum", "uuid", "date", "time"],
  int: ["int"],
  bigint: ["bigint", "int"],
  decimal: ["decimal", "bigint", "int"],
  bool: ["bool"],
  date: ["date"],
  datetime: ["datetime"],
  time: ["time"],
  uuid: ["uuid"],
  bytes: ["bytes"],
  enum: ["enum"],
  json: ["json"],
};

/**
 * What the account can see is a view and what a collection; nothing where it may not see anything.
 */
async function collectionTypes(ask: Ask): Promise<ReadonlyMap<string, string>> {
  try {
    const listed = await ask({ listCollections: 1, nameOnly: true, authorizedCollections: true });
    return new Map(
      batchOf(listed).flatMap((entry): (readonly [string, string])[] =>
        isDocument(entry) ? [[String(entry["name"]), String(entry["type"])]] : [],
      ),
    );
  } catch (thrown) {
    if (isUnauthorized(thrown)) return new Map();
    throw thrown;
  }
}

function batchOf(reply: JsonObject): readonly unknown[] {
  const { cursor } = reply;
  const batch = isDocument(cursor) ? cursor["firstBatch"] : undefined;
  return isList(batch) ? batch : [];
}

function isUnauthorized(thrown: unknown): boolean {
  if (!(thrown instanceof BedsError) || !(thrown.cause instanceof ServerRefusal)) return false;
  return thrown.cause.number === unauthorized;
}
