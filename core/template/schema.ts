import * as v from "valibot";
import { type DatabaseClass, fieldTypes, operationKinds } from "../contract/template.ts";

const classes = ["rel", "rec", "none"] as const satisfies readonly DatabaseClass[];
const objectTypes = ["procedure", "function", "view", "command", "handler"] as const;

const flag = v.boolean();
const bound = v.union([v.number(), v.string()]);

function integer(least: number, most: number) {
  const message = `must be an integer from ${least} to ${most}`;
  return v.pipe(
    v.number(),
    v.integer(message),
    v.minValue(least, message),
    v.maxValue(most, message),
  );
}

function text(pattern: RegExp, message: string) {
  return v.pipe(v.string(), v.regex(pattern, message));
}

function described<const Schema extends v.GenericSchema>(schema: Schema, description: string) {
  return v.pipe(schema, v.description(description));
}

const lowerName = text(
  /^[a-z][a-z0-9_]{0,63}$/,
  "must be a lower-case letter and up to 63 lower-case letters, digits and _",
);
const storedName = text(
  /^[A-Za-z_][A-Za-z0-9_]{0,63}$/,
  "must be a letter or _ and up to 63 letters, digits and _",
);
const plainName = text(
  /^[A-Za-z][A-Za-z0-9_-]{0,63}$/,
  "must be a letter and up to 63 letters, digits, _ and -",
);
const longestBytes = 2 ** 30;

/** What a value must be; the same keys for a field and for a parameter of an operation's own. */
const ruleEntries = {
  type: described(
    v.picklist(fieldTypes),
    "string, int (53 bits), bigint and decimal (strings on the wire), bool, date, datetime " +
      "(UTC), time, uuid, bytes (base64 on the wire), enum, json",
  ),
  min_length: v.optional(
    described(integer(0, longestBytes), "Least characters of a string, least bytes of bytes."),
  ),
  max_length: v.optional(
    described(
      integer(0, longestBytes),
      "Most characters of a string or of a json as it is written, most bytes of bytes.",
    ),
  ),
  min: v.optional(
    described(bound, "Least value: an integer for int, a string for bigint and decimal."),
  ),
  max: v.optional(
    described(bound, "Largest value: an integer for int, a string for bigint and decimal."),
  ),
  precision: v.optional(described(integer(1, 65), "All digits of a decimal.")),
  scale: v.optional(described(integer(0, 30), "Digits behind the point of a decimal.")),
  values: v.optional(
    described(
      v.pipe(
        v.array(v.pipe(v.string(), v.nonEmpty("must not be empty"))),
        v.minLength(1, "must name at least one value"),
      ),
      "The values of an enum.",
    ),
  ),
  sensitive: v.optional(
    described(flag, "The value never reaches a log, an audit record or a trace."),
    false,
  ),
  description: v.optional(described(v.string(), "For people and for generated pages."), ""),
};

/** `[fields.<name>]` */
export const fieldSchema = v.strictObject({
  ...ruleEntries,
  required: v.optional(described(flag, "Whether a record cannot be without it."), false),
  column: v.optional(described(storedName, "The stored name. Default: `<tla>_<name>`.")),
});

/** An element of `params` that stands for a field and says more than its name. */
export const fieldParameterSchema = v.strictObject({
  field: described(v.string(), "The field whose rule applies."),
  required: v.optional(described(flag, "Whether a request must have it."), true),
});

/** An element of `params` with a type of its own. */
export const ownParameterSchema = v.strictObject({
  name: described(lowerName, "What requests call it."),
  ...ruleEntries,
  required: v.optional(described(flag, "Whether a request must have it."), true),
});

const parameterSchema = v.lazy((input) => {
  if (typeof input === "string") return v.string();
  const isField = typeof input === "object" && input !== null && "field" in input;
  return isField ? fieldParameterSchema : ownParameterSchema;
});

/** `[operations.<name>]` */
export const operationSchema = v.strictObject({
  kind: described(
    v.picklist(operationKinds),
    "create, fetch, update, delete, or call for everything else.",
  ),
  object: v.optional(described(storedName, "The named object. Default: `<tla>_<operation>`.")),
  object_type: v.optional(
    described(
      v.picklist(objectTypes),
      "rel: procedure (default), function or view; rec: command; none: handler.",
    ),
  ),
  params: v.optional(
    described(
      v.array(parameterSchema),
      "In the object's own order: names of fields, { field, required }, or { name, type, … }.",
    ),
    [],
  ),
  result: v.optional(
    described(
      v.picklist(["one", "many", "none"]),
      "one row or BEDS-D404, many rows, or none. Default: many for fetch, none for all others.",
    ),
  ),
  row_cap: v.optional(
    described(integer(1, 10_000), "More rows than this are the error BEDS-D010."),
    1000,
  ),
  order_by: v.optional(
    described(v.array(v.string()), "Views only: fields to order by, - for descending."),
    [],
  ),
  timeout_ms: v.optional(
    described(integer(1, 60_000), "Milliseconds after which the server must have stopped it."),
    5000,
  ),
  idempotency: v.optional(
    described(
      v.picklist(["key", "off"]),
      "Mutations only. `key`: it takes effect once for its key, and its answer is kept; `off`: not.",
    ),
  ),
  roles: v.optional(
    described(v.array(plainName), "Who may call it. Empty: nobody (default-deny)."),
    [],
  ),
  description: v.optional(described(v.string(), "For people and for generated pages."), ""),
});

const headEntries = {
  name: described(
    text(/^[A-Za-z][A-Za-z0-9_]{0,63}$/, "must be a letter and up to 63 letters, digits and _"),
    "What requests call the template. Unique over all templates.",
  ),
  tla: described(
    text(/^[a-z]{3}$/, "must be three lower-case letters"),
    "The acronym that prefixes stored fields and objects. Unique over all templates.",
  ),
  class: described(
    v.picklist(classes),
    "rel: MariaDB/MySQL; rec: MongoDB; none: a broker's own handler.",
  ),
  database: v.optional(
    described(plainName, "A [databases.<name>] section; required for rel and rec."),
  ),
  service: v.optional(
    described(plainName, "The broker service whose brokers serve it."),
    "app_server",
  ),
  read_broker: v.optional(
    described(plainName, "The broker of operations of kind fetch."),
    "rBroker",
  ),
  write_broker: v.optional(
    described(plainName, "The broker of operations of all other kinds."),
    "wBroker",
  ),
  description: described(v.string(), "What the data domain is, in a sentence."),
};

/** The keys of a template file that are no tables. */
export const headSchema = v.strictObject(headEntries);

/**
 * A template file, the definition: defaults and descriptions live here and nowhere else. What TOML
 * cannot say key by key (limits that fit the type, names that exist) is checked in `parse.ts`.
 */
export const templateSchema = v.strictObject({
  ...headEntries,
  fields: v.optional(v.record(lowerName, fieldSchema), {}),
  operations: v.optional(v.record(lowerName, operationSchema), {}),
});

export type HeadInput = v.InferOutput<typeof headSchema>;
export type FieldInput = v.InferOutput<typeof fieldSchema>;
export type OwnParameterInput = v.InferOutput<typeof ownParameterSchema>;
export type OperationInput = v.InferOutput<typeof operationSchema>;
/** The keys that a field and a parameter of its own share. */
export type RuleInput = FieldInput | OwnParameterInput;
