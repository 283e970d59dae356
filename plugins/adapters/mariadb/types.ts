import type { FieldType } from "../../../core/contract/index.ts";

/**
 * The field types that a declared type of the server holds exactly. `declared` is what
 * `information_schema` says: `int(10) unsigned`, `enum('a','b')`. A type that is not here holds
 * none: FLOAT and DOUBLE lose digits.
 */
export function acceptedTypes(declared: string): readonly FieldType[] {
  const words = /^\s*([a-z0-9]+)\s*(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?/i.exec(declared);
  const base = words?.[1]?.toLowerCase() ?? "";
  if (base === "decimal" || base === "numeric")
    return Number(words?.[3] ?? 0) === 0 ? whole : exact;
  if (base === "bit") return (words?.[2] ?? "1") === "1" ? ["bool"] : [];
  return accepted.get(base) ?? [];
}

const exact: readonly FieldType[] = ["decimal"];
const whole: readonly FieldType[] = ["decimal", "bigint", "int"];
const text: readonly FieldType[] = ["string", "enum", "uuid"];
// MariaDB stores JSON as LONGTEXT, and any text column can hold a document.
const longText: readonly FieldType[] = [...text, "json"];
const bytes: readonly FieldType[] = ["bytes"];
const integer: readonly FieldType[] = ["int"];
const moment: readonly FieldType[] = ["datetime"];

const accepted: ReadonlyMap<string, readonly FieldType[]> = new Map([
  ["char", text],
  ["varchar", longText],
  ["tinytext", longText],
  ["text", longText],
  ["mediumtext", longText],
  ["longtext", longText],
  ["json", ["json"]],
  ["enum", ["enum", "string"]],
  ["uuid", ["uuid", "string"]],
  ["inet4", ["string"]],
  ["inet6", ["string"]],
  ["tinyint", ["int", "bool"]],
  ["boolean", ["int", "bool"]],
  ["smallint", integer],
  ["mediumint", integer],
  ["int", integer],
  ["integer", integer],
  ["year", integer],
  ["bigint", ["bigint", "int"]],
  ["date", ["date"]],
  ["datetime", moment],
  ["timestamp", moment],
  ["time", ["time"]],
  ["binary", bytes],
  ["varbinary", bytes],
  ["tinyblob", bytes],
  ["blob", bytes],
  ["mediumblob", bytes],
  ["longblob", bytes],
]);
