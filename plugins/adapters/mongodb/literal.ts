import type { BsonTypes } from "./driver.ts";
import { isDocument, isList, type JsonObject } from "./node.ts";

/**
 * The constants that JSON has no words for, written as MongoDB's Extended JSON writes them:
 * `{"$date": "…Z"}`, `{"$oid": "…"}`, `{"$numberLong": "…"}`, `{"$numberDecimal": "…"}`, `{"$uuid":
 * "…"}`. Nothing else of Extended JSON is read, JavaScript least of all.
 */
export function isLiteral(node: unknown): node is JsonObject {
  if (!isDocument(node)) return false;
  const [entry, ...more] = Object.entries(node);
  if (entry === undefined || more.length > 0) return false;
  const [key, text] = entry;
  return typeof text === "string" && patterns.get(key)?.test(text) === true;
}

/** The node with its constants made into BSON values; what has none comes back as an equal copy. */
export function withLiterals(node: unknown, types: BsonTypes): unknown {
  if (isList(node)) return node.map((inner) => withLiterals(inner, types));
  if (!isDocument(node)) return node;
  if (isLiteral(node)) return literalValue(node, types);
  return Object.fromEntries(
    Object.entries(node).map(([key, inner]) => [key, withLiterals(inner, types)]),
  );
}

/** The value of one constant; only for what `isLiteral` said yes to. */
export function literalValue(node: JsonObject, types: BsonTypes): unknown {
  const [key = "", value] = Object.entries(node)[0] ?? [];
  const text = String(value);
  if (key === "$date") return new Date(text);
  if (key === "$oid") return new types.ObjectId(text);
  if (key === "$numberLong") return BigInt(text);
  if (key === "$numberDecimal") return types.Decimal128.fromString(text);
  return new types.UUID(text);
}

const patterns: ReadonlyMap<string, RegExp> = new Map([
  ["$date", /^\d{4}-(?:0[1-9]|1[0-2])-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\d(?:\.\d{1,3})?Z$/],
  ["$oid", /^[0-9a-f]{24}$/],
  ["$numberLong", /^-?\d{1,18}$/],
  ["$numberDecimal", /^-?\d{1,20}(?:\.\d{1,14})?$/],
  ["$uuid", /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/],
]);
