import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { BedsError, type MutationOutcome } from "../../../../core/contract/index.ts";
import { type Keyed, type KeyedRig, makeKey, makeKeyedRig } from "./keyed-rig.ts";
import { outcome } from "./scratch.ts";

// Keyed mutations against the real server: what must happen once happens once.

let rig: KeyedRig;
let db: Keyed;

beforeAll(async () => {
  rig = await makeKeyedRig("keyed");
  db = await rig.open(16);
});

afterAll(async () => {
  await db.adapter.close();
  await rig.dispose();
});

const limits = { timeoutMs: 5000, rowCap: 1000 } as const;

/** The parts of an error that reach a caller. */
function told({ error }: MutationOutcome): unknown {
  if (error === null) return null;
  const { code, detail, hint, message } = error;
  return { code, detail, hint, message };
}

describe("exactly one effect", () => {
  test("64 callers with one key: one does it, 63 are given the same answer", async () => {
    const text = "sixty-four";
    await db.mutate("warm", "keep", { text: "warm" });
    const started = performance.now();
    const all = await Promise.all(
      Array.from({ length: 64 }, () => db.mutate(text, "keep", { text })),
    );
    expect(performance.now() - started).toBeLessThan(2000);
    expect(all.filter((each) => !each.replayed)).toHaveLength(1);
    expect(new Set(all.map((each) => JSON.stringify(each.rows))).size).toBe(1);
    expect(all[0]?.rows?.[0]?.["kyd_text"]).toBe(text);
    expect(await rig.effects(text)).toBe(1);
  });

  test("the first one rolls back: the waiters converge within two seconds", async () => {
    const text = "first fails";
    const key = makeKey(text, { text });
    const broken = db.keyed.run(
      key,
      async (core) => {
        await db.work("keep", { text })(core);
        await Bun.sleep(200);
        throw new BedsError("BEDS-B001", { detail: "given up" });
      },
      limits,
    );
    await Bun.sleep(50);
    const started = performance.now();
    const others = Array.from({ length: 64 }, () => db.mutate(text, "keep", { text }));
    expect(await outcome(broken)).toBe("BEDS-B001: given up");
    const all = await Promise.all(others);
    expect(performance.now() - started).toBeLessThan(2000);
    expect(all.filter((each) => !each.replayed)).toHaveLength(1);
    expect(await rig.effects(text)).toBe(1);
  });

  test("the same key for other arguments is BEDS-K001, and nothing happens", async () => {
    await db.mutate("twice", "keep", { text: "said once" });
    expect(await outcome(db.mutate("twice", "keep", { text: "said twice" }))).toStartWith(
      "BEDS-K001",
    );
    expect(await rig.effects("said twice")).toBe(0);
    expect((await db.mutate("twice", "keep", { text: "said once" })).replayed).toBe(true);
  });

  test("the same key in another scope is another key", async () => {
    const text = "scoped";
    const first = await db.mutate("scoped", "keep", { text }, { scope: "one" });
    const second = await db.mutate("scoped", "keep", { text }, { scope: "other" });
    expect([first.replayed, second.replayed]).toEqual([false, false]);
    expect(await rig.effects(text)).toBe(2);
  });

  test("keys differ by bytes: case, accents and trailing spaces count", async () => {
    for (const key of ["Bytes", "bytes", "bytes ", "bytés"]) {
      expect((await db.mutate(key, "keep", { text: "bytes" })).replayed).toBe(false);
    }
    expect(await rig.effects("bytes")).toBe(4);
  });

  test("a replay needs no work and costs no connection", async () => {
    await db.mutate("idle", "keep", { text: "idle" });
    const key = makeKey("idle", { text: "idle" });
    const again = await db.keyed.run(key, () => Promise.reject(new Error("work ran")), limits);
    expect(again.replayed).toBe(true);
    expect(await rig.effects("idle")).toBe(1);
  });

  test("two effects of one piece of work commit together or not at all", async () => {
    const both = (last: string) =>
      db.keyed.run(
        makeKey(`both ${last}`, last),
        async (core) => {
          await db.work("keep", { text: "both" })(core);
          return await db.work(last, { text: "both", state: "45404" })(core);
        },
        limits,
      );
    expect((await both("refuse")).error?.code).toBe("BEDS-D404");
    expect(await rig.effects("both")).toBe(0);
    expect((await both("keep")).rows).toHaveLength(1);
    expect(await rig.effects("both")).toBe(2);
  });
});

describe("a BUSINESS error is an answer", () => {
  const refusals = [
    ["refuse", { state: "45404" }, "BEDS-D404", "no such ünit"],
    ["refuse", { state: "45409" }, "BEDS-D409", "taken already"],
    ["keep", { text: "x".repeat(200) }, "BEDS-D007", "column p_kyd_text [error 1406 (22001)]"],
  ] as const;
  test.each(refusals)("%s(%#) is stored and replayed", async (op, args, code, detail) => {
    const text = `refused ${code}`;
    const first = await db.mutate(text, op, { text, ...args });
    const again = await db.mutate(text, op, { text, ...args });
    expect([first.replayed, again.replayed]).toEqual([false, true]);
    expect(told(first)).toMatchObject({ code, detail });
    expect(told(again)).toEqual(told(first));
    expect(await rig.effects(text)).toBe(0);
    expect(await rig.keys(text)).toBe(1);
  });

  test("a duplicate key of the object's undoes what came before it", async () => {
    const text = "unique";
    expect((await db.mutate("u1", "unique", { text })).error).toBeNull();
    const second = await db.mutate("u2", "unique", { text });
    expect(told(second)).toMatchObject({
      code: "BEDS-D006",
      detail: "key PRIMARY [error 1062 (23000)]",
    });
    expect(told(await db.mutate("u2", "unique", { text }))).toEqual(told(second));
    expect(await rig.effects(text)).toBe(1);
  });

  test("one that the work itself throws, with a hint of its own", async () => {
    const key = makeKey("own", "own");
    const run = () =>
      db.keyed.run(
        key,
        async (core) => {
          await db.work("keep", { text: "own" })(core);
          throw new BedsError("BEDS-D404", { detail: "found 0 rows", hint: "look elsewhere" });
        },
        limits,
      );
    const [first, again] = [await run(), await run()];
    expect(told(first)).toMatchObject({ detail: "found 0 rows", hint: "look elsewhere" });
    expect(told(again)).toEqual(told(first));
    expect(again.replayed).toBe(true);
    expect(await rig.effects("own")).toBe(0);
  });

  test("work that hides a failed call has failed all the same", async () => {
    const text = "hidden failure";
    const hiding = await db.keyed.run(
      makeKey(text, text),
      async (core) => {
        await db
          .work("refuse", { text, state: "45409" })(core)
          .catch(() => {});
        return [];
      },
      limits,
    );
    expect(told(hiding)).toMatchObject({ code: "BEDS-D409", detail: "taken already" });
    expect(await rig.effects(text)).toBe(0);
  });
});

describe("what is no answer leaves nothing behind", () => {
  test("a time limit: BEDS-D002, neither effect nor key, and the key works again", async () => {
    for (const [op, timeoutMs] of [
      ["linger_short", 5000],
      ["linger", 300],
    ] as const) {
      const text = `late ${op}`;
      const started = performance.now();
      const late = db.mutate(text, op, { text, pause_ms: 1000 }, { timeoutMs });
      expect(await outcome(late)).toStartWith("BEDS-D002");
      expect(performance.now() - started).toBeLessThan(1300);
      expect([await rig.effects(text), await rig.keys(text)]).toEqual([0, 0]);
      expect((await db.mutate(text, "keep", { text })).replayed).toBe(false);
      expect(await rig.effects(text)).toBe(1);
    }
  });

  test("work that ends late without a late statement: the same", async () => {
    const text = "late work";
    const late = db.keyed.run(
      makeKey(text, { text }),
      async (core) => {
        const rows = await db.work("keep", { text })(core);
        await Bun.sleep(200);
        return rows;
      },
      { ...limits, timeoutMs: 150 },
    );
    expect(await outcome(late)).toStartWith("BEDS-D002: kyd_keep took longer");
    expect([await rig.effects(text), await rig.keys(text)]).toEqual([0, 0]);
  });

  test("an error that nobody foresaw is thrown as it is", async () => {
    const odd = new Error("odd");
    const run = db.keyed.run(
      makeKey("odd", 1),
      async (core) => {
        await db.work("keep", { text: "odd" })(core);
        throw odd;
      },
      limits,
    );
    expect(await outcome(run)).toStartWith("BEDS-B001");
    expect([await rig.effects("odd"), await rig.keys("odd")]).toEqual([0, 0]);
  });

  test("a call that outlives its work never runs outside the transaction", async () => {
    let late: Promise<unknown> = Promise.resolve();
    const stray = db.keyed.run(
      makeKey("stray", 1),
      async (core) => {
        late = outcome(db.work("linger", { text: "stray", pause_ms: 100 })(core));
        return [];
      },
      limits,
    );
    expect(await outcome(stray)).toStartWith("BEDS-B001: the work ended before its call");
    expect(await late).not.toBe("fulfilled");
    let kept: ((text: string) => Promise<unknown>) | undefined;
    await db.keyed.run(
      makeKey("kept", 1),
      async (core) => {
        kept = (text) => db.work("keep", { text })(core);
        return [];
      },
      limits,
    );
    expect(await outcome(kept?.("stray") ?? Promise.resolve())).toStartWith("BEDS-B001");
    expect([await rig.effects("stray"), await rig.keys("stray")]).toEqual([0, 0]);
  });
});

test("unkeyed writes share the connections and stay transactions", async () => {
  const few = await rig.open(2);
  try {
    const text = "mixed";
    const refused = { text, state: "45409" };
    await Promise.all(
      Array.from({ length: 40 }, (_, at) => {
        if (at % 4 === 0) return few.call("keep", { text });
        if (at % 4 === 1) return few.mutate(`mixed ${at}`, "keep", { text });
        if (at % 4 === 2) return few.mutate(`mixed ${at}`, "refuse", refused);
        return outcome(few.call("refuse", refused));
      }),
    );
    expect(await rig.effects(text)).toBe(20);
    expect(await rig.scratch.root("XA RECOVER")).toEqual([]);
  } finally {
    await few.adapter.close();
  }
});
