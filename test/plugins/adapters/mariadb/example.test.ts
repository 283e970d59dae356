import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { Adapter, Row, Template } from "../../../../core/contract/index.ts";
import { findDrift } from "../../../../core/template/drift.ts";
import {
  type Call,
  loadSources,
  loadTemplate,
  makeCall,
  makeScratch,
  outcome,
  type Scratch,
} from "./scratch.ts";

// The canonical template runs: installed by the workbench, found without drift, called through the
// core.

const root = join(import.meta.dir, "../../../..");
let scratch: Scratch;
let template: Template;
let adapter: Adapter;
let call: Call;

const full = {
  sku: "B-1",
  name: "Ein Buch — 本",
  kind: "book",
  price: "9007199254.99",
  cost: "0.01",
  stock: 1000000,
  listed: true,
  since: "2024-02-29",
  dispatch: "23:59:59",
  ref: "0190aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee",
  details: { list: [1, null, { deep: "é" }], text: '"quoted"' },
  thumbnail: Buffer.from([0, 255, 39, 92]).toString("base64"),
};

beforeAll(async () => {
  scratch = await makeScratch("example");
  template = loadTemplate(join(root, "templates/example_rel.toml"), "example");
  await scratch.apply(loadSources(join(root, "templates/db/app")), [template]);
  adapter = scratch.driver.open(scratch.target);
  call = await makeCall(adapter, template);
});

afterAll(async () => {
  await adapter.close();
  await scratch.dispose();
});

test("the database has what the template declares, and the account no more than it needs", async () => {
  const description = await adapter.describe(AbortSignal.timeout(5000));
  const drift = findDrift([template], description, "example");
  expect(drift.map((error) => `${error.code} ${error.detail}`)).toEqual([]);
  expect(description.product).toBe("MariaDB");
  expect(description.maxConnections).toBeGreaterThan(10);
  expect(description.objects.has("exr_item")).toBe(false);
  expect(description.objects.has("beds_object_source")).toBe(false);
});

describe("one item through its life", () => {
  let created: Row | undefined;

  test("create answers with key and version", async () => {
    [created] = await call("create", full);
    expect(created).toEqual({ exr_id: "1", exr_version: 1 });
  });

  test("fetch_by_id returns every type as it was sent", async () => {
    const [row] = await call("fetch_by_id", { id: "1" });
    const stored = Object.fromEntries(Object.entries(full).map(([name, v]) => [`exr_${name}`, v]));
    expect(row).toMatchObject({ ...stored, exr_id: "1", exr_version: 1 });
    expect(row?.["exr_created_at"]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    const age = Date.now() - Date.parse(String(row?.["exr_created_at"]));
    expect(Math.abs(age)).toBeLessThan(60_000);
  });

  test("what is not sent is NULL or the default", async () => {
    await call("create", { sku: "T-1", name: "Toy", kind: "toy", price: "1.00" });
    const [row] = await call("fetch_by_id", { id: "2" });
    expect(row).toMatchObject({ exr_cost: null, exr_since: null, exr_stock: 0, exr_listed: true });
  });

  test("update wants the version that was read", async () => {
    expect(await call("update", { id: "1", version: 1, stock: 5 })).toEqual([
      { exr_id: "1", exr_version: 2 },
    ]);
    expect(await outcome(call("update", { id: "1", version: 1, stock: 6 }))).toStartWith(
      "BEDS-D409: the item was changed",
    );
    expect(await outcome(call("update", { id: "77", version: 1 }))).toStartWith("BEDS-D404");
    const [row] = await call("fetch_by_id", { id: "1" });
    expect(row).toMatchObject({ exr_stock: 5, exr_name: full.name });
  });

  test("search finds by key, narrows by what is sent, and orders", async () => {
    await call("create", { sku: "B-2", name: "A book", kind: "book", price: "3.00" });
    await call("create", { ...full, sku: "B-3", name: "Hidden", listed: false });
    const names = (rows: readonly Row[]): unknown[] => rows.map((row) => row["exr_name"]);
    expect(names(await call("search", { kind: "book" }))).toEqual(["A book", full.name]);
    expect(names(await call("search", { kind: "book", name: full.name }))).toEqual([full.name]);
    expect(await call("search", { kind: "tool" })).toEqual([]);
  });

  test("count is a function whose 64-bit result is a string", async () => {
    expect(await call("count", {})).toEqual([{ value: "4" }]);
    expect(await call("count", { kind: "book" })).toEqual([{ value: "3" }]);
  });

  test("fetch_since compares moments to the microsecond, in any zone", async () => {
    const [row] = await call("fetch_by_id", { id: "2" });
    const moment = String(row?.["exr_created_at"]);
    const since = await call("fetch_since", { created_at: moment, limit: 10 });
    expect(since.map((each) => each["exr_id"])).toEqual(["4", "3", "2"]);
    const local = new Date(Date.parse(moment) + 7_200_000).toISOString().slice(0, 19);
    const zoned = `${local}${moment.slice(19, -1)}+02:00`;
    expect(await call("fetch_since", { created_at: zoned, limit: 10 })).toEqual(since);
    expect(await call("fetch_since", { created_at: moment, limit: 1 })).toHaveLength(1);
  });

  test("reprice is a call with rows of its own shape", async () => {
    expect(await call("reprice", { kind: "book", percent: "-10.00" })).toEqual([
      { exr_kind: "book", items: "3", stock_value: expect.stringMatching(/^\d+\.\d\d$/) },
    ]);
    expect(await outcome(call("reprice", { kind: "toy", percent: "-95" }))).toStartWith(
      "BEDS-D422",
    );
  });

  test("remove removes once", async () => {
    expect(await call("remove", { id: "2" })).toEqual([]);
    expect(await outcome(call("remove", { id: "2" }))).toStartWith("BEDS-D404");
    expect(await call("fetch_by_id", { id: "2" })).toEqual([]);
  });
});

describe("what the database refuses names the column or key, and never the value", () => {
  const item = { sku: "R-1", name: "Refused", kind: "book", price: "1.00" };
  const cases: readonly (readonly [string, object, string])[] = [
    ["a key that exists", { sku: "B-1" }, "BEDS-D006: key exr_item_sku [error 1062 (23000)]"],
    ["a text too long", { sku: "x".repeat(33) }, "BEDS-D007: column p_exr_sku"],
    ["no value of the enum", { kind: "nonsense" }, "BEDS-D007: column exr_kind"],
    ["a number out of range", { price: "99999999999.00" }, "BEDS-D007: column p_exr_price"],
    [
      "a broken constraint",
      { price: "-1.00" },
      "BEDS-D007: constraint exr_item_price_not_negative",
    ],
    ["no value where one is needed", { name: null }, "BEDS-D007: column exr_name"],
    [
      "a day that does not exist",
      { since: "2023-02-30" },
      "BEDS-D007: column p_exr_since [error 1292",
    ],
  ];
  test.each(cases)("%s", async (_, change, expected) => {
    const text = await outcome(call("create", { ...item, ...change }));
    expect(text).toStartWith(expected);
    for (const value of Object.values(change)) {
      if (typeof value === "string") expect(text).not.toContain(value);
    }
  });
});
