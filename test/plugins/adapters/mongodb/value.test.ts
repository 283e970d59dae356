import { describe, expect, test } from "bun:test";
import * as mongodb from "mongodb";
import type { FieldType } from "../../../../core/contract/index.ts";
import { encoderOf } from "../../../../plugins/adapters/mongodb/value.ts";
import { codeOf } from "./stack.ts";

const { Binary, Decimal128, UUID } = mongodb;

/** A value as the server would get it back: through BSON, which is where types are won and lost. */
function encode(type: FieldType, value: unknown, list = false): unknown {
  const parameter = { name: "p", type, required: true, list };
  const encoded = encoderOf(parameter, "stored", mongodb)(value);
  const bytes = mongodb.BSON.serialize({ v: encoded });
  return mongodb.BSON.deserialize(bytes, { useBigInt64: true, promoteBuffers: false })["v"];
}

/** The type number that BSON gives to the value: https://bsonspec.org/spec.html */
function bsonType(type: FieldType, value: unknown): number | undefined {
  const parameter = { name: "p", type, required: true, list: false };
  const encoded = encoderOf(parameter, "stored", mongodb)(value);
  return mongodb.BSON.serialize({ v: encoded })[4];
}

describe("each type is stored as one BSON type, exactly", () => {
  const id = "0190a1b2-0000-7000-8000-000000000001";
  const right: readonly (readonly [FieldType, unknown, number, unknown])[] = [
    ["string", "$gt \u{1f600} \0", 0x02, "$gt \u{1f600} \0"],
    ["enum", "a", 0x02, "a"],
    ["int", 2_147_483_647, 0x10, 2_147_483_647],
    ["int", -2_147_483_648, 0x10, -2_147_483_648],
    ["int", -0, 0x10, 0],
    ["int", 2_147_483_648, 0x12, 2_147_483_648n],
    ["int", Number.MIN_SAFE_INTEGER, 0x12, BigInt(Number.MIN_SAFE_INTEGER)],
    ["bigint", "5", 0x12, 5n],
    ["bigint", "9223372036854775807", 0x12, 9_223_372_036_854_775_807n],
    ["bigint", "-9223372036854775808", 0x12, -9_223_372_036_854_775_808n],
    ["bigint", 7, 0x12, 7n],
    ["decimal", "19.90", 0x13, Decimal128.fromString("19.90")],
    [
      "decimal",
      "1234567890123456789012345678901234",
      0x13,
      Decimal128.fromString("1234567890123456789012345678901234"),
    ],
    ["bool", true, 0x08, true],
    ["date", "2026-02-28", 0x02, "2026-02-28"],
    ["time", "12:00:00.123456", 0x02, "12:00:00.123456"],
    ["datetime", "2026-01-02T03:04:05.678Z", 0x09, new Date("2026-01-02T03:04:05.678Z")],
    ["datetime", "0001-01-01T00:00:00Z", 0x09, new Date("0001-01-01T00:00:00Z")],
    ["uuid", id.toUpperCase(), 0x05, new UUID(id)],
    ["bytes", "AP8=", 0x05, new Binary(Uint8Array.of(0, 255))],
    ["json", { a: [1, 2.5, null, "x"] }, 0x03, { a: [1, 2.5, null, "x"] }],
    ["json", [1], 0x04, [1]],
    ["json", "x", 0x02, "x"],
  ];
  for (const [type, value, number, stored] of right) {
    test(`${type} ${JSON.stringify(value).slice(0, 40)}`, () => {
      expect(bsonType(type, value)).toBe(number);
      expect(encode(type, value)).toEqual(stored);
    });
  }

  test("a document stays one, whatever its keys are called", () => {
    const value = {
      _bsontype: "Long",
      low: 1,
      high: 0,
      constructor: 1,
      toBSON: "x",
      "a.b": 1,
      "": 2,
    };
    expect(Object.entries(Object(encode("json", value)))).toEqual(Object.entries(value));
  });

  test("a list keeps its order", () => {
    expect(encode("string", ["b", "a"], true)).toEqual(["b", "a"]);
  });
});

describe("what does not fit is BEDS-D007, and the value is not in the text", () => {
  const hostile: readonly unknown[] = [
    { $gt: "" },
    { $where: "sleep(1)" },
    { $concat: ["a"] },
    { $literal: 1 },
    { $param: "x" },
    [{ $gt: "" }],
    ["a"],
    /secret/,
    new Date(0),
    new Map([["$gt", ""]]),
    () => 1,
    Symbol("secret"),
    Number.NaN,
    Number.POSITIVE_INFINITY,
    new UUID(),
    Object.create({ $gt: "" }),
  ];
  const types: readonly FieldType[] = [
    ...(["string", "enum", "int", "bigint", "decimal", "bool"] as const),
    ...(["date", "datetime", "time", "uuid", "bytes"] as const),
  ];
  for (const type of types) {
    test(`${type} is never a document, a list or anything else`, async () => {
      for (const value of hostile) {
        expect(await codeOf(attempt(type, value))).toBe("BEDS-D007");
      }
    });
  }

  test("json is never an operator", async () => {
    const inert = new Set<unknown>([hostile[6]]);
    for (const value of hostile) {
      if (inert.has(value)) continue;
      expect(await codeOf(attempt("json", value))).toBe("BEDS-D007");
    }
  });

  const wrong: readonly (readonly [FieldType, unknown])[] = [
    ["string", "\ud800"],
    ["int", 1.5],
    ["int", "1"],
    ["int", 2 ** 53],
    ["bigint", "9223372036854775808"],
    ["bigint", "1e3"],
    ["decimal", "12345678901234567890123456789012345"],
    ["decimal", "NaN"],
    ["decimal", "1e3"],
    ["bool", "true"],
    ["date", "2026-1-1"],
    ["datetime", "2026-01-02T03:04:05.6789Z"],
    ["datetime", "2026-02-30T00:00:00Z"],
    ["datetime", "2026-01-02T24:00:00Z"],
    ["datetime", "2026-01-02T03:04:05+01:00"],
    ["uuid", "not a uuid"],
    ["bytes", "AP9="],
    ["bytes", "a"],
    ["json", { a: { $gt: "" } }],
    ["json", [{ deep: [{ $where: "1" }] }]],
    ["json", { "a\0b": 1 }],
    ["json", JSON.parse('{"__proto__": 1}')],
    ["json", { a: "\udfff" }],
    ["json", nested(33)],
    ["json", "x".repeat(1_048_577)],
    ["json", undefined],
    ["string", null],
  ];
  for (const [type, value] of wrong) {
    test(`${type} ${(JSON.stringify(value) ?? "undefined").slice(0, 40)}`, async () => {
      expect(await codeOf(attempt(type, value))).toBe("BEDS-D007");
    });
  }

  test("32 levels are not too many", () => {
    expect(JSON.stringify(encode("json", nested(32)))).toBe(JSON.stringify(nested(32)));
  });

  test("the detail names the parameter and not the value", () => {
    expect(() => encode("string", { $gt: "secret" })).toThrow(
      expect.objectContaining({ detail: "p must be a string" }),
    );
  });

  test("a list has at most 1000 elements", async () => {
    const thousand = Array.from({ length: 1000 }, (_, at) => at);
    expect(encode("int", thousand, true)).toEqual(thousand);
    expect(await codeOf((async () => encode("int", [...thousand, 0], true))())).toBe("BEDS-D007");
    expect(await codeOf((async () => encode("string", [{ $gt: "" }], true))())).toBe("BEDS-D007");
    expect(await codeOf((async () => encode("string", "a", true))())).toBe("BEDS-D007");
  });

  test("a limit is at least 1, a skip at least 0", () => {
    const parameter = { name: "p", type: "int", required: true, list: false } as const;
    const limit = encoderOf(parameter, "count", mongodb);
    const skip = encoderOf(parameter, "offset", mongodb);
    expect(limit(1)).toBe(1);
    expect(() => limit(0)).toThrow();
    expect(() => limit({ $gt: 0 })).toThrow();
    expect(skip(0)).toBe(0);
    expect(() => skip(-1)).toThrow();
  });
});

async function attempt(type: FieldType, value: unknown): Promise<unknown> {
  return encode(type, value);
}

function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = { a: value };
  return value;
}
