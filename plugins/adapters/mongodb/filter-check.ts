import { comparisons, fixedConditions, junctions, memberships } from "./allow-list.ts";
import { checkExpression } from "./expression-check.ts";
import { isLiteral } from "./literal.ts";
import { isDocument, isList, type JsonObject, type Path } from "./node.ts";
import { type CommandScan, isSlot } from "./scan.ts";

/** Checks a filter: the query of a find, an update or a delete, or a `$match`. */
export function checkFilter(node: unknown, path: Path, scan: CommandScan): void {
  if (!isDocument(node) || isSlot(node)) {
    scan.refuse(path, "a filter must be a document that the object itself writes out");
    return;
  }
  for (const [key, inner] of Object.entries(node)) {
    const place = [...path, key];
    if (junctions.has(key)) checkJunction(inner, place, scan);
    else if (key === "$expr") checkExpression(inner, place, scan, "fixed");
    else if (key.startsWith("$")) scan.refuse(place, `${key} is not allowed in a filter`);
    else checkCondition(inner, place, scan);
  }
}

/**
 * Checks `{ $gte: …, $lt: … }`. Also used for `$pull`, whose value is a condition on the elements.
 */
export function checkOperators(node: JsonObject, path: Path, scan: CommandScan): void {
  for (const [key, inner] of Object.entries(node)) {
    const place = [...path, key];
    if (comparisons.has(key)) scan.value(inner, place, "operand");
    else if (memberships.has(key)) checkMembership(inner, place, scan);
    else if (fixedConditions.has(key)) scan.constant(inner, place);
    else if (key === "$not" && hasOperators(inner)) checkOperators(inner, place, scan);
    else if (key === "$elemMatch") checkElement(inner, place, scan);
    else scan.refuse(place, `${key} is not allowed in a condition`);
  }
}

/** Whether the server reads the keys of this document as operators. */
export function hasOperators(node: unknown): node is JsonObject {
  if (!isDocument(node) || isLiteral(node) || isSlot(node)) return false;
  return Object.keys(node).some((key) => key.startsWith("$"));
}

function checkJunction(node: unknown, path: Path, scan: CommandScan): void {
  if (!isList(node) || node.length === 0) {
    scan.refuse(path, "must be a list of filters");
    return;
  }
  node.forEach((inner, index) => checkFilter(inner, [...path, index], scan));
}

/** What stands behind a field's name: operators, or a value that the DBA wrote. */
function checkCondition(node: unknown, path: Path, scan: CommandScan): void {
  if (scan.slot(node, path, "operand")) {
    scan.refuse(path, 'write { "$eq": { "$param": … } }: a bare value may be read as an operator');
  } else if (hasOperators(node)) {
    checkOperators(node, path, scan);
  } else {
    scan.constant(node, path);
  }
}

function checkMembership(node: unknown, path: Path, scan: CommandScan): void {
  if (scan.slot(node, path, "elements")) return;
  if (!isList(node)) {
    scan.refuse(path, "must be a list, or the slot of a list");
    return;
  }
  node.forEach((inner, index) => scan.value(inner, [...path, index], "operand"));
}

function checkElement(node: unknown, path: Path, scan: CommandScan): void {
  if (hasOperators(node) && Object.keys(node).every((key) => !junctions.has(key))) {
    checkOperators(node, path, scan);
  } else {
    checkFilter(node, path, scan);
  }
}
