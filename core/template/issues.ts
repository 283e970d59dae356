import * as v from "valibot";
import { suggestion } from "../contract/suggest.ts";
import type { TomlPath } from "../contract/toml-position.ts";
import type { FaultList } from "./fault-list.ts";
import {
  fieldParameterSchema,
  fieldSchema,
  operationSchema,
  ownParameterSchema,
  templateSchema,
} from "./schema.ts";

/** A TOML table before anything is known about it. */
export type Table = { readonly [key: string]: unknown };

export function isTable(value: unknown): value is Table {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date)
  );
}

/**
 * Reports every unknown key (BEDS-T002) and returns the template's table without them. Valibot
 * names only the first one of an object, and a person who mistyped two keys should see both.
 */
export function dropUnknownKeys(table: Table, faults: FaultList): Table {
  const known = dropKeys(table, templateSchema.entries, [], faults);
  const { fields, operations } = known;
  const tables: { fields?: Table; operations?: Table } = {};
  // Valibot takes a list or a date for a table without entries.
  for (const key of ["fields", "operations"] as const) {
    if (known[key] === undefined || isTable(known[key])) continue;
    faults.add("BEDS-T003", [key], `${key} must be a table`);
    tables[key] = {};
  }
  if (isTable(fields)) {
    tables.fields = mapTable(fields, ["fields"], faults, (field, path) =>
      dropKeys(field, fieldSchema.entries, path, faults),
    );
  }
  if (isTable(operations)) {
    tables.operations = mapTable(operations, ["operations"], faults, (operation, path) =>
      dropOperationKeys(operation, path, faults),
    );
  }
  return { ...known, ...tables };
}

/**
 * Reports what valibot found: BEDS-T003 with the place of the value, or of the table that lacks a
 * key.
 */
export function reportIssues(issues: readonly v.BaseIssue<unknown>[], faults: FaultList): void {
  for (const issue of issues) {
    const path = (issue.path ?? []).map(({ key }) => (typeof key === "number" ? key : `${key}`));
    const isMissing = issue.kind === "schema" && issue.received === "undefined";
    const isKey = issue.path?.at(-1)?.origin === "key";
    const detail = `${path.join(".")} ${isMissing ? "is missing" : reasonOf(issue)}`;
    faults.add("BEDS-T003", path, detail, isMissing || isKey ? "key" : "value");
  }
}

function dropOperationKeys(operation: Table, path: TomlPath, faults: FaultList): Table {
  const known = dropKeys(operation, operationSchema.entries, path, faults);
  if (!Array.isArray(known["params"])) return known;
  const params = known["params"].map((parameter: unknown, index) => {
    if (!isTable(parameter)) return parameter;
    const { entries } = "field" in parameter ? fieldParameterSchema : ownParameterSchema;
    return dropKeys(parameter, entries, [...path, "params", index], faults);
  });
  return { ...known, params };
}

function dropKeys(table: Table, entries: object, path: TomlPath, faults: FaultList): Table {
  const known = Object.entries(table).filter(([key]) => {
    if (Object.hasOwn(entries, key)) return true;
    const name = [...path, key].join(".");
    faults.add("BEDS-T002", [...path, key], name + suggestion(key, Object.keys(entries)));
    return false;
  });
  return Object.fromEntries(known);
}

/** Names that valibot's `record` passes over without a word, because they reach a prototype. */
const reservedNames = ["__proto__", "prototype", "constructor"];

function mapTable(
  table: Table,
  path: TomlPath,
  faults: FaultList,
  change: (inner: Table, path: TomlPath) => Table,
): Table {
  const entries = Object.entries(table).flatMap(([name, inner]) => {
    const innerPath = [...path, name];
    if (reservedNames.includes(name)) {
      faults.add("BEDS-T003", innerPath, `${innerPath.join(".")} is a reserved name`);
      return [];
    }
    return [[name, isTable(inner) ? change(inner, innerPath) : inner] as const];
  });
  return Object.fromEntries(entries);
}

function reasonOf(issue: v.BaseIssue<unknown>): string {
  if (issue.kind !== "schema") return issue.message;
  if (issue.type !== "picklist") {
    return `must be ${spoken(issue.expected ?? "")}, not ${spoken(issue.received)}`;
  }
  const words = [...(issue.expected ?? "").matchAll(/"([^"]*)"/g)].map(([, word]) => word ?? "");
  const hint = typeof issue.input === "string" ? suggestion(issue.input, words) : "";
  return `must be one of ${words.join(", ")}${hint}`;
}

/** Valibot speaks of JavaScript's types, the author of a template of TOML's. */
const tomlWords: Readonly<Record<string, string>> = {
  Object: "a table",
  Array: "a list",
  string: "a string",
  number: "a number",
  boolean: "true or false",
  "(number | string)": "a number or a string",
};

function spoken(type: string): string {
  return tomlWords[type] ?? type;
}
