import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { randomUUIDv7 } from "bun";
import type { Adapter } from "../../../../core/contract/index.ts";
import {
  applyAll,
  Caller,
  codeOf,
  openDriver,
  productTemplates,
  readTemplate,
  stackTarget,
} from "./stack.ts";

let adapter: Adapter;
let items: Caller;
let logs: Caller;

beforeAll(async () => {
  const driver = await openDriver();
  await applyAll(driver, false);
  adapter = driver.open(stackTarget());
  items = new Caller(adapter, await readTemplate(productTemplates, "example_rec.toml"));
  logs = new Caller(adapter, await readTemplate(productTemplates, "mst_logger_rec.toml"));
});

afterAll(async () => {
  await adapter.close();
});

describe("ExampleRec", () => {
  const id = randomUUIDv7();
  const createdAt = new Date(Date.now() + 3_600_000).toISOString();
  const item = {
    exc_id: id,
    exc_sku: id.slice(0, 32),
    exc_name: "Hammer",
    exc_kind: "tool",
    exc_price: "19.90",
    exc_cost: "7.00",
    exc_stock: 3,
    exc_sold: "9007199254740993",
    exc_listed: true,
    exc_since: "2026-01-02",
    exc_dispatch: "12:00:00",
    exc_ref: id,
    exc_details: { colour: "red" },
    exc_thumbnail: "AP8=",
    exc_version: 1,
    exc_created_at: createdAt,
  };

  test("create, fetch, search, update, restock, summary, remove", async () => {
    const { exc_version: version, exc_created_at: created, ...sent } = item;
    const [exc_id, sku, name, kind, price, ...optional] = Object.values(sent);
    const values = [exc_id, sku, name, kind, price, created, ...optional];
    expect<unknown>(await items.call("create", values)).toEqual([item]);
    const shown = { ...item, exc_cost: null };
    expect<unknown>(await items.call("fetch_by_id", [id])).toEqual([shown]);
    expect<unknown>(await items.call("fetch_since", [createdAt, 100])).toEqual([shown]);
    expect<unknown>(await items.call("search", ["tool", 0, 100])).toContainEqual(shown);
    const twin = values.with(0, randomUUIDv7());
    expect(await codeOf(items.call("create", twin))).toBe("BEDS-D006");

    const changed = ["Big hammer", "25.00", null, null, null];
    const updated = await items.call("update", [id, version, ...changed]);
    expect<unknown>(updated).toEqual([{ exc_id: id, exc_version: 2 }]);
    expect(await codeOf(items.call("update", [id, version, ...changed]))).toBe("BEDS-D404");
    expect(await items.call("restock", [[id, randomUUIDv7()], 4])).toEqual([]);
    const [now] = await items.call("fetch_by_id", [id]);
    expect<unknown>(now).toMatchObject({ exc_name: "Big hammer", exc_stock: 7, exc_version: 3 });
    const summary = await items.call("summary", ["0"]);
    expect(Object.keys(summary[0] ?? {})).toEqual(["exc_kind", "items", "stock_value"]);

    expect(await items.call("remove", [id])).toEqual([]);
    expect(await items.call("fetch_by_id", [id])).toEqual([]);
    expect(await codeOf(items.call("remove", [id]))).toBe("BEDS-D404");
  });
});

describe("msLogs", () => {
  const root = `test.dev.${randomUUIDv7()}`;

  test("a record is stored once, found by its root, and among the newest", async () => {
    const future = Date.now() + 3_600_000;
    for (const [at, level] of ["info", "error"].entries()) {
      const record = [
        randomUUIDv7(),
        new Date(future + at).toISOString(),
        level,
        `said ${at}`,
        "test",
      ];
      const event = [
        "BEDS-D001",
        `${root}.${at}`,
        root,
        root,
        1,
        "ExampleRec",
        "create",
        { ms: 1 },
      ];
      expect(await logs.call("create", [...record, ...event])).toEqual([]);
      expect(await codeOf(logs.call("create", [...record, ...event]))).toBe("BEDS-D006");
    }
    const tree = await logs.call("fetch_by_root", [root]);
    expect(tree.map((row) => row["msl_message"])).toEqual(["said 0", "said 1"]);
    const newest = await logs.call("fetch_recent", [2]);
    expect(newest.length).toBe(2);
    expect(String(newest[0]?.["msl_time"]) >= String(newest[1]?.["msl_time"])).toBe(true);
  });
});
