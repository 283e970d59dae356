import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { BedsError } from "../../../../core/contract/index.ts";
import { type Keyed, type KeyedRig, makeKey, makeKeyedRig } from "./keyed-rig.ts";
import { outcome } from "./scratch.ts";

// Objects that fight the transaction which they run in, and one another.

let rig: KeyedRig;
let db: Keyed;

beforeAll(async () => {
  rig = await makeKeyedRig("fight");
  db = await rig.open(16);
});

afterAll(async () => {
  await db.adapter.close();
  await rig.dispose();
});

const limits = { timeoutMs: 5000, rowCap: 1000 } as const;

/** The newest connection of the runtime account first. */
async function connectionIds(): Promise<number[]> {
  const rows = await rig.scratch.root("SHOW PROCESSLIST");
  const { user } = rig.scratch.target.master;
  return rows
    .filter((row) => row["User"] === user)
    .map((row) => Number(row["Id"]))
    .toSorted((a, b) => b - a);
}

describe("objects that break the transaction", () => {
  test.each(["commit", "rollback", "ddl", "start", "dynamic", "unkey", "release"])(
    "%s is BEDS-D005 with the object's name, nothing is committed and the key is free",
    async (op) => {
      const text = `broken ${op}`;
      const before = await db.mutate(`before ${op}`, "keep", { text: `before ${op}` });
      expect(await outcome(db.mutate(text, op, { text }))).toStartWith(`BEDS-D005: kyd_${op}: `);
      expect([await rig.effects(text), await rig.keys(text)]).toEqual([0, 0]);
      expect(await rig.scratch.as("dba", "SHOW TABLES FROM {db} LIKE 'kyd_more'")).toEqual([]);
      const again = await db.mutate(`before ${op}`, "keep", { text: `before ${op}` });
      expect(again).toEqual({ ...before, replayed: true });
      expect((await db.mutate(text, "keep", { text })).replayed).toBe(false);
      expect(await rig.effects(text)).toBe(1);
    },
  );

  test("its connection is not used again", async () => {
    const alone = await rig.open(1);
    try {
      await alone.mutate("alone", "keep", { text: "alone" });
      const [before] = await connectionIds();
      await outcome(alone.mutate("alone 2", "commit", { text: "alone 2" }));
      await alone.mutate("alone 3", "keep", { text: "alone 3" });
      expect(await connectionIds()).not.toContain(before);
    } finally {
      await alone.adapter.close();
    }
  });

  test("one that takes no notice of the refusal is done once, whole", async () => {
    const text = "stubborn";
    expect((await db.mutate(text, "stubborn", { text })).replayed).toBe(false);
    expect((await db.mutate(text, "stubborn", { text })).replayed).toBe(true);
    expect(await rig.effects(text)).toBe(1);
  });

  test("one that changes how the session commits harms nobody after it", async () => {
    const alone = await rig.open(1);
    try {
      const text = "switched";
      await alone.mutate(text, "autocommit", { text });
      await alone.call("keep", { text: "switched unkeyed" });
      expect((await alone.mutate(`${text} 2`, "keep", { text })).replayed).toBe(false);
      expect(await rig.effects(text)).toBe(3);
      expect(await rig.effects("switched unkeyed")).toBe(1);
    } finally {
      await alone.adapter.close();
    }
  });
});

describe("conflicts", () => {
  test.each(["no", "error", "silence", "going on"])(
    "two keys that deadlock in their objects both succeed (deadlock hidden: %s)",
    async (hide) => {
      const one = { text: `deadlock ${hide}`, first: 1, second: 2, hide };
      const other = { ...one, first: 2, second: 1 };
      const both = await Promise.all([
        db.mutate(`one ${hide}`, "lock_two", one),
        db.mutate(`other ${hide}`, "lock_two", other),
      ]);
      expect(both.map((each) => each.error)).toEqual([null, null]);
      expect(both.map((each) => each.replayed)).toEqual([false, false]);
      expect(await rig.effects(one.text)).toBe(2);
      expect(await rig.effects("outside")).toBe(0);
    },
  );

  test("one that lasts is BEDS-D003 after a bounded number of tries", async () => {
    let tries = 0;
    const run = db.keyed.run(
      makeKey("lasting", 1),
      async (core) => {
        tries += 1;
        await db.work("keep", { text: "lasting" })(core);
        throw new BedsError("BEDS-D003", { detail: "again" });
      },
      limits,
    );
    expect(await outcome(run)).toBe("BEDS-D003: again");
    expect(tries).toBe(10);
    expect([await rig.effects("lasting"), await rig.keys("lasting")]).toEqual([0, 0]);
  });
});
