import {
  countingOperators,
  fixedOperators,
  listOperators,
  storingOperators,
} from "./allow-list.ts";
import { checkFilter, checkOperators, hasOperators } from "./filter-check.ts";
import { isLiteral } from "./literal.ts";
import { isDocument, isList, type JsonObject, type Path } from "./node.ts";
import { type CommandScan, isSlot } from "./scan.ts";

/**
 * Checks a document that is inserted: any of its values may be a slot, the document itself may not.
 */
export function checkInserted(node: unknown, path: Path, scan: CommandScan): void {
  if (!isDocument(node) || isSlot(node)) {
    scan.refuse(path, "must be a document that the object itself writes out");
    return;
  }
  checkStored(node, path, scan);
}

/**
 * Checks an update: classic operators alone. Neither a pipeline, which evaluates what it is given,
 * nor a replacement, which an update without any operator would be.
 */
export function checkUpdate(node: unknown, path: Path, scan: CommandScan): void {
  if (!isDocument(node) || isSlot(node) || Object.keys(node).length === 0) {
    scan.refuse(path, "must be a document of update operators such as $set");
    return;
  }
  for (const [operator, fields] of Object.entries(node)) {
    const place = [...path, operator];
    if (!known(operator)) {
      scan.refuse(place, `${operator} is not allowed in an update`);
      continue;
    }
    if (!isDocument(fields) || isSlot(fields)) {
      scan.refuse(place, "must be a document of fields");
      continue;
    }
    for (const [field, inner] of Object.entries(fields)) {
      const spot = [...place, field];
      if (field.startsWith("$")) scan.refuse(spot, `${field} cannot be the name of a field`);
      else checkOperand(operator, inner, spot, scan);
    }
  }
}

function known(operator: string): boolean {
  const lists = [storingOperators, countingOperators, listOperators, fixedOperators];
  return operator === "$pull" || lists.some((list) => list.has(operator));
}

function checkOperand(operator: string, node: unknown, path: Path, scan: CommandScan): void {
  if (storingOperators.has(operator)) checkStored(node, path, scan);
  else if (countingOperators.has(operator)) scan.value(node, path, "number");
  else if (listOperators.has(operator)) checkAdded(node, path, scan);
  else if (operator === "$pull") checkPulled(node, path, scan);
  else checkFixed(operator, node, path, scan);
}

/** What is kept as it is: a value, a slot, or a document or list of them. */
function checkStored(node: unknown, path: Path, scan: CommandScan): void {
  if (scan.slot(node, path, "stored")) return;
  if (isList(node)) {
    node.forEach((inner, index) => checkStored(inner, [...path, index], scan));
  } else if (isDocument(node) && !isLiteral(node)) {
    for (const [key, inner] of Object.entries(node)) {
      if (key.startsWith("$")) scan.refuse([...path, key], `${key} cannot be stored`);
      else checkStored(inner, [...path, key], scan);
    }
  } else {
    scan.constant(node, path);
  }
}

const modifiers: ReadonlySet<string> = new Set(["$each", "$slice", "$position", "$sort"]);

/** `$push` and `$addToSet`: one element, or `$each` of several. */
function checkAdded(node: unknown, path: Path, scan: CommandScan): void {
  if (!hasOperators(node)) {
    checkStored(node, path, scan);
    return;
  }
  scan.keys(node, modifiers, path, "$push");
  const { $each: each, ...others } = node;
  const place = [...path, "$each"];
  if (isList(each)) checkStored(each, place, scan);
  else if (!scan.slot(each, place, "elements")) scan.refuse(place, "must be a list");
  for (const [key, inner] of Object.entries(others)) scan.constant(inner, [...path, key]);
}

/** `$pull` reads a bare value as a condition, so that a slot needs a comparison around it. */
function checkPulled(node: unknown, path: Path, scan: CommandScan): void {
  if (hasOperators(node)) checkOperators(node, path, scan);
  else if (isDocument(node) && !isLiteral(node)) checkFilter(node, path, scan);
  else scan.constant(node, path);
}

function checkFixed(operator: string, node: unknown, path: Path, scan: CommandScan): void {
  if (operator !== "$currentDate") {
    scan.constant(node, path);
    return;
  }
  const isDate = node === true || (isDocument(node) && isDateType(node));
  if (!isDate) scan.refuse(path, 'must be true or { "$type": "date" }');
}

function isDateType(node: JsonObject): boolean {
  return Object.keys(node).length === 1 && node["$type"] === "date";
}
