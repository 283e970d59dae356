import type { CheckedCommand } from "./command-check.ts";
import type { BsonTypes } from "./driver.ts";
import { isLiteral, literalValue } from "./literal.ts";
import { isDocument, isList, type JsonObject } from "./node.ts";
import { isSlot, type PlacedSlot } from "./scan.ts";
import { encoderOf } from "./value.ts";

/**
 * The arguments of a request in the object's order → the command's arguments, ready for the server.
 */
export type Fill = (values: readonly unknown[]) => JsonObject;

/**
 * Compiles a checked command, once, into a function that fills its slots into fresh documents. What
 * has no slot in it is made once and shared. Errors of the function: BEDS-D007 for a value that
 * does not fit.
 */
export function compileCommand(checked: CheckedCommand, types: BsonTypes): Fill {
  const part = compilePart(checked.object.command, checked.slots, types);
  return (values) => {
    const filled = part.isFixed ? part.value : part.fill(values);
    if (isDocument(filled)) return filled;
    throw new TypeError("a command that is no document was compiled");
  };
}

type Part =
  | { readonly isFixed: true; readonly value: unknown }
  | { readonly isFixed: false; readonly fill: (values: readonly unknown[]) => unknown };

function compilePart(
  node: unknown,
  slots: ReadonlyMap<JsonObject, PlacedSlot>,
  types: BsonTypes,
): Part {
  if (isList(node)) return listPart(node.map((inner) => compilePart(inner, slots, types)));
  if (!isDocument(node)) return { isFixed: true, value: node };
  if (isLiteral(node)) return { isFixed: true, value: literalValue(node, types) };
  if (isSlot(node)) {
    const slot = slots.get(node);
    if (slot === undefined) throw new TypeError("a slot that no check has approved of");
    const { index, parameter, use } = slot;
    const encode = encoderOf(parameter, use, types);
    return { isFixed: false, fill: (values) => encode(values[index]) };
  }
  const keys = Object.keys(node);
  return documentPart(
    keys,
    keys.map((key) => compilePart(node[key], slots, types)),
  );
}

function listPart(parts: readonly Part[]): Part {
  if (parts.every((part) => part.isFixed)) {
    return { isFixed: true, value: parts.map((part) => part.value) };
  }
  // An element that was not sent stays as null, so that the others keep their places.
  return { isFixed: false, fill: (values) => parts.map((part) => filled(part, values) ?? null) };
}

function documentPart(keys: readonly string[], parts: readonly Part[]): Part {
  const isFixed = parts.every((part) => part.isFixed);
  const fill = (values: readonly unknown[]): unknown => {
    const document: { [key: string]: unknown } = {};
    for (let at = 0; at < keys.length; at++) {
      const key = keys[at];
      const part = parts[at];
      if (key === undefined || part === undefined) continue;
      const value = filled(part, values);
      // An argument that was not sent is left out of what is stored.
      if (value !== undefined) document[key] = value;
    }
    return document;
  };
  return isFixed ? { isFixed, value: fill([]) } : { isFixed, fill };
}

function filled(part: Part, values: readonly unknown[]): unknown {
  return part.isFixed ? part.value : part.fill(values);
}
