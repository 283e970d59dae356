import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import type { MongoClient } from "mongodb";
import {
  type Adapter,
  type AdapterDriver,
  BedsError,
  type Binding,
  type MutationOutcome,
} from "../../../../core/contract/index.ts";
import { MongodbCalls } from "../../../../plugins/adapters/mongodb/calls.ts";
import {
  applyAll,
  Caller,
  codeOf,
  fixtures,
  openDriver,
  plainClient,
  readTemplate,
  removeFixtures,
  someKey,
  stackServer,
  stackTarget,
} from "./stack.ts";

let driver: AdapterDriver;
let adapter: Adapter;
let tests: Caller;
let dba: MongoClient;
let put: Binding;

beforeAll(async () => {
  driver = await openDriver();
  await applyAll(driver, true);
  adapter = driver.open(stackTarget());
  tests = new Caller(adapter, await readTemplate(fixtures, "tests_rec.toml"));
  for (const name of ["upsert", "change", "set", "drop", "by_key"]) await tests.binding(name);
  put = await tests.binding("put");
  dba = plainClient(stackServer("beds_dba", "admin"));
});

beforeEach(async () => {
  await dba.db("docs").collection("zzt").deleteMany({});
});

afterAll(async () => {
  await dba
    .db("docs")
    .collection("beds_key")
    .deleteMany({ "_id.scope": /^tests/ });
  await adapter.close();
  await dba.close();
  await removeFixtures(driver);
});

/** What `upsert` has added up under a name; null where nothing is. */
async function sum(name: string): Promise<unknown> {
  const found = await dba.db("docs").collection("zzt").findOne({ zzt_key: name });
  return found === null ? null : found["zzt_int"];
}

async function storedKeys(key: string): Promise<number> {
  return await dba.db("docs").collection("beds_key").countDocuments({ "_id.key": key });
}

const row = (outcome: MutationOutcome) => outcome.rows?.[0];
const nothing = Array.from({ length: 12 }, () => null);

describe("the same key takes effect once", () => {
  test("asked again, it answers with what is stored, times and all", async () => {
    const key = someKey();
    const first = await tests.keyed(key, "upsert", ["once", 3]);
    const second = await tests.keyed(key, "upsert", ["once", 3]);
    expect(first.replayed).toBe(false);
    expect(second).toEqual({ ...first, replayed: true });
    expect<unknown>(row(second)).toMatchObject({ zzt_key: "once", zzt_int: 3 });
    expect(await sum("once")).toBe(3);
  });

  const effects: readonly (readonly [name: string, values: readonly unknown[]])[] = [
    ["upsert", ["crowd", 1]],
    ["put", ["crowd", ...nothing]],
    ["set", ["crowd", "x", 1]],
    ["drop", ["crowd"]],
  ];
  for (const [name, values] of effects) {
    test(`64 callers at once: one ${name}, 63 replays of its answer`, async () => {
      if (name === "set" || name === "drop") await tests.call("put", ["crowd", ...nothing]);
      const key = someKey();
      const before = performance.now();
      const outcomes = await Promise.all(
        Array.from({ length: 64 }, () => tests.keyed(key, name, values)),
      );
      const tookMs = performance.now() - before;
      console.info(`64 callers, one key, ${name}: ${Math.round(tookMs)} ms`);
      expect(outcomes.filter(({ replayed }) => !replayed).length).toBe(1);
      expect(new Set(outcomes.map(({ rows }) => JSON.stringify(rows))).size).toBe(1);
      expect(outcomes.map(({ error }) => error)).toEqual(outcomes.map(() => null));
      expect(await sum("crowd")).toBe(name === "drop" ? null : name === "put" ? undefined : 1);
      expect(await storedKeys(key.key)).toBe(1);
      expect(tookMs).toBeLessThan(3000);
    });
  }

  test("for other arguments it is BEDS-K001, and nothing happens", async () => {
    const key = someKey();
    await tests.keyed(key, "upsert", ["other", 1]);
    const other = { ...key, requestHash: "1".repeat(64) };
    expect(await codeOf(tests.keyed(other, "upsert", ["other", 5]))).toBe("BEDS-K001");
    expect(await codeOf(tests.keyed(other, "drop", ["nobody"]))).toBe("BEDS-K001");
    expect(await sum("other")).toBe(1);
  });

  test("in another scope it is another key", async () => {
    const key = someKey();
    await tests.keyed(key, "upsert", ["scope", 1]);
    const other = { ...key, scope: "tests/MongoTests.other" };
    expect((await tests.keyed(other, "upsert", ["scope", 1])).replayed).toBe(false);
    expect(await sum("scope")).toBe(2);
  });

  test("a key is a value, whatever it says", async () => {
    for (const text of ["$where", '{"$gt":""}', "a.b", "\u0000"]) {
      const key = someKey({ scope: `tests${text}`, key: text + crypto.randomUUID() });
      expect((await tests.keyed(key, "upsert", ["text", 1])).replayed).toBe(false);
      expect((await tests.keyed(key, "upsert", ["text", 1])).replayed).toBe(true);
    }
    expect(await sum("text")).toBe(4);
  });

  test("rows that BSON would read in its own way are answered as they were", async () => {
    const json = { deep: [1, { _bsontype: "Long", value: "1" }], "a.b": null };
    const key = someKey();
    const values = ["json", ...nothing.slice(1), json];
    const first = await tests.keyed(key, "put", values);
    expect<unknown>(row(first)?.["zzt_json"]).toEqual(json);
    expect(await tests.keyed(key, "put", values)).toEqual({ ...first, replayed: true });
  });
});

describe("a BUSINESS error is an answer like another", () => {
  const refusals: readonly (readonly [code: string, name: string, values: readonly unknown[]])[] = [
    ["BEDS-D006", "put", ["there", ...nothing]],
    ["BEDS-D404", "drop", ["nobody"]],
    ["BEDS-D404", "change", ["nobody", "x"]],
    ["BEDS-D007", "put", ["x".repeat(101), ...nothing]],
    ["BEDS-D007", "drop", [{ $gt: "" }]],
  ];
  for (const [code, name, values] of refusals) {
    test(`${code} of ${name} is stored and replayed, and stays when the cause is gone`, async () => {
      await tests.call("put", ["there", ...nothing]);
      const key = someKey();
      const first = await tests.keyed(key, name, values);
      expect(first).toMatchObject({ replayed: false, rows: null, error: { code } });
      await dba.db("docs").collection("zzt").deleteMany({});
      if (code === "BEDS-D404") await tests.call("put", ["nobody", ...nothing]);
      const { error, ...rest } = await tests.keyed(key, name, values);
      expect(rest).toEqual({ replayed: true, rows: null });
      const { detail = "", hint = "" } = first.error ?? {};
      expect(error).toMatchObject({ code, detail, hint });
      expect(await dba.db("docs").collection("zzt").countDocuments()).toBe(
        code === "BEDS-D404" ? 1 : 0,
      );
    });
  }

  test("what the work did before is undone", async () => {
    const { keyed } = adapter;
    const key = someKey();
    const options = { timeoutMs: 5000, rowCap: 10 };
    const own = new BedsError("BEDS-D409", { detail: "own words", hint: "own hint" });
    const outcome = await keyed?.run(
      key,
      async (core) => {
        await core.createRecord(put, ["undone", ...nothing], options);
        throw own;
      },
      options,
    );
    expect(outcome?.error).toBe(own);
    expect(await sum("undone")).toBeNull();
    const replay = await keyed?.run(key, async () => [], options);
    expect(replay).toMatchObject({ replayed: true, error: { code: "BEDS-D409" } });
    expect(replay?.error).toMatchObject({ detail: "own words", hint: "own hint" });
  });

  test("64 callers at once: one refusal, 63 replays of it", async () => {
    const key = someKey();
    const outcomes = await Promise.all(
      Array.from({ length: 64 }, () => tests.keyed(key, "drop", ["nobody"])),
    );
    expect(outcomes.filter(({ replayed }) => !replayed).length).toBe(1);
    expect(new Set(outcomes.map(({ error }) => error?.code))).toEqual(new Set(["BEDS-D404"]));
  });
});

describe("every other error undoes everything, the key included", () => {
  const options = { timeoutMs: 5000, rowCap: 10 };

  test("a bug of the work is thrown as it is, an error that it hid as well", async () => {
    const { keyed } = adapter;
    const key = someKey();
    const bug = new BedsError("BEDS-D009");
    const works: readonly (readonly [
      code: string,
      work: (core: Adapter["core"]) => Promise<void>,
    ])[] = [
      ["BEDS-D009", () => Promise.reject(bug)],
      [
        "BEDS-B001",
        async (core) => void core.createRecord(put, ["hid", ...nothing], options).catch(() => []),
      ],
    ];
    for (const [code, work] of works) {
      const run = keyed?.run(
        key,
        async (core) => {
          await core.createRecord(put, ["bug", ...nothing], options);
          await work(core);
          return [];
        },
        options,
      );
      expect(await codeOf(run ?? Promise.resolve())).toBe(code);
    }
    await Bun.sleep(100);
    expect([await sum("bug"), await sum("hid"), await storedKeys(key.key)]).toEqual([
      null,
      null,
      0,
    ]);
  });

  test("a refusal that the work caught has undone everything all the same", async () => {
    const key = someKey();
    await tests.call("put", ["there", ...nothing]);
    const outcome = await adapter.keyed?.run(
      key,
      async (core) => {
        await core.createRecord(put, ["caught", ...nothing], options);
        await core.createRecord(put, ["there", ...nothing], options).catch(() => []);
        return [];
      },
      options,
    );
    expect(outcome?.error?.code).toBe("BEDS-D006");
    expect(await sum("caught")).toBeNull();
    const other = adapter.keyed?.run(
      someKey(),
      async (core) => {
        await core.createRecord(put, ["there", ...nothing], options).catch(() => []);
        throw new BedsError("BEDS-D409");
      },
      options,
    );
    expect((await other)?.error?.code).toBe("BEDS-D006");
  });

  test("a core that is used after the end is refused", async () => {
    let kept = adapter.core;
    await adapter.keyed?.run(
      someKey(),
      async (core) => {
        kept = core;
        return [];
      },
      options,
    );
    expect(kept).toBeInstanceOf(MongodbCalls);
    const late = kept.createRecord(put, ["late", ...nothing], options);
    expect(await late.catch((error: unknown) => error)).toMatchObject({
      code: "BEDS-B001",
      detail: "a command came after the end of its transaction",
    });
    expect(await sum("late")).toBeNull();
  });

  test("the time limit leaves neither effect nor key, and no lock behind", async () => {
    const key = someKey();
    const before = performance.now();
    const slow = adapter.keyed?.run(
      key,
      async (core) => {
        const rows = await core.createRecord(put, ["slow", ...nothing], options);
        await Bun.sleep(400);
        return rows;
      },
      { timeoutMs: 300, rowCap: 10 },
    );
    expect(await codeOf(slow ?? Promise.resolve())).toBe("BEDS-D002");
    expect(performance.now() - before).toBeLessThan(900);
    expect([await sum("slow"), await storedKeys(key.key)]).toEqual([null, 0]);
    expect((await tests.keyed(key, "put", ["slow", ...nothing], 300)).replayed).toBe(false);
  });
});
