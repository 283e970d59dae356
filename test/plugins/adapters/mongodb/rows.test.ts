import { beforeAll, describe, expect, test } from "bun:test";
import * as mongodb from "mongodb";
import type { FieldType, Template } from "../../../../core/contract/index.ts";
import { columnsOf } from "../../../../plugins/adapters/mongodb/shape.ts";
import { RowReader } from "../../../../plugins/adapters/mongodb/rows.ts";
import { codeOf, fixtures, readTemplate } from "./stack.ts";

const { Binary, Decimal128, Double, MaxKey, ObjectId, Timestamp, UUID } = mongodb;
const id = "0190a1b2-0000-7000-8000-000000000001";
let template: Template;

beforeAll(async () => {
  template = await readTemplate(fixtures, "tests_rec.toml");
});

/** A document through BSON and the reader, as an answer of the server comes. */
function rowOf(document: object, columns?: readonly string[]): unknown {
  const bytes = mongodb.BSON.serialize(document);
  const received = mongodb.BSON.deserialize(bytes, { useBigInt64: true, promoteBuffers: false });
  return new RowReader(template, columns, mongodb).read([received])[0];
}

describe("a field's value becomes JSON by the field's type", () => {
  const right: readonly (readonly [FieldType, unknown, unknown])[] = [
    ["string", "a", "a"],
    ["string", new ObjectId("0123456789abcdef01234567"), "0123456789abcdef01234567"],
    ["int", 5, 5],
    ["int", 5n, 5],
    ["int", new Double(5), 5],
    ["bigint", 5, "5"],
    ["bigint", 9_223_372_036_854_775_807n, "9223372036854775807"],
    ["decimal", Decimal128.fromString("19.90"), "19.90"],
    ["decimal", Decimal128.fromString("-0.00"), "-0.00"],
    ["decimal", Decimal128.fromString("1E+3"), "1000"],
    ["decimal", Decimal128.fromString("1.25E-8"), "0.0000000125"],
    ["decimal", 3, "3"],
    ["decimal", new Double(1e21), "1000000000000000000000"],
    ["bool", false, false],
    ["date", "2026-01-02", "2026-01-02"],
    ["date", new Date("2026-01-02T00:00:00Z"), "2026-01-02"],
    ["datetime", new Date("2026-01-02T03:04:05.006Z"), "2026-01-02T03:04:05.006Z"],
    ["time", "12:00:00", "12:00:00"],
    ["uuid", new UUID(id), id],
    ["uuid", id, id],
    ["bytes", new Binary(Uint8Array.of(0, 255)), "AP8="],
    ["json", { a: [1n, new UUID(id), new Date(0)] }, { a: [1, id, "1970-01-01T00:00:00.000Z"] }],
    ["json", { a: 9_007_199_254_740_993n }, { a: "9007199254740993" }],
    ["json", 5n, 5],
    ["string", null, null],
  ];
  for (const [type, stored, value] of right) {
    test(`${type} ${String(stored)}`, () => {
      expect(rowOf({ [`zzt_${type}`]: stored })).toMatchObject({ [`zzt_${type}`]: value });
    });
  }

  const wrong: readonly (readonly [FieldType, unknown])[] = [
    ["int", "5"],
    ["int", 5.5],
    ["int", 9_007_199_254_740_993n],
    ["bigint", 5.5],
    ["decimal", "5"],
    ["decimal", Decimal128.fromString("NaN")],
    ["bool", 1],
    ["datetime", 5],
    ["bytes", "AP8="],
    ["json", { a: new MaxKey() }],
    ["json", { a: new Timestamp(0n) }],
    ["json", { a: Number.NaN }],
    ["string", { a: 1 }],
  ];
  for (const [type, stored] of wrong) {
    test(`${type} ${String(stored)} is BEDS-D009`, async () => {
      expect(await codeOf((async () => rowOf({ [`zzt_${type}`]: stored }))())).toBe("BEDS-D009");
    });
  }
});

describe("a row has the declared columns", () => {
  test("what is missing is null, and _id is left out", () => {
    const row = rowOf({ _id: 1, zzt_key: "k", extra: 7n });
    const columns = template.fields.map((field) => field.column);
    expect(Object.keys(Object(row))).toEqual([...columns, "extra"]);
    expect(row).toMatchObject({ zzt_key: "k", zzt_int: null, extra: 7 });
  });

  test("where the command fixes the columns, those and no others", () => {
    expect(rowOf({ _id: 1, zzt_key: "k", b: 1 }, ["zzt_key", "a"])).toEqual({
      zzt_key: "k",
      a: null,
    });
    expect(rowOf({ _id: "x", n: 1 }, ["_id", "n"])).toEqual({ _id: "x", n: 1 });
  });

  test("a column called like a method of all objects is just a column", () => {
    expect(rowOf({ a: 1 }, ["constructor"])).toEqual({ constructor: null } as object);
  });

  const shapes: readonly (readonly [name: string, command: object, columns: unknown])[] = [
    ["a find that shows", { projection: { _id: 0, a: 1, "b.c": 1 } }, ["a", "b"]],
    ["a find that hides", { projection: { a: 0 } }, undefined],
    ["a find without projection", {}, undefined],
    ["$project", { pipeline: [{ $project: { _id: 0, a: "$_id" } }] }, ["a"]],
    [
      "$group",
      { pipeline: [{ $group: { _id: "$a", n: { $sum: 1 } } }, { $sort: { n: 1 } }] },
      ["_id", "n"],
    ],
    [
      "$group and $set",
      { pipeline: [{ $group: { _id: "$a" } }, { $set: { b: 1 } }] },
      ["_id", "b"],
    ],
    [
      "$group and $unset",
      { pipeline: [{ $group: { _id: "$a", n: {} } }, { $unset: "_id" }] },
      ["n"],
    ],
    ["$count", { pipeline: [{ $match: {} }, { $count: "n" }] }, ["n"]],
    ["$set alone", { pipeline: [{ $set: { b: 1 } }] }, undefined],
  ];
  for (const [name, command, columns] of shapes) {
    test(name, () => {
      const kind = "pipeline" in command ? "aggregate" : "find";
      const object = { name: "x", kind, on: "v", parameters: [], command: { ...command } } as const;
      expect<unknown>(columnsOf(object)).toEqual(columns);
    });
  }
});
