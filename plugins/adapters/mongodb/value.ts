import { BedsError, type FieldType } from "../../../core/contract/index.ts";
import type { BsonTypes } from "./driver.ts";
import { inertDocument } from "./inert.ts";
import { isList } from "./node.ts";
import type { CommandParameter } from "./object.ts";
import type { SlotUse } from "./scan.ts";
import { Unfit } from "./unfit.ts";

/**
 * A checked argument as BSON; undefined for one that was not sent and is left out of what is
 * stored.
 */
export type Encoder = (value: unknown) => unknown;

/** A list has at most so many elements. */
const mostElements = 1000;

/**
 * Makes the function that turns one argument into what stands at its slot, once, at boot. It checks
 * the type again, whatever the core has checked, because here a document would reach the server as
 * one. Errors: BEDS-D007 with the parameter's name and never its value.
 */
export function encoderOf(parameter: CommandParameter, use: SlotUse, types: BsonTypes): Encoder {
  const one = countEncoder(use) ?? scalarEncoder(parameter.type, types);
  const encode = parameter.list ? listEncoder(one) : one;
  return (value) => {
    if (value === null || value === undefined) {
      if (!parameter.required) return undefined;
      throw new BedsError("BEDS-D007", { detail: `${parameter.name} is missing` });
    }
    try {
      return encode(value);
    } catch (thrown) {
      if (!(thrown instanceof Unfit)) throw thrown;
      throw new BedsError("BEDS-D007", { detail: `${parameter.name} ${thrown.message}` });
    }
  };
}

function countEncoder(use: SlotUse): Encoder | undefined {
  if (use !== "count" && use !== "offset") return undefined;
  const least = use === "count" ? 1 : 0;
  return (value) => {
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= least) return value;
    throw new Unfit(`must be an integer of at least ${least}`);
  };
}

function listEncoder(one: Encoder): Encoder {
  return (value) => {
    if (!isList(value)) throw new Unfit("must be a list");
    if (value.length > mostElements) throw new Unfit(`has more than ${mostElements} elements`);
    return value.map((element) => one(element));
  };
}

/**
 * - `int` is a 32-bit integer where it fits and a 64-bit one otherwise; `bigint` is always one of
 *   64 bits.
 * - `decimal` is a Decimal128, which keeps 34 digits; the zeros behind the point are kept.
 * - `datetime` is a Date, which knows milliseconds and nothing finer.
 * - `date` and `time` are texts, which sort as they should.
 * - `uuid` is Binary of subtype 4; an object that declares `string` instead stores the text.
 */
function scalarEncoder(type: FieldType, types: BsonTypes): Encoder {
  const encoders: { readonly [Type in FieldType]: Encoder } = {
    string: plainText,
    enum: plainText,
    date: (value) => matching(value, datePattern, "must be a date YYYY-MM-DD"),
    time: (value) => matching(value, timePattern, "must be a time HH:MM:SS"),
    int: integer,
    bigint: longInteger,
    decimal: (value) => decimal(value, types),
    bool(value) {
      if (typeof value === "boolean") return value;
      throw new Unfit("must be true or false");
    },
    datetime: instant,
    uuid: (value) => new types.UUID(matching(value, uuidPattern, "must be a UUID").toLowerCase()),
    bytes: (value) => new types.Binary(decodedBase64(value)),
    json: inertDocument,
  };
  return encoders[type];
}

const datePattern = /^\d{4}-\d\d-\d\d$/;
const timePattern = /^\d\d:\d\d:\d\d(?:\.\d{1,6})?$/;
const uuidPattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const instantPattern = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d:\d\d(?:\.(\d+))?Z$/;

function plainText(value: unknown): string {
  if (typeof value !== "string") throw new Unfit("must be a string");
  if (!value.isWellFormed()) throw new Unfit("is not well-formed Unicode");
  return value;
}

function matching(value: unknown, pattern: RegExp, reason: string): string {
  if (typeof value === "string" && pattern.test(value)) return value;
  throw new Unfit(reason);
}

function integer(value: unknown): number | bigint {
  if (typeof value !== "number" || !Number.isSafeInteger(value)) {
    throw new Unfit("must be an integer");
  }
  // The driver makes a double of an integer that 32 bits do not hold, and of -0.
  return (value | 0) === value ? value | 0 : BigInt(value);
}

function longInteger(value: unknown): bigint {
  const digits = typeof value === "number" ? String(integer(value)) : value;
  const long = BigInt(matching(digits, /^-?\d{1,19}$/, "must be the digits of an integer"));
  if (BigInt.asIntN(64, long) !== long) throw new Unfit("does not fit into 64 bits");
  return long;
}

function decimal(value: unknown, types: BsonTypes): unknown {
  const text = typeof value === "number" ? String(integer(value)) : value;
  const digits = matching(text, /^-?\d+(?:\.\d+)?$/, "must be a string of a decimal number");
  try {
    return types.Decimal128.fromString(digits);
  } catch {
    throw new Unfit("has more than the 34 digits that MongoDB keeps");
  }
}

function instant(value: unknown): Date {
  const reason = "must be a date and time in UTC: YYYY-MM-DDTHH:MM:SS.sssZ";
  const text = matching(value, instantPattern, reason);
  const [, day, fraction = ""] = instantPattern.exec(text) ?? [];
  if (fraction.length > 3) throw new Unfit("is finer than the milliseconds that MongoDB keeps");
  const date = new Date(text);
  // A day that the calendar does not have would silently become another one.
  if (Number.isNaN(date.getTime()) || date.toISOString().slice(0, 10) !== day) {
    throw new Unfit(reason);
  }
  return date;
}

function decodedBase64(value: unknown): Uint8Array {
  const text = matching(value, /^[A-Za-z0-9+/]*={0,2}$/, "must be base64 with padding");
  const bytes = Buffer.from(text, "base64");
  if (bytes.toString("base64") !== text) throw new Unfit("must be base64 with padding");
  return bytes;
}
