import * as v from "valibot";
import type { FieldType, ValueRule } from "../contract/template.ts";

/** MariaDB's bounds of a DECIMAL, where the rule has none of its own. */
export const mostDigits = 65;
export const mostFractionDigits = 30;
export const smallestInt64 = -(2n ** 63n);
export const largestInt64 = 2n ** 63n - 1n;

/**
 * The definition of what an argument may be, type by type; null never reaches it, since null stands
 * for an argument that was not sent. `value-check.ts` decides the same faster. Used by the property
 * test that holds the two together and by whoever describes the wire.
 */
export function valueSchema(rule: ValueRule): v.GenericSchema {
  return schemas[rule.type](rule);
}

const schemas: { readonly [Type in FieldType]: (rule: ValueRule) => v.GenericSchema } = {
  string: ({ minLength = 0, maxLength = Infinity }) =>
    v.pipe(
      v.string(),
      v.check((text) => !hasLoneSurrogate(text), "well-formed Unicode"),
      v.check((text) => [...text].length >= minLength, "long enough in code points"),
      v.check((text) => [...text].length <= maxLength, "short enough in code points"),
    ),
  int: ({ min = -Infinity, max = Infinity }) =>
    v.pipe(v.number(), v.safeInteger(), v.minValue(Number(min)), v.maxValue(Number(max))),
  bigint: ({ min, max }) =>
    v.pipe(
      v.string(),
      v.regex(/^(0|-?[1-9][0-9]{0,18}|[1-9][0-9]{19})$/),
      v.transform((digits) => BigInt(digits)),
      v.minValue(min === undefined ? smallestInt64 : BigInt(min)),
      v.maxValue(max === undefined ? largestInt64 : BigInt(max)),
    ),
  decimal: decimalSchema,
  bool: () => v.boolean(),
  date: () => v.pipe(v.string(), v.check(isCalendarDay, "a day YYYY-MM-DD of the calendar")),
  datetime: () =>
    v.pipe(
      v.string(),
      v.regex(/^.{10}T.{8}(\.[0-9]{1,6})?Z$/),
      v.check((text) => isCalendarDay(text.slice(0, 10)), "a day of the calendar"),
      v.check((text) => isClockTime(text.slice(11, 19)), "a time of the day"),
    ),
  time: () =>
    v.pipe(
      v.string(),
      v.regex(/^.{8}(\.[0-9]{1,6})?$/),
      v.check((text) => isClockTime(text.slice(0, 8)), "a time of the day"),
    ),
  uuid: () =>
    v.pipe(v.string(), v.toLowerCase(), v.regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)),
  bytes: ({ minLength = 0, maxLength = Infinity }) =>
    v.pipe(
      v.string(),
      v.check((text) => Buffer.from(text, "base64").toString("base64") === text, "base64"),
      v.transform((text) => Buffer.from(text, "base64").byteLength),
      v.minValue(minLength),
      v.maxValue(maxLength),
    ),
  enum: ({ values = [] }) => v.picklist(values),
  json: ({ maxLength = Infinity }) =>
    v.pipe(
      inertJson,
      v.check((json) => [...JSON.stringify(json)].length <= maxLength, "short enough as JSON"),
    ),
};

function decimalSchema({ precision = mostDigits, scale, min, max }: ValueRule): v.GenericSchema {
  return v.pipe(
    v.string(),
    v.maxLength(100),
    v.regex(/^-?(0|[1-9][0-9]*)(\.[0-9]+)?$/),
    v.check((text) => fractionOf(text).length <= (scale ?? mostFractionDigits), "scale"),
    v.check((text) => {
      const whole = text.replace(/^-/, "").replace(/\..*$/, "").replace(/^0$/, "");
      return whole.length + (scale ?? fractionOf(text).length) <= precision;
    }, "precision"),
    v.check((text) => min === undefined || compareDecimals(text, String(min)) >= 0, "min"),
    v.check((text) => max === undefined || compareDecimals(text, String(max)) <= 0, "max"),
  );
}

/** JSON as MongoDB may store it: no key is an operator or a prototype, every text is Unicode. */
const inertJson: v.GenericSchema = v.lazy(() =>
  v.union([
    v.null(),
    v.boolean(),
    v.pipe(v.number(), v.finite()),
    wellFormedText,
    v.array(inertJson),
    inertObject,
  ]),
);

const wellFormedText = v.pipe(
  v.string(),
  v.check((text) => !hasLoneSurrogate(text)),
);

/**
 * A `v.record` would pass over the keys `constructor` and `prototype`, which are plain data here.
 */
const inertObject = v.pipe(
  v.custom<object>((value) => typeof value === "object" && value !== null && !Array.isArray(value)),
  v.check((object) =>
    Object.getOwnPropertyNames(object).every(
      (key) => !/^\$|^__proto__$|\0/.test(key) && !hasLoneSurrogate(key),
    ),
  ),
  v.check((object) => Object.values(object).every((inner) => v.is(inertJson, inner))),
);

function hasLoneSurrogate(text: string): boolean {
  return /\p{Surrogate}/u.test(text);
}

function isCalendarDay(text: string): boolean {
  if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(text) || text.startsWith("0000")) return false;
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().slice(0, 10) === text;
}

function isClockTime(text: string): boolean {
  if (!/^[0-9]{2}:[0-9]{2}:[0-9]{2}$/.test(text)) return false;
  const [hours = 99, minutes = 99, seconds = 99] = text.split(":").map(Number);
  return hours < 24 && minutes < 60 && seconds < 60;
}

function fractionOf(text: string): string {
  return text.split(".")[1] ?? "";
}

/** Digit by digit: -1, 0 or 1. */
function compareDecimals(left: string, right: string): number {
  const [a, b] = [left, right].map((text) => {
    const [whole = "", fraction = ""] = text.replace("-", "").split(".");
    const digits = `${whole.padStart(mostDigits, "0")}${fraction.padEnd(mostFractionDigits, "0")}`;
    return { digits, isNegative: text.startsWith("-") && /[1-9]/.test(digits) };
  });
  if (a === undefined || b === undefined) return 0;
  if (a.isNegative !== b.isNegative) return a.isNegative ? -1 : 1;
  const order = a.digits === b.digits ? 0 : a.digits < b.digits ? -1 : 1;
  return a.isNegative ? -order : order;
}
