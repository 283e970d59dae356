import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Keyed, type KeyedRig, makeKey, makeKeyedRig } from "./keyed-rig.ts";
import { makeScratch, outcome } from "./scratch.ts";

// BEDS's own table and procedures for keys: what they hold, who may use them, what is said when
// they lack.

let rig: KeyedRig;
let db: Keyed;

beforeAll(async () => {
  rig = await makeKeyedRig("store");
  db = await rig.open(4);
});

afterAll(async () => {
  await db.adapter.close();
  await rig.dispose();
});

const limits = { timeoutMs: 5000, rowCap: 1000 } as const;

async function expiring(key: string, expiresAt: number): Promise<void> {
  await db.keyed.run({ ...makeKey(key, key), expiresAt }, async () => [], limits);
}

describe("purge", () => {
  test("forgets what has expired, the oldest first, and no more than it is told", async () => {
    const now = Date.now();
    for (const [key, ageMs] of Object.entries({ p1: 3000, p2: 5000, p3: 4000, p4: -60_000 })) {
      await expiring(key, now - ageMs);
    }
    await expiring("far", Date.UTC(2300, 0, 1));
    expect(await db.keyed.purge(2)).toBe(2);
    const left = await Promise.all(["p1", "p2", "p3", "p4", "far"].map(rig.keys));
    expect(left).toEqual([1, 0, 0, 1, 1]);
    expect(await db.keyed.purge(100)).toBe(1);
    expect(await db.keyed.purge(100)).toBe(0);
    expect(await rig.keys("p4")).toBe(1);
  });

  test("a key that was forgotten is a new one", async () => {
    await expiring("again", Date.now() - 1000);
    expect((await db.keyed.run(makeKey("again", "again"), async () => [], limits)).replayed).toBe(
      true,
    );
    await db.keyed.purge(100);
    const anew = await db.keyed.run(makeKey("again", "again"), async () => [], limits);
    expect(anew.replayed).toBe(false);
  });
});

describe("answers", () => {
  test("any JSON comes back as it was", async () => {
    const rows = [
      { a: null, b: "𝒳 \u0000 '\"\\ é", c: [1.5, true, { d: {} }], e: "9007199254740993" },
    ];
    const key = makeKey("json", 1);
    const first = await db.keyed.run(key, async () => rows, limits);
    const again = await db.keyed.run(key, async () => [], limits);
    expect(again).toEqual({ ...first, replayed: true });
    expect(again.rows).toEqual(rows);
  });

  test("two megabytes are stored; what the table cannot hold is BEDS-M030", async () => {
    const big = [{ text: "é".repeat(1024 * 1024) }];
    const key = makeKey("big", 1);
    await db.keyed.run(key, async () => big, limits);
    expect((await db.keyed.run(key, async () => [], limits)).rows).toEqual(big);
    const huge = db.keyed.run(
      makeKey("huge", 1),
      async (core) => {
        await db.work("keep", { text: "huge" })(core);
        return Array.from({ length: 16 }, () => ({ text: "x".repeat(1024 * 1024) }));
      },
      limits,
    );
    expect(await outcome(huge)).toStartWith("BEDS-M030");
    expect([await rig.effects("huge"), await rig.keys("huge")]).toEqual([0, 0]);
  });

  test("one that somebody spoilt is BEDS-B001, never a second effect", async () => {
    const spoilt = [
      "",
      "{",
      "[]",
      '{"rows":[1]}',
      '{"code":"NONE","detail":""}',
      '{"rows":[],"x":1}',
    ];
    for (const [at, response] of spoilt.entries()) {
      const key = `spoilt ${at}`;
      await db.mutate(key, "keep", { text: key });
      const sql = "UPDATE {db}.beds_key SET response = ? WHERE idem_key = ?";
      await rig.scratch.as("dba", sql, [response, key]);
      expect(await outcome(db.mutate(key, "keep", { text: key }))).toStartWith("BEDS-B001");
      expect(await rig.effects(key)).toBe(1);
    }
  });

  test("a scope or key that the table would cut is refused before anything is sent", async () => {
    for (const [scope, key] of [
      ["s".repeat(513), "k"],
      ["s", "é".repeat(128)],
    ] as const) {
      const run = db.keyed.run(makeKey(key, 1, scope), async () => [], limits);
      expect(await outcome(run)).toStartWith("BEDS-B001: a scope has up to");
    }
    const longest = makeKey("k".repeat(255), 1, "s".repeat(512));
    expect((await db.keyed.run(longest, async () => [], limits)).replayed).toBe(false);
  });
});

describe("rights", () => {
  test("a name that would be SQL stays a name", async () => {
    const evil = "'; DROP TABLE kyd_effect; --";
    const call = `CALL {db}.beds_begin('s', 'evil', REPEAT('a', 64), ?, UTC_TIMESTAMP())`;
    expect(await outcome(rig.scratch.as("run", call, [evil]))).toBe("fulfilled");
    expect(await rig.effects("none")).toBe(0);
    expect(await rig.keys("evil")).toBe(0);
  });

  test("no operation may have one of BEDS's own procedures as its object", async () => {
    const { objects, missing } = await db.adapter.describe(AbortSignal.timeout(5000));
    for (const name of ["beds_begin", "beds_finish", "beds_find", "beds_purge", "beds_kill"]) {
      expect(objects.get(name)?.refusal).toBe("it is BEDS's own and no operation's object");
    }
    expect(objects.get("kyd_keep")?.refusal).toBeUndefined();
    expect(missing).toEqual([]);
  });
});

describe("without `beds db apply`", () => {
  test("describe names what lacks, and a mutation says what to do", async () => {
    const bare = await makeScratch("bare");
    const adapter = bare.driver.open(bare.target);
    try {
      // Without a single grant the account does not even see the database.
      const { missing } = await adapter.describe(AbortSignal.timeout(5000));
      expect(missing?.toSorted()).toEqual([
        "procedure beds_begin",
        "procedure beds_find",
        "procedure beds_finish",
        "procedure beds_kill",
        "procedure beds_purge",
      ]);
      const run = adapter.keyed?.run(makeKey("k", 1), async () => [], limits);
      const error = await run?.catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: "BEDS-D011", hint: "run `beds db apply`" });
      expect(await outcome(adapter.keyed?.purge(1) ?? Promise.resolve())).toStartWith("BEDS-D011");
    } finally {
      await adapter.close();
      await bare.dispose();
    }
  });

  test("a procedure of another version, one that is gone, a table that is gone", async () => {
    const { scratch, template } = rig;
    await scratch.as("dba", "CREATE OR REPLACE PROCEDURE {db}.beds_begin(IN p_one INT) SELECT 1");
    await scratch.as("dba", "DROP PROCEDURE {db}.beds_purge");
    const described = await db.adapter.describe(AbortSignal.timeout(5000));
    expect(described.missing).toEqual([
      "procedure beds_begin with 5 parameters (it has 1)",
      "procedure beds_purge",
    ]);
    expect(await outcome(db.mutate("old", "keep", { text: "old" }))).toStartWith("BEDS-D011");
    const idle = `CREATE OR REPLACE PROCEDURE
      {db}.beds_begin(IN a BLOB, IN b BLOB, IN c TEXT, IN d TEXT, IN e TEXT) DO 0`;
    await scratch.as("dba", idle);
    // One that opens no transaction: the work must not run without one.
    expect(await outcome(db.mutate("old", "keep", { text: "old" }))).toStartWith("BEDS-D003");
    await scratch.as("dba", "DROP PROCEDURE {db}.beds_begin");
    await scratch.as("dba", "DROP TABLE {db}.beds_key");
    await scratch.apply([], [template]);
    expect((await db.adapter.describe(AbortSignal.timeout(5000))).missing).toEqual([]);
    await scratch.as("dba", "DROP TABLE {db}.beds_key");
    expect(await outcome(db.mutate("old", "keep", { text: "old" }))).toStartWith("BEDS-D011");
    expect(await rig.effects("old")).toBe(0);
    await scratch.apply([], [template]);
    expect((await db.mutate("old", "keep", { text: "old" })).replayed).toBe(false);
    const again = await scratch.apply([], [template]);
    expect(again.filter((change) => change.changed)).toEqual([]);
  });
});
