import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Keyed, type KeyedRig, makeKey, makeKeyedRig } from "./keyed-rig.ts";
import { Link } from "./link.ts";
import { outcome } from "./scratch.ts";

// Keyed mutations whose connection goes away, at every step: asking again gives exactly one effect.

let rig: KeyedRig;
let link: Link;
/** Over the link. */
let db: Keyed;
/** Another node, whose link is never touched. */
let other: Keyed;

beforeAll(async () => {
  rig = await makeKeyedRig("cut");
  // Holds a commit up, so that it can be hit.
  await rig.scratch.as(
    "dba",
    `CREATE TRIGGER {db}.slow_finish BEFORE UPDATE ON {db}.beds_key FOR EACH ROW
      SET @slept = IF(NEW.idem_key LIKE 'slow%', SLEEP(0.4), 0)`,
  );
  link = new Link(rig.scratch.target.master);
  const port = await link.open();
  db = await rig.open(4, { ...rig.scratch.target.master, port });
  other = await rig.open(4);
});

afterAll(async () => {
  await db.adapter.close();
  await other.adapter.close();
  await link.close();
  await rig.dispose();
});

const limits = { timeoutMs: 5000, rowCap: 1000 } as const;

/**
 * Ends the connections of the runtime account, as a DBA would. While an object runs, the server
 * shows them under its definer's name.
 */
async function killAll(): Promise<void> {
  const { master, dba } = rig.scratch.target;
  const rows = await rig.scratch.root("SHOW PROCESSLIST");
  const own = rows.filter((row) => row["User"] === master.user || row["User"] === dba?.user);
  // One that has gone by itself meanwhile is an error (1094), and fine.
  for (const row of own) await rig.scratch.root(`KILL ${String(row["Id"])}`).catch(() => {});
}

/** Asks with `text` as the key until there is an answer; at the end there is one effect. */
async function askAgain(text: string): Promise<boolean> {
  const { replayed } = await db.mutate(text, "keep", { text });
  expect(await rig.effects(text)).toBe(1);
  return replayed;
}

test("idle connections that were killed are replaced, and nobody notices", async () => {
  await db.mutate("warm", "keep", { text: "warm" });
  await killAll();
  expect((await db.mutate("idle", "keep", { text: "idle" })).replayed).toBe(false);
  await killAll();
  await Bun.sleep(20);
  expect(await askAgain("idle")).toBe(true);
});

test("killed before the work: BEDS-D001, and nothing is left", async () => {
  const text = "before work";
  const run = db.keyed.run(
    makeKey(text, { text }),
    async (core) => {
      await killAll();
      return await db.work("keep", { text })(core);
    },
    limits,
  );
  expect(await outcome(run)).toStartWith("BEDS-D001");
  expect([await rig.effects(text), await rig.keys(text)]).toEqual([0, 0]);
  expect(await askAgain(text)).toBe(false);
});

test("killed behind the work, before the commit: BEDS-D001, and nothing is left", async () => {
  const text = "behind work";
  const run = db.keyed.run(
    makeKey(text, { text }),
    async (core) => {
      const rows = await db.work("keep", { text })(core);
      await killAll();
      return rows;
    },
    limits,
  );
  expect(await outcome(run)).toStartWith("BEDS-D001");
  expect(await askAgain(text)).toBe(false);
});

test("killed during the work: BEDS-D001, and nothing is left", async () => {
  const text = "during work";
  const run = outcome(db.mutate(text, "linger", { text, pause_ms: 600 }));
  await Bun.sleep(500);
  await killAll();
  expect(await run).toStartWith("BEDS-D001");
  expect(await askAgain(text)).toBe(false);
});

test("killed during the commit, before it took effect: BEDS-D001, for it is sure", async () => {
  const text = "slow, killed";
  const run = outcome(db.mutate(text, "keep", { text }));
  await Bun.sleep(200);
  await killAll();
  expect(await run).toStartWith("BEDS-D001");
  expect(await rig.keys(text)).toBe(0);
  expect(await askAgain(text)).toBe(false);
});

test("a commit that outlives the time limit: BEDS-D002, and nothing is left", async () => {
  const text = "slow, late";
  const late = db.mutate(text, "keep", { text }, { timeoutMs: 100 });
  expect(await outcome(late)).toStartWith("BEDS-D002");
  expect(await rig.keys(text)).toBe(0);
  expect(await askAgain(text)).toBe(false);
});

test("the answer to the commit is lost: the stored one is found, and it is ours", async () => {
  const text = "cut me";
  await db.mutate("warm 2", "keep", { text: "warm" });
  link.cutAt = `"${text}"`;
  const found = await db.mutate(text, "keep", { text });
  expect(link.cutAt).toBeNull();
  expect(found).toMatchObject({ replayed: false, error: null });
  expect(found.rows?.[0]?.["kyd_text"]).toBe(text);
  expect(await askAgain(text)).toBe(true);
});

test("the answer to the commit of a refusal is lost: the same", async () => {
  link.cutAt = '"taken already"';
  const args = { text: "cut refusal", state: "45409" };
  const found = await db.mutate("cut refusal", "refuse", args);
  expect(link.cutAt).toBeNull();
  expect(found.replayed).toBe(false);
  expect(found.error).toMatchObject({ code: "BEDS-D409", detail: "taken already" });
  expect(await rig.effects("cut refusal")).toBe(0);
  expect((await db.mutate("cut refusal", "refuse", args)).replayed).toBe(true);
});

test("the commit is lost and the server still waits for it: it is killed, BEDS-D001", async () => {
  const text = "lose me";
  link.loseAt = `"${text}"`;
  const started = performance.now();
  expect(await outcome(db.mutate(text, "keep", { text }))).toStartWith("BEDS-D001");
  expect(performance.now() - started).toBeLessThan(1000);
  expect(link.loseAt).toBeNull();
  expect(await rig.keys(text)).toBe(0);
  expect(await askAgain(text)).toBe(false);
});

test("the commit is lost and somebody else does it meanwhile: theirs, replayed", async () => {
  const text = "lose and find";
  link.loseAt = `"${text}"`;
  const [one, two] = await Promise.all([
    db.mutate(text, "keep", { text }),
    Bun.sleep(5).then(() => other.mutate(text, "keep", { text })),
  ]);
  expect(link.loseAt).toBeNull();
  expect([one?.replayed, two?.replayed]).toEqual([true, false]);
  expect(one?.rows).toEqual(two?.rows ?? []);
  expect(await rig.effects(text)).toBe(1);
});

test("a link that goes dead under the commit: BEDS-D004 in time, and the key tells", async () => {
  const text = "silent commit";
  link.silentAt = `"${text}"`;
  const started = performance.now();
  const run = db.mutate(text, "keep", { text }, { timeoutMs: 300 });
  expect(await outcome(run)).toStartWith("BEDS-D004");
  expect(performance.now() - started).toBeLessThan(2300);
  link.silent = false;
  expect(await askAgain(text)).toBe(true);
});

test("a link that goes dead under the work: BEDS-D002, and nothing is left", async () => {
  const text = "silent work";
  const run = outcome(db.mutate(text, "linger", { text, pause_ms: 400 }, { timeoutMs: 300 }));
  await Bun.sleep(100);
  link.silent = true;
  expect(await run).toStartWith("BEDS-D002");
  link.silent = false;
  expect(await askAgain(text)).toBe(false);
});

test("a server that is down fails fast, the first mutation after its return succeeds", async () => {
  await link.close();
  await Bun.sleep(20);
  const started = performance.now();
  expect(await outcome(db.mutate("down", "keep", { text: "down" }))).toStartWith("BEDS-D001");
  expect(performance.now() - started).toBeLessThan(200);
  await link.open();
  expect(await askAgain("down")).toBe(false);
});

test("killed at random: what is asked for until it is answered happens once", async () => {
  const count = 300;
  const codes = new Map<string, number>();
  let killing = true;
  const killer = (async () => {
    while (killing) {
      await Bun.sleep(5 + Math.random() * 15);
      await killAll();
    }
  })();
  let at = 0;
  const caller = async (): Promise<void> => {
    while (at < count) {
      const text = `random ${at++}`;
      for (let asked = 0; asked < 50; asked += 1) {
        const said = await outcome(other.mutate(text, "keep", { text }));
        codes.set(said.slice(0, 9), (codes.get(said.slice(0, 9)) ?? 0) + 1);
        if (said === "fulfilled") break;
      }
    }
  };
  await Promise.all(Array.from({ length: 4 }, caller));
  killing = false;
  await killer;
  expect(codes.get("fulfilled")).toBe(count);
  expect(codes.get("BEDS-D001")).toBeGreaterThan(0);
  const expected = new Set(["fulfilled", "BEDS-D001", "BEDS-D004"]);
  expect([...codes.keys()].filter((code) => !expected.has(code))).toEqual([]);
  const rows = await rig.scratch.as(
    "dba",
    "SELECT kyd_text FROM {db}.kyd_effect WHERE kyd_text LIKE 'random %'",
  );
  expect(rows).toHaveLength(count);
  expect(new Set(rows.map((row) => JSON.stringify(row))).size).toBe(count);
  const open = await rig.scratch.as("dba", "SELECT 1 FROM {db}.beds_key WHERE response IS NULL");
  expect(open).toEqual([]);
});
