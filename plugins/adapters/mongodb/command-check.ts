import { checkFilter } from "./filter-check.ts";
import { isDocument, isList, type JsonObject, type Path } from "./node.ts";
import type { CommandKind, CommandObject, Finding } from "./object.ts";
import { checkCount, checkPipeline, checkSort } from "./pipeline-check.ts";
import { CommandScan, isSlot, type PlacedSlot } from "./scan.ts";
import { checkInserted, checkUpdate } from "./write-check.ts";

/** A command whose every part is on the allow-list, with the slots that may be filled. */
export interface CheckedCommand {
  readonly object: CommandObject;
  readonly slots: ReadonlyMap<JsonObject, PlacedSlot>;
}

/**
 * Checks a command against the allow-list. Out: the checked command, or everything that is wrong
 * with it. Called by the workbench before an object is applied, and for each worker at boot.
 */
export function checkCommand(object: CommandObject): CheckedCommand | readonly Finding[] {
  const scan = new CommandScan(object);
  checks[object.kind](object.command, ["command"], scan);
  scan.sweep();
  return scan.findings.length > 0 ? scan.findings : { object, slots: scan.slots };
}

type CommandCheck = (command: JsonObject, path: Path, scan: CommandScan) => void;

const checks: { readonly [Kind in CommandKind]: CommandCheck } = {
  find(command, path, scan) {
    const parts = new Set(["filter", "projection", "sort", "skip", "limit", "collation"]);
    scan.keys(command, parts, path, "a find");
    const { filter, projection, sort, skip, limit, collation } = command;
    if (filter !== undefined) checkFilter(filter, [...path, "filter"], scan);
    if (projection !== undefined) checkProjection(projection, [...path, "projection"], scan);
    if (sort !== undefined) checkSort(sort, [...path, "sort"], scan);
    if (skip !== undefined) checkCount(skip, [...path, "skip"], scan, "offset");
    if (limit !== undefined) checkCount(limit, [...path, "limit"], scan, "count");
    scan.constant(collation ?? null, [...path, "collation"]);
  },
  aggregate(command, path, scan) {
    scan.keys(command, new Set(["pipeline", "collation", "allowDiskUse"]), path, "an aggregate");
    checkPipeline(command["pipeline"], [...path, "pipeline"], scan);
    scan.constant(command["collation"] ?? null, [...path, "collation"]);
    checkFlag(command, "allowDiskUse", path, scan);
  },
  insert(command, path, scan) {
    scan.keys(command, new Set(["documents", "ordered"]), path, "an insert");
    eachOf(command, "documents", path, scan, checkInserted);
    checkFlag(command, "ordered", path, scan);
  },
  update(command, path, scan) {
    scan.keys(command, new Set(["updates", "ordered"]), path, "an update");
    eachOf(command, "updates", path, scan, checkUpdateStatement);
    checkFlag(command, "ordered", path, scan);
  },
  delete(command, path, scan) {
    scan.keys(command, new Set(["deletes", "ordered"]), path, "a delete");
    eachOf(command, "deletes", path, scan, checkDeleteStatement);
    checkFlag(command, "ordered", path, scan);
  },
  findAndModify: checkFindAndModify,
};

const updateParts = new Set(["q", "u", "multi", "upsert", "arrayFilters", "collation"]);

function checkUpdateStatement(node: unknown, path: Path, scan: CommandScan): void {
  if (!isStatement(node, path, scan)) return;
  scan.keys(node, updateParts, path, "an update");
  checkFilter(node["q"], [...path, "q"], scan);
  checkUpdate(node["u"], [...path, "u"], scan);
  checkFlag(node, "multi", path, scan);
  checkFlag(node, "upsert", path, scan);
  checkArrayFilters(node["arrayFilters"], [...path, "arrayFilters"], scan);
  scan.constant(node["collation"] ?? null, [...path, "collation"]);
}

function checkDeleteStatement(node: unknown, path: Path, scan: CommandScan): void {
  if (!isStatement(node, path, scan)) return;
  scan.keys(node, new Set(["q", "limit", "collation"]), path, "a delete");
  checkFilter(node["q"], [...path, "q"], scan);
  const { limit } = node;
  if (limit !== 0 && limit !== 1) {
    scan.refuse([...path, "limit"], "must be 1 for one document or 0 for all that match");
  }
  scan.constant(node["collation"] ?? null, [...path, "collation"]);
}

const modifyParts = new Set([
  ...["query", "update", "remove", "new", "upsert", "sort", "fields", "arrayFilters", "collation"],
]);

function checkFindAndModify(command: JsonObject, path: Path, scan: CommandScan): void {
  scan.keys(command, modifyParts, path, "a findAndModify");
  checkFilter(command["query"], [...path, "query"], scan);
  const { update, remove, sort, fields, upsert, collation } = command;
  if (remove !== true) checkUpdate(update, [...path, "update"], scan);
  else if (update !== undefined) scan.refuse([...path, "update"], "cannot stand beside remove");
  for (const flag of ["remove", "new", "upsert"]) checkFlag(command, flag, path, scan);
  if (upsert === true && command["new"] !== true) {
    // Otherwise an insert would look like a record that does not exist.
    scan.refuse([...path, "upsert"], "needs new: true, so that there is a document to return");
  }
  if (sort !== undefined) checkSort(sort, [...path, "sort"], scan);
  if (fields !== undefined) checkProjection(fields, [...path, "fields"], scan);
  checkArrayFilters(command["arrayFilters"], [...path, "arrayFilters"], scan);
  scan.constant(collation ?? null, [...path, "collation"]);
}

function isStatement(node: unknown, path: Path, scan: CommandScan): node is JsonObject {
  if (isDocument(node) && !isSlot(node)) return true;
  scan.refuse(path, "must be a document");
  return false;
}

function eachOf(
  command: JsonObject,
  key: string,
  path: Path,
  scan: CommandScan,
  check: (node: unknown, path: Path, scan: CommandScan) => void,
): void {
  const place = [...path, key];
  const list = command[key];
  if (!isList(list) || list.length === 0) {
    scan.refuse(place, "must be a list with at least one document");
    return;
  }
  list.forEach((node, index) => check(node, [...place, index], scan));
}

function checkArrayFilters(node: unknown, path: Path, scan: CommandScan): void {
  if (node === undefined) return;
  if (!isList(node)) scan.refuse(path, "must be a list of filters");
  else node.forEach((inner, index) => checkFilter(inner, [...path, index], scan));
}

function checkFlag(node: JsonObject, key: string, path: Path, scan: CommandScan): void {
  const flag = node[key];
  if (flag !== undefined && typeof flag !== "boolean") {
    scan.refuse([...path, key], "must be true or false");
  }
}

/** Fields that are shown or hidden; a projection that computes is a pipeline's business. */
function checkProjection(node: unknown, path: Path, scan: CommandScan): void {
  if (!isDocument(node) || isSlot(node)) {
    scan.refuse(path, "must be a document of fields");
    return;
  }
  for (const [key, shown] of Object.entries(node)) {
    const right = shown === 0 || shown === 1 || typeof shown === "boolean";
    if (key.startsWith("$") || !right)
      scan.refuse([...path, key], "a field is shown (1) or not (0)");
  }
}
