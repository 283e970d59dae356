import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import {
  type FieldType,
  fieldTypes,
  type JsonValue,
  type ValueRule,
} from "../../../core/contract/index.ts";
import { compileCheck } from "../../../core/message/value-check.ts";
import { valueSchema } from "../../../core/message/value-schema.ts";
import { pick, randomOf } from "./samples.ts";

type Limits = Partial<Omit<ValueRule, "type">>;

function rule(type: FieldType, limits: Limits = {}): ValueRule {
  return { required: true, sensitive: false, description: "", ...limits, type };
}

const smile = "\u{1f600}";
const deepJson: JsonValue = { a: [{ b: null }, "x", 1.5] };

const cases: readonly (readonly [
  type: FieldType,
  limits: Limits,
  fits: readonly JsonValue[],
  fails: readonly JsonValue[],
])[] = [
  [
    "string",
    {},
    ["", "a", "'; DROP TABLE x", "nul\0", smile],
    [1, true, [], {}, "\ud800", "a\udc00"],
  ],
  ["string", { maxLength: 2 }, ["", "ab", smile + smile], ["abc", smile.repeat(3)]],
  ["string", { minLength: 2 }, ["ab", smile + smile], ["", "a", smile]],
  ["int", {}, [0, -1, 2 ** 53 - 1, 1 - 2 ** 53], [0.5, 2 ** 53, 1e300, Infinity, "1", true, null]],
  ["int", { min: -2, max: 2 }, [-2, 0, 2], [-3, 3]],
  [
    "bigint",
    {},
    ["0", "-1", "9223372036854775807", "-9223372036854775808"],
    [
      "",
      "-",
      "-0",
      "00",
      "+1",
      "1.0",
      "1e3",
      " 1",
      "0x1",
      1,
      "9223372036854775808",
      "-9223372036854775809",
    ],
  ],
  [
    "bigint",
    { min: "0", max: "18446744073709551615" },
    ["18446744073709551615"],
    ["-1", "18446744073709551616"],
  ],
  [
    "decimal",
    {},
    ["0", "-0.0", "1.50", "-12345678901234567890.1"],
    ["", ".5", "5.", "1e3", "01", "+1", 1.5, "1,5"],
  ],
  [
    "decimal",
    { precision: 4, scale: 2 },
    ["99.99", "0.01", "-99.9", "0"],
    ["100", "0.001", "999.9"],
  ],
  ["decimal", { precision: 3 }, ["999", "9.99", "0.999"], ["1000", "10.00"]],
  [
    "decimal",
    { min: "-0.5", max: "10.25" },
    ["-0.5", "-0.50", "10.25", "10.250", "9"],
    ["-0.51", "10.26", "-1"],
  ],
  ["bool", {}, [true, false], [0, 1, "true", "", []]],
  [
    "date",
    {},
    ["2024-02-29", "0001-01-01", "9999-12-31", "2000-02-29"],
    [
      "2023-02-29",
      "1900-02-29",
      "2024-00-01",
      "2024-13-01",
      "2024-04-31",
      "2024-01-00",
      "0000-01-01",
      "2024-1-1",
      "20240101",
      "2024-01-01T00:00:00Z",
      0,
    ],
  ],
  [
    "datetime",
    {},
    ["2024-02-29T23:59:59Z", "2024-01-01T00:00:00.123456Z"],
    [
      "2024-02-30T00:00:00Z",
      "2024-01-01T24:00:00Z",
      "2024-01-01T00:60:00Z",
      "2024-01-01T00:00:60Z",
      "2024-01-01T00:00:00",
      "2024-01-01T00:00:00+00:00",
      "2024-01-01t00:00:00z",
      "2024-01-01 00:00:00Z",
      "2024-01-01T00:00:00.1234567Z",
      "2024-01-01T00:00:00.Z",
      0,
    ],
  ],
  [
    "time",
    {},
    ["00:00:00", "23:59:59.999999"],
    ["24:00:00", "00:60:00", "00:00:60", "0:00:00", "00:00", "00:00:00.", "00:00:00Z", 0],
  ],
  [
    "uuid",
    {},
    ["01900000-1234-7abc-8def-0123456789ab", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF"],
    [
      "",
      "01900000-1234-7abc-8def-0123456789a",
      "01900000-1234-7abc-8def-0123456789ag",
      "{01900000-1234-7abc-8def-0123456789ab}",
      1,
    ],
  ],
  [
    "bytes",
    {},
    ["", "AA==", "AAA=", "AAAA", "+/+/"],
    ["A", "AA", "AB==", "AAB=", "A===", "AA=A", "-_-_", "AA==\n", 1],
  ],
  ["bytes", { minLength: 1, maxLength: 2 }, ["AA==", "AAA="], ["", "AAAA"]],
  ["enum", { values: ["red", "green"] }, ["red", "green"], ["Red", "", "red ", 0, "constructor"]],
  [
    "json",
    {},
    [1, "x", true, [], {}, deepJson, { constructor: 1 }],
    [
      { $where: "1" },
      { a: { $gt: 1 } },
      [{ $ne: null }],
      JSON.parse('{"__proto__":{}}'),
      ["\ud800"],
      { "\udc00": 1 },
      { "a\0b": 1 },
      Infinity,
      [[[{ b: [Infinity] }]]],
    ],
  ],
  [
    "json",
    { maxLength: 7 },
    ["12345", { a: 1 }, [1, 2, 3], smile.repeat(5)],
    ["123456", { a: 12 }, [1, 2, 30]],
  ],
];

describe("a value fits or it does not", () => {
  for (const [type, limits, fits, fails] of cases) {
    test(`${type} ${JSON.stringify(limits)}`, () => {
      const check = compileCheck(rule(type, limits));
      const schema = valueSchema(rule(type, limits));
      for (const value of fits) {
        expect([value, check(value), v.is(schema, value)]).toEqual([value, null, true]);
      }
      for (const value of fails) {
        expect([value, typeof check(value), v.is(schema, value)]).toEqual([value, "string", false]);
      }
    });
  }

  test("every type has cases", () => {
    expect(new Set(cases.map(([type]) => type))).toEqual(new Set(fieldTypes));
  });

  test("a reason never has the value", () => {
    const secret = "hunter2hunter2";
    for (const type of fieldTypes) {
      const reason = compileCheck(rule(type, { maxLength: 3, values: ["a"] }))(secret);
      expect(reason).toBeString();
      expect(reason).not.toContain(secret);
    }
  });
});

describe("the check by hand and the schema agree on random values", () => {
  for (const type of fieldTypes) {
    test(type, () => {
      const random = randomOf(fieldTypes.indexOf(type) + 1);
      let accepted = 0;
      for (let round = 0; round < 3000; round++) {
        const limits = randomLimits(type, random);
        const value = randomValue(type, random);
        const byHand = compileCheck(rule(type, limits))(value) === null;
        const bySchema = v.is(valueSchema(rule(type, limits)), value);
        if (byHand !== bySchema) {
          throw new Error(`${JSON.stringify({ limits, value })}: ${byHand} by hand, ${bySchema}`);
        }
        if (byHand) accepted++;
      }
      expect(accepted).toBeGreaterThan(100);
      expect(accepted).toBeLessThan(2950);
    });
  }
});

function randomLimits(type: FieldType, random: () => number): Limits {
  const some = (limits: Limits): Limits => (random() < 0.5 ? limits : {});
  const least = Math.floor(random() * 4);
  switch (type) {
    case "string":
      return { ...some({ minLength: least }), ...some({ maxLength: least + 3 }) };
    case "bytes":
      return { ...some({ minLength: least }), ...some({ maxLength: least + 3 }) };
    case "int":
      return { ...some({ min: -least }), ...some({ max: least + 50 }) };
    case "bigint":
      return { ...some({ min: `${-least}` }), ...some({ max: "18446744073709551615" }) };
    case "decimal":
      return {
        ...some({ min: `-${least}.5` }),
        ...some({ max: `${least}.25` }),
        ...some({ precision: least + 2, scale: least }),
      };
    case "json":
      return some({ maxLength: least + 12 });
    case "enum":
      return { values: ["red", "green", "constructor", ""] };
    default:
      return {};
  }
}

const pieces = [
  "",
  "a",
  "red",
  "green",
  "ü",
  smile,
  "\ud800",
  "\udc00",
  "\0",
  "$",
  "0",
  "7",
  "-",
  ".",
  "=",
  "AA",
  "/",
  "AAAA",
  "\n",
  " ",
  "constructor",
  "__proto__",
] as const;

function randomValue(type: FieldType, random: () => number): JsonValue {
  if (random() < 0.1)
    return pick<JsonValue>(random, [true, false, 0, 1, -1, 0.5, 1e300, [], {}, "red"]);
  const digits = (count: number): string =>
    Array.from({ length: count }, () => Math.floor(random() * 10)).join("");
  const two = (most: number): string => String(Math.floor(random() * most)).padStart(2, "0");
  const date = `${pick(random, ["2023", "2024", "1900", "2000", "0000"])}-${two(14)}-${two(33)}`;
  const time = `${two(26)}:${two(62)}:${two(62)}${random() < 0.5 ? "" : `.${digits(Math.floor(random() * 8))}`}`;
  switch (type) {
    case "int":
      return pick(random, [Math.floor(random() * 200) - 100, random(), 2 ** 53 - 1, 2 ** 53]);
    case "bigint":
      return pick(random, ["", "-"]) + digits(pick(random, [1, 2, 18, 19, 20, 21]));
    case "decimal":
      return `${pick(random, ["", "-"])}${digits(1 + Math.floor(random() * 4))}${pick(random, ["", "."])}${digits(Math.floor(random() * 4))}`;
    case "date":
      return date;
    case "datetime":
      return `${date}T${time}${pick(random, ["Z", "Z", "Z", "", "+00:00"])}`;
    case "time":
      return time;
    case "bool":
      return pick<JsonValue>(random, [true, false, "true", 1, 0]);
    case "uuid": {
      const uuid = crypto.randomUUID();
      return pick(random, [
        uuid,
        uuid.toUpperCase(),
        uuid.slice(1),
        `${uuid}0`,
        uuid.replace("-", "0"),
      ]);
    }
    case "json":
      return randomJson(random, 3);
    default:
      return Array.from({ length: Math.floor(random() * 4) }, () => pick(random, [...pieces])).join(
        "",
      );
  }
}

function randomJson(random: () => number, depth: number): JsonValue {
  const text = (): string => pick(random, [...pieces]);
  if (depth === 0 || random() < 0.3)
    return pick<JsonValue>(random, [text(), random(), true, null, Infinity]);
  const inner = Array.from({ length: Math.floor(random() * 3) }, () =>
    randomJson(random, depth - 1),
  );
  if (random() < 0.5) return inner;
  return Object.fromEntries(inner.map((value) => [text(), value]));
}
