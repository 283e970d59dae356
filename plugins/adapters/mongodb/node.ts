/** A document as JSON has it: what a slot, a stage or an operator is written in. */
export type JsonObject = { readonly [key: string]: unknown };

/** From the top of an object's document to a part of it. */
export type Path = readonly (string | number)[];

/** Whether a value is a plain document, so neither a list nor a BSON type such as a date. */
export function isDocument(node: unknown): node is JsonObject {
  if (typeof node !== "object" || node === null || Array.isArray(node)) return false;
  const prototype: unknown = Object.getPrototypeOf(node);
  return prototype === Object.prototype || prototype === null;
}

export function isList(node: unknown): node is readonly unknown[] {
  return Array.isArray(node);
}

/** `command.filter.usr_email`, for people. */
export function pathText(path: Path): string {
  return path.join(".");
}
