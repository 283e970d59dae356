import { isDocument, isList, type JsonObject } from "./node.ts";
import { type CommandObject, keysCollection, objectsCollection } from "./object.ts";

/** One thing that the runtime account must be allowed to do. */
export interface Need {
  /** MongoDB's word for it: `find`, `insert`, `update`, `remove`. */
  readonly action: string;
  readonly collection: string;
}

/** `find ON docs.exc_active_v`: one privilege as descriptions and reports write it. */
export function grantWord(database: string, { action, collection }: Need): string {
  return `${action} ON ${database}.${collection}`;
}

/**
 * What every runtime account does beside its operations: it reads the objects themselves, and finds
 * and stores keys, of which it can neither change nor remove one. No data can be reached that way.
 */
export const ownNeeds: readonly Need[] = [
  { action: "find", collection: objectsCollection },
  { action: "find", collection: keysCollection },
  { action: "insert", collection: keysCollection },
];

/**
 * What an object needs. MongoDB cannot grant one command: the account may then do all of its kind.
 */
export function needsOf({ kind, on, command }: CommandObject): readonly Need[] {
  return actionsOf(kind, command).map((action) => ({ action, collection: on }));
}

/** One action on one resource, as MongoDB reports it. */
export interface Privilege {
  readonly word: string;
  readonly action: string;
  readonly resource: JsonObject;
}

/** The privileges of a role or of the account, action by action. */
export function privilegesIn(reported: unknown): readonly Privilege[] {
  if (!isList(reported)) return [];
  return reported.flatMap((privilege) => {
    if (!isDocument(privilege)) return [];
    const { resource, actions } = privilege;
    if (!isDocument(resource) || !isList(actions)) return [];
    return actions.map((action) => ({
      word: `${String(action)} ON ${resourceWord(resource)}`,
      action: String(action),
      resource,
    }));
  });
}

function actionsOf(kind: CommandObject["kind"], command: JsonObject): readonly string[] {
  switch (kind) {
    case "find":
    case "aggregate":
      return ["find"];
    case "insert":
      return ["insert"];
    case "delete":
      return ["remove"];
    case "update": {
      const { updates } = command;
      const inserts = isList(updates) && updates.some(isUpsert);
      return inserts ? ["update", "insert"] : ["update"];
    }
    case "findAndModify": {
      if (command["remove"] === true) return ["find", "remove"];
      return isUpsert(command) ? ["find", "update", "insert"] : ["find", "update"];
    }
  }
}

function isUpsert(statement: unknown): boolean {
  return isDocument(statement) && statement["upsert"] === true;
}

function resourceWord(resource: JsonObject): string {
  const { db, collection } = resource;
  if (typeof db === "string" && typeof collection === "string") {
    return `${db === "" ? "*" : db}.${collection === "" ? "*" : collection}`;
  }
  if (resource["cluster"] === true) return "CLUSTER";
  return resource["anyResource"] === true ? "ANY RESOURCE" : JSON.stringify(resource);
}
