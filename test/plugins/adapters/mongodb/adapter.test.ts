import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { MongoClient } from "mongodb";
import { randomUUIDv7 } from "bun";
import type { Adapter, AdapterDriver, Template } from "../../../../core/contract/index.ts";
import { findDrift } from "../../../../core/template/drift.ts";
import {
  applyAll,
  Caller,
  codeOf,
  fixtures,
  openDriver,
  plainClient,
  readProduct,
  readTemplate,
  removeFixtures,
  stackServer,
  stackTarget,
} from "./stack.ts";

let driver: AdapterDriver;
let adapter: Adapter;
let own: Template;
let tests: Caller;
let dba: MongoClient;

beforeAll(async () => {
  driver = await openDriver();
  await applyAll(driver, true);
  adapter = driver.open(stackTarget());
  own = await readTemplate(fixtures, "tests_rec.toml");
  tests = new Caller(adapter, own);
  dba = plainClient(stackServer("beds_dba", "admin"));
  await dba.db("docs").collection("zzt").deleteMany({});
});

afterAll(async () => {
  await adapter.close();
  await dba.close();
  await removeFixtures(driver);
});

const full = [
  "string",
  "a",
  2_147_483_648,
  "9223372036854775807",
  "19.90",
  false,
  "2026-02-28",
  "2026-01-02T03:04:05.678Z",
  "12:00:00.5",
  "0190a1b2-0000-7000-8000-000000000001",
  "AP8=",
  { deep: [1, { _bsontype: "Long" }, null] },
] as const;
const none = full.map(() => null);
const types = [
  ...["string", "enum", "int", "bigint", "decimal", "bool", "date", "datetime", "time", "uuid"],
  "bytes",
];

describe("each kind of command", () => {
  test("insert stores each type, answers with the row, and find returns the same", async () => {
    const row = {
      zzt_key: "full",
      ...Object.fromEntries(full.map((value, at) => [`zzt_${[...types, "json"][at]}`, value])),
    };
    expect<unknown>(await tests.call("put", ["full", ...full])).toEqual([row]);
    expect<unknown>(await tests.call("by_key", ["full"])).toEqual([row]);
  });

  for (const [at, type] of types.entries()) {
    test(`a ${type} is found by its value`, async () => {
      const rows = await tests.call(`by_${type}`, [full[at]]);
      expect(rows.map((row) => row["zzt_key"])).toContain("full");
    });
  }

  test("what was not sent is not stored", async () => {
    const [row] = await tests.call("put", ["empty", ...none]);
    expect<unknown>(row?.["zzt_int"]).toBeNull();
    const stored = await dba.db("docs").collection("zzt").findOne({ zzt_key: "empty" });
    expect(Object.keys(stored ?? {})).toEqual(["_id", "zzt_key"]);
  });

  test("$in takes a list", async () => {
    const rows = await tests.call("any_of", [["full", "empty", "nobody"]]);
    expect(rows.map((row) => row["zzt_key"])).toEqual(["empty", "full"]);
    expect(await tests.call("any_of", [[]])).toEqual([]);
  });

  test("limit and skip page through the rows, and a projection fixes the columns", async () => {
    for (const at of [1, 2, 3, 4]) await tests.call("put", [`page${at}`, ...none]);
    expect<unknown>(await tests.call("page", [1, 2])).toEqual([
      { zzt_key: "page2" },
      { zzt_key: "page3" },
    ]);
    expect<unknown>(await tests.call("page", [3, 100])).toEqual([{ zzt_key: "page4" }]);
  });

  test("aggregate computes; $literal keeps a text a text", async () => {
    const said = "$zzt_key";
    expect<unknown>(await tests.call("echo", ["full", said])).toEqual([
      { said, zzt_date: "2026-02-28" },
    ]);
    await tests.call("put", ["total1", null, "a", 1, "4", "1.50", ...none.slice(5)]);
    await tests.call("put", ["total2", null, "a", 2, "9007199254740993", "2.00", ...none.slice(5)]);
    await tests.call("put", ["total3", null, "b", 0, "5", "9.00", ...none.slice(5)]);
    expect<unknown>(await tests.call("totals", [1])).toEqual([
      { zzt_enum: "a", sum: "9007199254740997", price: "2.00" },
    ]);
  });

  test("update changes what was sent and leaves the rest", async () => {
    await tests.call("put", ["set", "before", null, 1, ...none.slice(3)]);
    expect(await tests.call("set", ["set", null, 2])).toEqual([]);
    const [row] = await tests.call("by_key", ["set"]);
    expect<unknown>(row).toMatchObject({ zzt_string: "before", zzt_int: 2 });
    expect(await tests.call("set", ["set", null, null])).toEqual([]);
  });

  test("update, delete and findAndModify that find nothing are BEDS-D404", async () => {
    expect(await codeOf(tests.call("set", ["nobody", "x", 1]))).toBe("BEDS-D404");
    expect(await codeOf(tests.call("drop", ["nobody"]))).toBe("BEDS-D404");
    expect(await codeOf(tests.call("change", ["nobody", "x"]))).toBe("BEDS-D404");
    expect(await codeOf(tests.call("tag", ["nobody", "x", ["y"]]))).toBe("none: []");
  });

  test("findAndModify answers with the document as it is now", async () => {
    await tests.call("put", ["change", "before", ...none.slice(1)]);
    const [row] = await tests.call("change", ["change", "after"]);
    expect<unknown>(row).toMatchObject({ zzt_key: "change", zzt_string: "after" });
  });

  test("an upsert inserts the first time and adds the second", async () => {
    const [first] = await tests.call("upsert", ["upsert", 2]);
    const [second] = await tests.call("upsert", ["upsert", 3]);
    expect<unknown>([first?.["zzt_int"], second?.["zzt_int"]]).toEqual([2, 5]);
    expect(String(second?.["zzt_datetime"])).toMatch(/^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z$/);
  });

  test("$push and $addToSet take values", async () => {
    await tests.call("put", ["tag", ...none]);
    for (const word of ["$a", "$b"]) await tests.call("tag", ["tag", word, ["x", "$y"]]);
    const [row] = await tests.call("by_key", ["tag"]);
    expect<unknown>(row).toMatchObject({ zzt_json: ["$a", "$b"], zzt_tags: ["x", "$y"] });
  });

  test("delete removes one", async () => {
    await tests.call("put", ["drop", ...none]);
    expect(await tests.call("drop", ["drop"])).toEqual([]);
    expect(await tests.call("by_key", ["drop"])).toEqual([]);
  });
});

describe("values stay values", () => {
  const texts = [
    "$zzt_key",
    "$$ROOT",
    '{"$gt":""}',
    "'; return true; //",
    "\u0000$where",
    "[object Object]",
    "{ $ne: null }",
  ];
  for (const text of texts) {
    test(`the text ${JSON.stringify(text)} is stored as it is and finds itself alone`, async () => {
      const key = `text ${randomUUIDv7()}`;
      await tests.call("put", [key, text, ...none.slice(1)]);
      const rows = await tests.call("by_string", [text]);
      expect(rows.map((row) => [row["zzt_key"], row["zzt_string"]])).toEqual([[key, text]]);
    });
  }

  const documents = [
    { $gt: "" },
    { $ne: null },
    { $concat: ["full"] },
    { $exists: true },
    ["full"],
  ];
  for (const document of documents) {
    test(`${JSON.stringify(document)} is refused as a value of each type`, async () => {
      for (const type of types) {
        expect(await codeOf(tests.call(`by_${type}`, [document]))).toBe("BEDS-D007");
      }
      expect(await codeOf(tests.call("by_key", [document]))).toBe("BEDS-D007");
      expect(await codeOf(tests.call("echo", ["full", document]))).toBe("BEDS-D007");
      expect(await codeOf(tests.call("any_of", [[document]]))).toBe("BEDS-D007");
      expect(await codeOf(tests.call("page", [0, document]))).toBe("BEDS-D007");
      expect(await codeOf(tests.call("drop", [document]))).toBe("BEDS-D007");
    });
  }

  test("a document that is stored cannot carry an operator", async () => {
    for (const json of [{ $set: 1 }, { a: [{ $where: "1" }] }, { a: { $each: [] } }]) {
      const values = ["json", ...none.slice(1), json];
      expect(await codeOf(tests.call("put", values))).toBe("BEDS-D007");
    }
  });

  test("nothing of the above has changed the record", async () => {
    const [row] = await tests.call("by_key", ["full"]);
    expect<unknown>(row).toMatchObject({ zzt_string: "string", zzt_int: 2_147_483_648 });
  });
});

describe("what goes wrong has its code", () => {
  test("a duplicate key is BEDS-D006 and names the key, not the value", async () => {
    const thrown = await tests.call("put", ["full", ...none]).catch((error: unknown) => error);
    expect(thrown).toMatchObject({ code: "BEDS-D006", detail: "key zzt_key [error 11000]" });
  });

  test("a value that the validator refuses is BEDS-D007 and names the field", async () => {
    const thrown = await tests
      .call("put", [`secret ${"x".repeat(100)}`, ...none])
      .catch((error: unknown) => error);
    expect(thrown).toMatchObject({ code: "BEDS-D007" });
    expect(String(Reflect.get(Object(thrown), "detail"))).toBe("fields zzt_key [error 121]");
  });

  test("more rows than allowed are BEDS-D010, as many as allowed are not", async () => {
    expect((await tests.call("page", [0, 100], { rowCap: 4 })).length).toBe(4);
    expect(await codeOf(tests.call("page", [0, 100], { rowCap: 3 }))).toBe("BEDS-D010");
    expect(await codeOf(tests.call("totals", [0], { rowCap: 1 }))).toBe("BEDS-D010");
    expect((await tests.call("totals", [0], { rowCap: 2 })).length).toBe(2);
  });

  test("rows that do not fit into a batch are BEDS-D010, never a part of them", async () => {
    const json = "x".repeat(1_000_000);
    for (let at = 0; at < 18; at++) {
      await tests.call("put", [
        `total big${at}`,
        null,
        "b",
        7,
        "1",
        null,
        ...none.slice(5, -1),
        json,
      ]);
    }
    expect(await codeOf(tests.call("by_int", [7]))).toBe("BEDS-D010");
    await dba.db("docs").collection("zzt").deleteMany({ zzt_int: 7 });
  });

  test("a lock that is held longer than the time limit is BEDS-D002", async () => {
    await tests.call("put", ["locked", ...none]);
    const session = dba.startSession();
    session.startTransaction();
    await dba
      .db("docs")
      .collection("zzt")
      .updateOne({ zzt_key: "locked" }, { $set: { a: 1 } }, { session });
    const before = performance.now();
    const code = await codeOf(tests.call("set", ["locked", "x", null], { timeoutMs: 300 }));
    const tookMs = performance.now() - before;
    await session.abortTransaction();
    await session.endSession();
    expect(code).toBe("BEDS-D002");
    expect(tookMs).toBeGreaterThan(250);
    expect(tookMs).toBeLessThan(1000);
    expect(await codeOf(tests.call("set", ["locked", "x", null]))).toBe("none: []");
  });

  test("a wrong password is BEDS-D008", async () => {
    const master = { ...stackServer("beds_run", "docs"), pass: "wrong" };
    const other = driver.open(stackTarget({ master }));
    expect(await codeOf(other.check(AbortSignal.timeout(5000)))).toBe("BEDS-D008");
    await other.close();
  });

  test("nobody at the port is BEDS-D001, within two seconds", async () => {
    const master = { ...stackServer("beds_run", "docs"), port: 1 };
    const other = driver.open(stackTarget({ master }));
    for (let attempt = 0; attempt < 2; attempt++) {
      const before = performance.now();
      expect(await codeOf(other.check(AbortSignal.timeout(5000)))).toBe("BEDS-D001");
      expect(performance.now() - before).toBeLessThan(2000);
    }
    await other.close();
  });

  test("a closed adapter is BEDS-D001", async () => {
    const other = driver.open(stackTarget());
    await other.close();
    expect(await codeOf(other.check(AbortSignal.timeout(5000)))).toBe("BEDS-D001");
  });
});

describe("what an operation says and its object does must fit", () => {
  const misfits: readonly (readonly [
    name: string,
    operation: string,
    change: object,
    code: string,
  ])[] = [
    ["a fetch that writes", "set", { kind: "fetch" }, "BEDS-T019"],
    ["a create that reads", "by_key", { kind: "create" }, "BEDS-T019"],
    ["rows of an update", "set", { result: { shape: "one", rowCap: 1 } }, "BEDS-T019"],
    ["an object that is not there", "set", { object: "zzt_nobody" }, "BEDS-T014"],
    ["too few parameters", "set", { parameters: [] }, "BEDS-T015"],
  ];
  for (const [name, operation, change, code] of misfits) {
    test(name, async () => {
      const found = own.operations.get(operation);
      if (found === undefined) throw new Error(operation);
      expect(await codeOf(adapter.bind(own, { ...found, ...change }))).toBe(code);
    });
  }

  test("an optional argument for a required parameter", async () => {
    const found = own.operations.get("drop");
    if (found === undefined) throw new Error("drop");
    const parameters = found.parameters.map((parameter) => ({ ...parameter, required: false }));
    expect(await codeOf(adapter.bind(own, { ...found, parameters }))).toBe("BEDS-T015");
  });

  test("the statement shows the command with its slots", async () => {
    const { statement } = await tests.binding("drop");
    expect(statement).toBe(
      'delete ON zzt {"deletes":[{"q":{"zzt_key":{"$eq":{"$param":"key"}}},"limit":1}]}',
    );
  });
});

describe("the proof of least privilege", () => {
  test("the account has what the operations need, and nothing else", async () => {
    const description = await adapter.describe(AbortSignal.timeout(5000));
    expect(description.product).toBe("MongoDB");
    expect(description.grants).toEqual([
      "find ON docs.beds_key",
      "find ON docs.beds_objects",
      "find ON docs.exc",
      "find ON docs.exc_item_v",
      "find ON docs.exc_listed_v",
      "find ON docs.msl_record_v",
      "find ON docs.zzt",
      "find ON docs.zzt_v",
      "insert ON docs.beds_key",
      "insert ON docs.exc",
      "insert ON docs.msl",
      "insert ON docs.zzt",
      "remove ON docs.exc",
      "remove ON docs.zzt",
      "update ON docs.exc",
      "update ON docs.zzt",
    ]);
    expect(findDrift([...(await readProduct()), own], description, "docs")).toEqual([]);
  });

  test("a grant that nobody needs is drift, and so is one that is missing", async () => {
    const description = await adapter.describe(AbortSignal.timeout(5000));
    const few = findDrift(await readProduct(), description, "docs");
    expect(few.map(({ code, detail }) => `${code} ${detail}`)).toContain(
      "BEDS-T016 database docs: insert ON docs.zzt",
    );
    const without = { ...description, grants: [] };
    expect(new Set(findDrift([own], without, "docs").map(({ code }) => code))).toEqual(
      new Set(["BEDS-T017"]),
    );
  });

  test("an object that reads a collection, or is not allowed, is refused by its reason", async () => {
    const objects = dba.db("docs").collection<{ _id: string }>("beds_objects");
    const filter = { a: { $param: "s" } };
    const bad = [
      { _id: "zzt_raw", kind: "find", on: "zzt", command: {} },
      {
        _id: "zzt_onview",
        kind: "delete",
        on: "zzt_v",
        command: { deletes: [{ q: {}, limit: 0 }] },
      },
      {
        _id: "zzt_slot",
        kind: "find",
        on: "zzt_v",
        params: { s: { type: "string" } },
        command: { filter },
      },
      { _id: "zzt_typo", kind: "find", on: "zzt_v", comand: {} },
    ];
    await objects.insertMany(bad);
    const description = await adapter.describe(AbortSignal.timeout(5000));
    const refusals = bad.map(({ _id }) => description.objects.get(_id)?.refusal ?? "accepted");
    await objects.deleteMany({ _id: { $in: bad.map(({ _id }) => _id) } });
    expect(refusals[0]).toContain("zzt is a collection: a plain read goes through a view");
    expect(refusals[1]).toContain("zzt_v is a view, and cannot be changed");
    expect(refusals[2]).toContain('command.filter.a: write { "$eq"');
    expect(refusals[3]).toBe("comand: comand is not a known key");
  });

  test("the account can do nothing else", async () => {
    const runtime = plainClient(stackServer("beds_run", "docs"));
    const db = runtime.db("docs");
    const privileges = [{ resource: { db: "docs", collection: "msl" }, actions: ["find"] }];
    const attempts: readonly (readonly [name: string, command: object])[] = [
      ["read a raw collection", { find: "msl" }],
      ["aggregate a raw collection", { aggregate: "msl", pipeline: [], cursor: {} }],
      [
        "join a raw collection",
        {
          aggregate: "exc_item_v",
          pipeline: [{ $lookup: { from: "msl", as: "a", pipeline: [] } }],
          cursor: {},
        },
      ],
      ["write through $out", { aggregate: "exc_item_v", pipeline: [{ $out: "msl" }], cursor: {} }],
      ["insert elsewhere", { insert: "other", documents: [{}] }],
      ["change a log record", { update: "msl", updates: [{ q: {}, u: { $set: { a: 1 } } }] }],
      ["delete log records", { delete: "msl", deletes: [{ q: {}, limit: 0 }] }],
      ["add an object", { insert: "beds_objects", documents: [{ _id: "x" }] }],
      ["change an object", { update: "beds_objects", updates: [{ q: {}, u: { $set: { a: 1 } } }] }],
      ["delete an object", { delete: "beds_objects", deletes: [{ q: {}, limit: 0 }] }],
      ["change a key", { update: "beds_key", updates: [{ q: {}, u: { $set: { a: 1 } } }] }],
      ["forget keys", { delete: "beds_key", deletes: [{ q: {}, limit: 0 }] }],
      ["take a key away", { findAndModify: "beds_key", query: {}, remove: true }],
      ["drop the keys", { drop: "beds_key" }],
      ["list the indexes of keys", { listIndexes: "beds_key" }],
      ["change how keys expire", { collMod: "beds_key", validator: {} }],
      ["see the workbench's notes", { find: "beds_object_source" }],
      ["drop a collection", { drop: "zzt" }],
      ["drop the database", { dropDatabase: 1 }],
      ["change a validator", { collMod: "zzt", validator: {} }],
      ["create a collection", { create: "other" }],
      ["create an index", { createIndexes: "zzt", indexes: [{ key: { a: 1 }, name: "a" }] }],
      ["create a user", { createUser: "x", pwd: "x", roles: [] }],
      ["grant itself a role", { grantRolesToUser: "beds_run", roles: ["readWrite"] }],
      ["change its role", { grantPrivilegesToRole: "beds_runtime", privileges }],
      ["see the server's state", { serverStatus: 1 }],
    ];
    const allowed: string[] = [];
    for (const [name, command] of attempts) {
      const code = await db.command({ ...command }).then(
        () => 0,
        (error: unknown) => Reflect.get(Object(error), "code"),
      );
      if (code !== 13) allowed.push(`${name}: ${String(code)}`);
    }
    await runtime.close();
    expect(allowed).toEqual([]);
  });
});
