import { checkExpression } from "./expression-check.ts";
import { checkFilter } from "./filter-check.ts";
import { isDocument, isList, type Path } from "./node.ts";
import { type CommandScan, isSlot } from "./scan.ts";

/** Checks the pipeline of an aggregate: every stage must be one of the table below. */
export function checkPipeline(node: unknown, path: Path, scan: CommandScan): void {
  if (!isList(node)) {
    scan.refuse(path, "must be a list of stages");
    return;
  }
  node.forEach((stage, index) => {
    const place = [...path, index];
    const [entry, ...more] = isDocument(stage) ? Object.entries(stage) : [];
    if (entry === undefined || more.length > 0) {
      scan.refuse(place, "a stage is a document with one key");
      return;
    }
    const [key, body] = entry;
    const check = stages.get(key);
    if (check === undefined) scan.refuse([...place, key], `the stage ${key} is not allowed`);
    else check(body, [...place, key], scan);
  });
}

/** Checks a limit or skip: an integer or the slot of one. */
export function checkCount(
  node: unknown,
  path: Path,
  scan: CommandScan,
  use: "count" | "offset",
): void {
  if (scan.slot(node, path, use)) return;
  const least = use === "count" ? 1 : 0;
  if (typeof node !== "number" || !Number.isSafeInteger(node) || node < least) {
    scan.refuse(path, `must be an integer of at least ${least}`);
  }
}

/** Checks an order: fields and directions, both the DBA's. */
export function checkSort(node: unknown, path: Path, scan: CommandScan): void {
  if (!isDocument(node) || isSlot(node)) {
    scan.refuse(path, "must be a document of fields and directions");
    return;
  }
  for (const [key, direction] of Object.entries(node)) {
    const right = !key.startsWith("$") && (direction === 1 || direction === -1);
    if (!right) scan.refuse([...path, key], "a direction is 1 or -1");
  }
}

type StageCheck = (body: unknown, path: Path, scan: CommandScan) => void;

const stages: ReadonlyMap<string, StageCheck> = new Map<string, StageCheck>([
  ["$match", checkFilter],
  ["$project", checkFields],
  ["$addFields", checkFields],
  ["$set", checkFields],
  ["$group", checkFields],
  ["$sort", checkSort],
  ["$limit", (body, path, scan) => checkCount(body, path, scan, "count")],
  ["$skip", (body, path, scan) => checkCount(body, path, scan, "offset")],
  ["$count", checkText],
  ["$sortByCount", (body, path, scan) => checkExpression(body, path, scan)],
  ["$unwind", (body, path, scan) => scan.constant(body, path)],
  ["$unset", (body, path, scan) => scan.constant(body, path)],
]);

/** Fields and the expressions that make them. */
function checkFields(body: unknown, path: Path, scan: CommandScan): void {
  if (!isDocument(body) || isSlot(body)) {
    scan.refuse(path, "must be a document of fields");
    return;
  }
  for (const [key, inner] of Object.entries(body)) {
    const place = [...path, key];
    if (key.startsWith("$")) scan.refuse(place, `${key} cannot be the name of a field`);
    else checkExpression(inner, place, scan);
  }
}

function checkText(body: unknown, path: Path, scan: CommandScan): void {
  if (typeof body !== "string" || body.startsWith("$")) scan.refuse(path, "must be a field's name");
}
