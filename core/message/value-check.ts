import type { JsonValue } from "../contract/message.ts";
import type { FieldType, ValueRule } from "../contract/template.ts";
import { largestInt64, mostDigits, mostFractionDigits, smallestInt64 } from "./value-schema.ts";

/**
 * Null when the value fits, else what is wrong in words that follow the argument's name; never the
 * value.
 */
export type ValueCheck = (value: JsonValue) => string | null;

/**
 * Makes the check of one argument, at boot; the check runs for each request. `value-schema.ts` is
 * the definition, and a property test holds the two together. The limits must fit the type, which
 * `core/template/parse.ts` sees to.
 */
export function compileCheck(rule: ValueRule): ValueCheck {
  return makers[rule.type](rule);
}

const makers: { readonly [Type in FieldType]: (rule: ValueRule) => ValueCheck } = {
  string: stringCheck,
  int: intCheck,
  bigint: bigintCheck,
  decimal: decimalCheck,
  bool: () => (value) => (typeof value === "boolean" ? null : "must be true or false"),
  date: () => (value) =>
    typeof value === "string" && isDate(value) ? null : "must be a date YYYY-MM-DD",
  datetime: () => datetimeReason,
  time: () => (value) =>
    typeof value === "string" && timePattern.test(value)
      ? null
      : "must be a time HH:MM:SS with at most 6 digits behind the point",
  uuid: () => (value) =>
    typeof value === "string" && uuidPattern.test(value) ? null : "must be a UUID",
  bytes: bytesCheck,
  enum: enumCheck,
  json: jsonCheck,
};

const timePattern = /^(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?$/;
const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const datetimePattern = /^(\d{4}-\d\d-\d\d)T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?Z$/;
const base64Pattern = /^[A-Za-z0-9+/]*={0,2}$/;

function stringCheck({ minLength = 0, maxLength = Infinity }: ValueRule): ValueCheck {
  const tooShort = `is shorter than ${minLength} characters`;
  const tooLong = `is longer than ${maxLength} characters`;
  return (value) => {
    if (typeof value !== "string") return "must be a string";
    if (!value.isWellFormed()) return "is not well-formed Unicode";
    if (isLongerThan(value, maxLength)) return tooLong;
    if (minLength > 0 && !isLongerThan(value, minLength - 1)) return tooShort;
    return null;
  };
}

/**
 * Counts code points, which is what a database calls characters, and only where UTF-16 units cannot
 * tell.
 */
function isLongerThan(text: string, limit: number): boolean {
  if (text.length <= limit) return false;
  if (text.length > 2 * limit) return true;
  let pairs = 0;
  for (let at = 0; at < text.length; at++) {
    if ((text.charCodeAt(at) & 0xfc00) === 0xdc00) pairs++;
  }
  return text.length - pairs > limit;
}

function intCheck(rule: ValueRule): ValueCheck {
  const min = rule.min === undefined ? -Infinity : Number(rule.min);
  const max = rule.max === undefined ? Infinity : Number(rule.max);
  return (value) => {
    if (typeof value !== "number" || !Number.isSafeInteger(value)) return "must be an integer";
    if (value < min) return `is less than ${min}`;
    return value > max ? `is more than ${max}` : null;
  };
}

function bigintCheck(rule: ValueRule): ValueCheck {
  const min = rule.min === undefined ? smallestInt64 : BigInt(rule.min);
  const max = rule.max === undefined ? largestInt64 : BigInt(rule.max);
  return (value) => {
    if (typeof value !== "string" || value.length > 20 || !/^(?:0|-?[1-9]\d*)$/.test(value)) {
      return "must be a string of the digits of an integer";
    }
    const number = BigInt(value);
    if (number < min) return `is less than ${min}`;
    return number > max ? `is more than ${max}` : null;
  };
}

function decimalCheck(rule: ValueRule): ValueCheck {
  const { precision = mostDigits, scale } = rule;
  const min = rule.min === undefined ? null : scaled(String(rule.min));
  const max = rule.max === undefined ? null : scaled(String(rule.max));
  return (value) => {
    const parts = typeof value === "string" && value.length <= 100 && decimalParts(value);
    if (!parts || typeof value !== "string") return "must be a string of a decimal number";
    const { whole, fraction } = parts;
    if (fraction.length > (scale ?? mostFractionDigits)) {
      return `has more than ${scale ?? mostFractionDigits} digits behind the point`;
    }
    const wholeDigits = whole === "0" ? 0 : whole.length;
    if (wholeDigits + (scale ?? fraction.length) > precision) {
      return `has too many digits for ${precision} in all`;
    }
    if (min !== null && scaled(value) < min) return `is less than ${rule.min}`;
    return max !== null && scaled(value) > max ? `is more than ${rule.max}` : null;
  };
}

function decimalParts(text: string): { whole: string; fraction: string } | null {
  const match = /^-?(0|[1-9]\d*)(?:\.(\d+))?$/.exec(text);
  if (match === null) return null;
  return { whole: match[1] ?? "", fraction: match[2] ?? "" };
}

/** The decimal times 10^30, exact: how two of them are compared. */
function scaled(text: string): bigint {
  const [whole = "", fraction = ""] = text.split(".");
  return BigInt(whole + fraction.padEnd(mostFractionDigits, "0"));
}

function datetimeReason(value: JsonValue): string | null {
  const match = typeof value === "string" ? datetimePattern.exec(value) : null;
  if (match !== null && isDate(match[1] ?? "")) return null;
  return "must be a date and time in UTC: YYYY-MM-DDTHH:MM:SSZ, at most 6 digits behind the point";
}

/** A day that the calendar has, in the years 0001 to 9999. */
function isDate(text: string): boolean {
  const match = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text);
  if (match === null) return false;
  const year = Number(match[1]);
  const month = Number(match[2]);
  const day = Number(match[3]);
  return year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= daysOf(month, year);
}

function daysOf(month: number, year: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

function bytesCheck({ minLength = 0, maxLength = Infinity }: ValueRule): ValueCheck {
  return (value) => {
    if (typeof value !== "string" || !isBase64(value)) return "must be base64 with padding";
    const padding = value.endsWith("==") ? 2 : value.endsWith("=") ? 1 : 0;
    const length = (value.length / 4) * 3 - padding;
    if (length > maxLength) return `is longer than ${maxLength} bytes`;
    return length < minLength ? `is shorter than ${minLength} bytes` : null;
  };
}

/**
 * RFC 4648 §3.5: one text for each value, so the bits that the last letter does not need are zero.
 */
function isBase64(text: string): boolean {
  if (text.length % 4 !== 0 || !base64Pattern.test(text)) return false;
  if (text.endsWith("==")) return "AQgw".includes(text.charAt(text.length - 3));
  return !text.endsWith("=") || "AEIMQUYcgkosw048".includes(text.charAt(text.length - 2));
}

function enumCheck({ values = [] }: ValueRule): ValueCheck {
  const allowed = new Set(values);
  const reason = `must be one of ${values.join(", ")}`;
  return (value) => (typeof value === "string" && allowed.has(value) ? null : reason);
}

function jsonCheck({ maxLength = Infinity }: ValueRule): ValueCheck {
  return (value) => {
    const reason = inertReason(value);
    if (reason !== null) return reason;
    if (maxLength === Infinity || !isLongerThan(JSON.stringify(value), maxLength)) return null;
    return `is longer than ${maxLength} characters once it is written as JSON`;
  };
}

/**
 * A document must stay a document: no key may become an operator or reach a prototype, and whatever
 * is accepted must come back as it was sent. The depth is bounded by the message's own.
 */
function inertReason(value: JsonValue): string | null {
  if (typeof value === "string") {
    return value.isWellFormed() ? null : "has a text that is not well-formed Unicode";
  }
  if (typeof value === "number") return Number.isFinite(value) ? null : "has a number too large";
  if (typeof value !== "object" || value === null) return null;
  for (const [key, inner] of Object.entries(value)) {
    const reason = (Array.isArray(value) ? null : keyReason(key)) ?? inertReason(inner);
    if (reason !== null) return reason;
  }
  return null;
}

function keyReason(key: string): string | null {
  if (key.startsWith("$")) return "has a key that begins with $";
  if (key === "__proto__") return "has a key that is not allowed";
  return key.includes("\0") || !key.isWellFormed() ? "has a key that no database can store" : null;
}
