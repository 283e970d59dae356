import * as v from "valibot";

/**
 * What a schema says, in a form that can be walked: for findings that name the expected value, for
 * suggestions of keys and for reference pages.
 */
export interface SchemaNode {
  /**
   * `table`: fixed keys in `entries` · `named`: any keys, each like `each` · `free`: a table that
   * something else checks · `value`: everything else; a list has its elements' node in `each`.
   */
  readonly shape: "table" | "named" | "free" | "value";
  /** A noun phrase: `an integer from 1 to 64`. */
  readonly expected: string;
  readonly description: string;
  readonly required: boolean;
  /** What stands for an absent value; undefined when nothing does. */
  readonly fallback: unknown;
  readonly entries: ReadonlyMap<string, SchemaNode>;
  readonly each: SchemaNode | undefined;
}

/**
 * Reads a schema of TOML values: strict objects, records, arrays, texts, numbers, booleans,
 * picklists.
 */
export function readSchema(schema: v.GenericSchema): SchemaNode {
  let inner = schema;
  let required = true;
  let fallback: unknown;
  for (let wrapped = childOf(inner, "wrapped"); wrapped !== undefined;) {
    required = false;
    fallback = fallback ?? v.getDefaults(inner);
    inner = wrapped;
    wrapped = childOf(inner, "wrapped");
  }
  const each = childOf(inner, "value") ?? childOf(inner, "item");
  const shape = shapeOf(inner, each);
  const entries = shape === "table" && "entries" in inner ? schemasOf(inner.entries) : [];
  return {
    shape,
    expected: expectedBy(inner),
    description: v.getDescription(inner) ?? "",
    required,
    fallback,
    entries: new Map(entries.map(([key, entry]) => [key, readSchema(entry)])),
    each: each === undefined ? undefined : readSchema(each),
  };
}

/**
 * The node that `path` leads to; undefined where the schema has none. Chosen names and indexes lead
 * to `each`.
 */
export function nodeAt(
  root: SchemaNode,
  path: readonly (string | number)[],
): SchemaNode | undefined {
  let node: SchemaNode | undefined = root;
  for (const key of path) {
    if (node?.shape === "table") node = node.entries.get(String(key));
    else node = node?.each;
  }
  return node;
}

function shapeOf(schema: v.GenericSchema, each: v.GenericSchema | undefined): SchemaNode["shape"] {
  if (schema.type === "strict_object") return "table";
  if (schema.type !== "record") return "value";
  return each?.type === "unknown" ? "free" : "named";
}

/** A schema that is kept as a property of another one. */
function childOf(
  schema: v.GenericSchema,
  property: "wrapped" | "value" | "item",
): v.GenericSchema | undefined {
  const child: unknown = Object.entries(schema).find(([name]) => name === property)?.[1];
  return isSchema(child) ? child : undefined;
}

function schemasOf(entries: unknown): [string, v.GenericSchema][] {
  if (typeof entries !== "object" || entries === null) return [];
  return Object.entries(entries).flatMap(([key, entry]) => (isSchema(entry) ? [[key, entry]] : []));
}

function isSchema(value: unknown): value is v.GenericSchema {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "schema";
}

function expectedBy(schema: v.GenericSchema): string {
  const said = v.getMetadata(schema)["expected"];
  if (typeof said === "string") return said;
  if (schema.type === "array") return `a list of ${plural(childOf(schema, "item"))}`;
  if (schema.type === "picklist" && "options" in schema && Array.isArray(schema.options)) {
    return schema.options.map((word) => JSON.stringify(word)).join(" or ");
  }
  if (schema.type === "literal" && "literal" in schema) return JSON.stringify(schema.literal);
  const rules = rulesOf(schema);
  if (schema.type === "number") return expectedNumber(rules);
  if (schema.type === "string")
    return rules.has("non_empty") ? "a text that is not empty" : "a text";
  return nouns[schema.type] ?? schema.type;
}

const nouns: Readonly<Record<string, string>> = {
  boolean: "true or false",
  strict_object: "a table",
  record: "a table",
  unknown: "any value",
};

function plural(item: v.GenericSchema | undefined): string {
  return item?.type === "string" ? "texts" : "values";
}

function expectedNumber(rules: ReadonlyMap<string, unknown>): string {
  const noun = rules.has("integer") ? "an integer" : "a number";
  const min = rules.get("min_value");
  const max = rules.get("max_value");
  if (min !== undefined && max !== undefined) return `${noun} from ${min} to ${max}`;
  if (min !== undefined) return `${noun} of at least ${min}`;
  return max === undefined ? noun : `${noun} of at most ${max}`;
}

/** The validations of a pipe with what they require: `min_value` → 1. */
function rulesOf(schema: v.GenericSchema): ReadonlyMap<string, unknown> {
  const rules = new Map<string, unknown>();
  if (!("pipe" in schema) || !Array.isArray(schema.pipe)) return rules;
  for (const item of schema.pipe) {
    if (item.kind === "validation") rules.set(item.type, item.requirement);
  }
  return rules;
}
