import {
  BedsError,
  type FieldType,
  type JsonValue,
  type Row,
  type Template,
} from "../../../core/contract/index.ts";
import type { BsonTypes } from "./driver.ts";
import { isDocument, isList } from "./node.ts";
import { Unfit } from "./unfit.ts";

/**
 * Turns documents into rows as JSON can carry them: by the template's field where the column is
 * one, by the value's own type otherwise. A row has every declared field of the template, or
 * exactly the columns that the object fixes; what a document lacks is null. `_id` appears only
 * where one of the two names it.
 *
 * Errors: BEDS-D009 for a value that is not what the field says.
 */
export class RowReader {
  readonly #types: BsonTypes;
  readonly #fields: ReadonlyMap<string, FieldType>;
  /** What every row has. */
  readonly #columns: ReadonlySet<string>;
  /** Whether a row has nothing beside `#columns`. */
  readonly #isExact: boolean;

  constructor(template: Template, columns: readonly string[] | undefined, types: BsonTypes) {
    this.#types = types;
    this.#fields = new Map(template.fields.map((field) => [field.column, field.type]));
    this.#columns = new Set(columns ?? template.fields.map((field) => field.column));
    this.#isExact = columns !== undefined;
  }

  read(documents: readonly unknown[]): readonly Row[] {
    return documents.map((document) => {
      if (!isDocument(document)) {
        throw new BedsError("BEDS-D009", {
          detail: "the object returned something else than documents",
        });
      }
      const row: { [column: string]: JsonValue } = {};
      for (const column of this.#columns) {
        const value = Object.hasOwn(document, column) ? document[column] : null;
        row[column] = this.#cell(column, value);
      }
      if (this.#isExact) return row;
      for (const [column, value] of Object.entries(document)) {
        if (this.#columns.has(column) || column === "_id") continue;
        row[column] = this.#cell(column, value);
      }
      return row;
    });
  }

  #cell(column: string, value: unknown): JsonValue {
    if (value === null || value === undefined) return null;
    const type = this.#fields.get(column);
    try {
      if (type === undefined) return plainValue(value, this.#types);
      return fieldValue(type, value, this.#types);
    } catch (thrown) {
      if (!(thrown instanceof Unfit)) throw thrown;
      throw new BedsError("BEDS-D009", { detail: `column ${column} ${thrown.message}` });
    }
  }
}

function fieldValue(type: FieldType, value: unknown, types: BsonTypes): JsonValue {
  const plain = type === "json" ? value : plainValue(value, types);
  switch (type) {
    case "int":
      if (typeof plain === "number" && Number.isSafeInteger(plain)) return plain;
      break;
    case "bigint":
      if (typeof value === "bigint" || Number.isSafeInteger(value)) return String(value);
      break;
    case "decimal":
      if (typeof value === "number" || typeof value === "bigint") {
        return plainDecimal(String(value));
      }
      if (value instanceof types.Decimal128 && typeof plain === "string") return plain;
      break;
    case "bool":
      if (typeof plain === "boolean") return plain;
      break;
    case "date":
      if (value instanceof Date) return value.toISOString().slice(0, 10);
      if (typeof plain === "string") return plain;
      break;
    case "bytes":
      if (value instanceof types.Binary) return Buffer.from(value.value()).toString("base64");
      break;
    case "json":
      return plainValue(value, types);
    default:
      if (typeof plain === "string") return plain;
  }
  throw new Unfit(`does not hold a ${type}`);
}

/**
 * By the value's own type: 64-bit integers are numbers where a number is exact, times are RFC 3339
 * in UTC.
 */
function plainValue(value: unknown, types: BsonTypes): JsonValue {
  if (value === null || value === undefined) return null;
  if (typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") {
    if (Number.isFinite(value)) return value;
    throw new Unfit("holds a number that JSON does not have");
  }
  if (typeof value === "bigint") return exactNumber(value);
  if (value instanceof Date) return instantText(value);
  if (value instanceof types.Decimal128) return plainDecimal(value.toString());
  if (value instanceof types.ObjectId) return value.toHexString();
  if (value instanceof types.Binary) return binaryText(value, types);
  if (isList(value)) return value.map((inner) => plainValue(inner, types));
  if (value instanceof Map) return plainValue(Object.fromEntries(value), types);
  if (!isDocument(value)) throw new Unfit("holds a type that JSON does not have");
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, plainValue(inner, types)]),
  );
}

function exactNumber(long: bigint): JsonValue {
  const number = Number(long);
  return Number.isSafeInteger(number) ? number : String(long);
}

function instantText(date: Date): string {
  if (Number.isNaN(date.getTime())) throw new Unfit("holds a time that JSON does not have");
  return date.toISOString();
}

function binaryText(value: InstanceType<BsonTypes["Binary"]>, types: BsonTypes): string {
  const isUuid = value.sub_type === types.Binary.SUBTYPE_UUID && value.length() === 16;
  if (isUuid) return value.toUUID().toHexString();
  return Buffer.from(value.value()).toString("base64");
}

/** `1E+3` → `1000`, `1.5E-8` → `0.000000015`: the wire has decimals without an exponent. */
function plainDecimal(text: string): string {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[Ee]([+-]?\d+))?$/.exec(text);
  if (match === null) throw new Unfit("holds a number that JSON does not have");
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = match;
  const digits = whole + fraction;
  const point = whole.length + Number(exponent);
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  if (point >= digits.length) return `${sign}${digits.padEnd(point, "0").replace(/^0+(?=\d)/, "")}`;
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}
