import type { SourceLocation } from "./errors.ts";

/**
 * `rec`: records in MongoDB. `rel`: relations in MariaDB/MySQL. `none`: served by a broker's own
 * handler.
 */
export type DatabaseClass = "rec" | "rel" | "none";

export const fieldTypes = [
  "string",
  "int",
  "bigint",
  "decimal",
  "bool",
  "date",
  "datetime",
  "time",
  "uuid",
  "bytes",
  "enum",
  "json",
] as const;
export type FieldType = (typeof fieldTypes)[number];

export const operationKinds = ["create", "fetch", "update", "delete", "call"] as const;
export type OperationKind = (typeof operationKinds)[number];

/**
 * What the named object is in its database. `command` is MongoDB's, a document of `beds_objects`.
 */
export type ObjectType = "procedure" | "function" | "view" | "command" | "handler";

/** What a value must be. Limits that do not fit the type are refused when the template is read. */
export interface ValueRule {
  readonly type: FieldType;
  readonly required: boolean;
  /** Characters of a string, bytes of `bytes` once decoded. */
  readonly minLength?: number;
  readonly maxLength?: number;
  /** Bounds of `int`; `bigint` and `decimal` compare exactly, so theirs are strings. */
  readonly min?: number | string;
  readonly max?: number | string;
  /** All digits and digits behind the point of a `decimal`. */
  readonly precision?: number;
  readonly scale?: number;
  /** The allowed values of an `enum`. */
  readonly values?: readonly string[];
  /** Sensitive values never reach a log, an audit record or a trace. */
  readonly sensitive: boolean;
  readonly description: string;
}

export interface Field extends ValueRule {
  /** The name that arguments use. */
  readonly name: string;
  /** The stored name, which rows use: `<tla>_<name>` unless the template says otherwise. */
  readonly column: string;
}

/** A parameter of a named object, in the object's own order. */
export interface Parameter extends ValueRule {
  readonly name: string;
  /** The stored name of the field that the parameter stands for; its own name otherwise. */
  readonly column: string;
}

export interface ResultShape {
  /** `one`: one row or BEDS-D404 · `many`: a list · `none`: the object returns no rows. */
  readonly shape: "one" | "many" | "none";
  /** More rows than this are an error; no object can flood a node. */
  readonly rowCap: number;
}

/** One operation of a template: plain frozen data, without any knowledge of SQL or BSON. */
export interface Operation {
  readonly name: string;
  readonly kind: OperationKind;
  readonly object: string;
  readonly objectType: ObjectType;
  readonly parameters: readonly Parameter[];
  readonly result: ResultShape;
  /** Columns to order a view by; a leading `-` means descending. */
  readonly orderBy: readonly string[];
  /** Milliseconds that the statement may take on the server. */
  readonly timeoutMs: number;
  /**
   * `key`: a mutation takes effect once for its key, its answer is stored beside it · `off`: it is
   * not keyed.
   */
  readonly idempotency: "key" | "off";
  /** Roles that may call it. Empty: nobody (default-deny). */
  readonly roles: readonly string[];
  readonly description: string;
  readonly where: SourceLocation;
}

/** One data domain: what one file of `templates/` says, checked and frozen. */
export interface Template {
  readonly name: string;
  /** The three-letter acronym that prefixes stored fields and objects. */
  readonly tla: string;
  readonly class: DatabaseClass;
  /** The name of a `[databases.<name>]` section; empty for class `none`. */
  readonly database: string;
  readonly service: string;
  /**
   * The brokers for operations that read and that write; the service's usual ones unless the
   * template says so.
   */
  readonly readBroker: string;
  readonly writeBroker: string;
  readonly fields: readonly Field[];
  readonly operations: ReadonlyMap<string, Operation>;
  readonly description: string;
  readonly where: SourceLocation;
}

/** The database's name of `Template.op`, as people say it: `Users.fetch_by_email`. */
export function operationName(template: Template, operation: Operation): string {
  return `${template.name}.${operation.name}`;
}

/** Reads change nothing, so they may be asked again; everything else is a mutation. */
export function isRead(kind: OperationKind): boolean {
  return kind === "fetch";
}
