import { expressionOperators } from "./allow-list.ts";
import { isLiteral } from "./literal.ts";
import { isDocument, isList, type Path } from "./node.ts";
import { type CommandScan, isSlot } from "./scan.ts";

/**
 * Checks an aggregation expression. A text may be a path (`$usr_name`) or a variable (`$$NOW`): the
 * DBA wrote it. A slot stands inside `$literal` or, where `slots` is `fixed`, nowhere; `$expr`
 * cannot use an index, so that a slot in it is a mistake.
 */
export function checkExpression(
  node: unknown,
  path: Path,
  scan: CommandScan,
  slots: "literal" | "fixed" = "literal",
): void {
  if (isList(node)) {
    node.forEach((inner, index) => checkExpression(inner, [...path, index], scan, slots));
    return;
  }
  if (!isDocument(node)) {
    scan.constant(node, path);
    return;
  }
  if (isLiteral(node) || isSlot(node)) return;
  const keys = Object.keys(node);
  if (keys.length > 1 && keys.some((key) => key.startsWith("$"))) {
    scan.refuse(path, "an expression has one operator and nothing beside it");
    return;
  }
  for (const [key, inner] of Object.entries(node)) {
    const place = [...path, key];
    if (key === "$literal") {
      if (slots === "literal") scan.value(inner, place, "literal");
      else scan.constant(inner, place);
    } else if (key.startsWith("$") && !expressionOperators.has(key)) {
      scan.refuse(place, `${key} is not allowed in an expression`);
    } else {
      checkExpression(inner, place, scan, slots);
    }
  }
}
