import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { Adapter } from "../../../../core/contract/index.ts";
import {
  type Call,
  loadSources,
  loadTemplate,
  makeCall,
  makeScratch,
  outcome,
  type Scratch,
} from "./scratch.ts";

// Objects that misbehave, each in one way, against the real server.

const fixtures = join(import.meta.dir, "fixtures");
let scratch: Scratch;
let adapter: Adapter;
let call: Call;

beforeAll(async () => {
  scratch = await makeScratch("trial");
  const template = loadTemplate(join(fixtures, "trial.toml"), "trial");
  await scratch.apply(loadSources(join(fixtures, "db/trial")), [template]);
  await scratch.as("dba", "INSERT INTO {db}.trl_lock VALUES (1, 0), (2, 0)");
  adapter = scratch.driver.open(scratch.target);
  call = await makeCall(adapter, template);
});

afterAll(async () => {
  await adapter.close();
  await scratch.dispose();
});

async function notes(text: string): Promise<number> {
  const found = await scratch.as("dba", "SELECT 1 FROM {db}.trl_note WHERE trl_text = ?", [text]);
  return found.length;
}

async function tookMs(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

describe("values are bound, never part of the statement", () => {
  const texts = [
    "'; DROP TABLE trl_note; --",
    "' OR '1'='1",
    "\\'; SELECT SLEEP(5); #",
    "`trl_note`",
    "?, ?, ?",
    "\0\b\t\n\r\x1a\"'\\%_",
    "/*! SELECT 1 */",
    "𝒳 → 本 é e\u0301 \u202e",
    "${x} {{x}} $1 :name @v",
    "x".repeat(300_000),
    "",
  ].map((text) => [text.slice(0, 30), text] as const);
  test.each(texts)("%j is stored byte for byte", async (_, text) => {
    const [row] = await call("keep", { text });
    expect(row?.["trl_text"]).toBe(text);
    expect(row?.["hex"]).toBe(Buffer.from(text, "utf8").toString("hex").toUpperCase());
    const found = await call("find", { text });
    expect(found.map((each) => each["trl_text"])).toEqual([text]);
  });

  test("an object or a list instead of a scalar is refused before it reaches the driver", async () => {
    for (const text of [{ trl_id: 1 }, ["a"], 7, { toString: () => "x" }]) {
      expect(await outcome(call("keep", { text }))).toBe(
        "BEDS-B001: parameter text is not a string",
      );
    }
  });
});

describe("numbers and moments are exact", () => {
  test("64-bit integers differ in their last digit", async () => {
    await call("add", { code: "n1", amount: "9007199254740993" });
    await call("add", { code: "n2", amount: "9007199254740992" });
    const found = await call("find_amount", { amount: "9007199254740993" });
    expect(found.map((row) => [row["trl_code"], row["trl_amount"]])).toEqual([
      ["n1", "9007199254740993"],
    ]);
    const [least] = await call("add", { amount: "-9223372036854775808" });
    expect(least?.["trl_amount"]).toBe("-9223372036854775808");
  });

  test("a moment keeps the digits that its column stores", async () => {
    const moments = ["2026-03-29T01:30:00Z", "2026-03-29T02:30:00.5Z", "1000-01-01T00:00:00.123Z"];
    for (const moment of moments) {
      const [row] = await call("add", { moment });
      expect(row?.["trl_moment"]).toBe(new Date(moment).toISOString());
    }
  });

  test("an optional key narrows a view only when it is sent", async () => {
    await call("add", { code: "f1", amount: "77", flag: true });
    await call("add", { code: "f2", amount: "77", flag: false });
    const codes = async (args: object): Promise<unknown[]> =>
      (await call("find_amount", { ...args })).map((row) => row["trl_code"]);
    expect(await codes({ amount: "77" })).toEqual(["f2", "f1"]);
    expect(await codes({ amount: "77", flag: true })).toEqual(["f1"]);
    expect(await codes({ amount: "77", flag: false })).toEqual(["f2"]);
  });

  test("columns that no field declares become JSON by their own type", async () => {
    expect(await call("odd")).toEqual([
      {
        big: 1,
        exact: "1.50",
        approximate: 1.5,
        nothing: null,
        day: "2026-01-02",
        moment: "2026-01-02T03:04:05.60Z",
        span: "-12:30:01",
        raw: "eA==",
        bits: "BQ==",
        document: '{"a": 1}',
        word: "text",
      },
    ]);
  });
});

describe("what an object must not do", () => {
  test("a fetch that writes is refused at once and writes nothing", async () => {
    expect(await outcome(call("sneak", { text: "sneaked" }))).toContain("BEDS-D005");
    expect(await outcome(call("sneak", { text: "sneaked" }))).toContain("1792");
    expect(await notes("sneaked")).toBe(0);
  });

  test("a fetch that leaves a transaction open is refused and leaves nothing behind", async () => {
    expect(await outcome(call("leave_open"))).toStartWith("BEDS-D005");
    expect(await outcome(call("rows", { count: 1 }))).toBe("fulfilled");
  });

  const broken: readonly (readonly [string, number])[] = [
    ["table", 1146],
    ["procedure", 1305],
    ["syntax", 1064],
    ["shape", 1242],
  ];
  test.each(broken)(
    "a broken object (%s) is BEDS-D005 with the server's text",
    async (how, errno) => {
      const text = await outcome(call("broken", { how }));
      expect(text).toStartWith("BEDS-D005");
      expect(text).toContain(`error ${errno}`);
      expect(text).not.toContain("secret");
    },
  );

  test("an object that was dropped after the operation was bound", async () => {
    await call("missing");
    await scratch.as("dba", "DROP PROCEDURE {db}.trl_missing");
    expect(await outcome(call("missing"))).toStartWith("BEDS-D005");
  });

  test("a field that holds something else is BEDS-D009, and the write is undone", async () => {
    const text = await outcome(call("misdeclared"));
    expect(text).toBe("BEDS-D009: column trl_amount does not hold a bigint");
    expect(await notes("misdeclared")).toBe(0);
  });
});

describe("business errors", () => {
  const signals: readonly (readonly [string, string])[] = [
    ["000", "BEDS-D400: the object says no"],
    ["404", "BEDS-D404: the object says no"],
    ["409", "BEDS-D409: the object says no"],
    ["422", "BEDS-D422: the object says no"],
    ["777", "BEDS-D400: the object says no"],
    ["x", "BEDS-D005"],
  ];
  test.each(signals)("SQLSTATE 45%s is %s, rolled back", async (digits, expected) => {
    expect(await outcome(call("signal", { digits }))).toStartWith(expected);
    expect(await notes("signalled")).toBe(0);
  });
});

describe("time limits", () => {
  test("MariaDB itself stops a statement that computes", async () => {
    const ms = await tookMs(async () => {
      // The server's own error says that it was the server.
      expect(await outcome(call("spin"))).toMatch(/^BEDS-D002: .*1969/);
    });
    expect(ms).toBeGreaterThan(350);
    expect(ms).toBeLessThan(1400);
  });

  test("SLEEP swallows the limit: late is late, and what was written is undone", async () => {
    expect(await outcome(call("sleep_read", { seconds: 5, writes: false }))).toStartWith(
      "BEDS-D002",
    );
    expect(await outcome(call("sleep_write", { seconds: 5, writes: true }))).toStartWith(
      "BEDS-D002",
    );
    expect(await notes("before")).toBe(0);
    expect(await notes("after")).toBe(0);
  });

  test("an object that clings is killed on the server and undone", async () => {
    const ms = await tookMs(async () => {
      expect(await outcome(call("cling"))).toBe("BEDS-D002: trl_cling ran longer than 400 ms");
    });
    expect(ms).toBeLessThan(1400);
    // A connection that was killed is gone a moment later.
    await Bun.sleep(100);
    const running = await scratch.root("SHOW FULL PROCESSLIST");
    // The server shows the statement inside the procedure, and the definer as its user.
    const clinging = running.filter((row) => row["db"] === scratch.database);
    expect(clinging.map((row) => row["Info"]).filter((info) => info !== null)).toEqual([]);
    expect(await notes("cling")).toBe(0);
  });

  test("a limit shorter than the operation's own is kept too", async () => {
    const ms = await tookMs(async () => {
      const late = call("sleep_read", { seconds: 5, writes: false }, { timeoutMs: 100 });
      expect(await outcome(late)).toStartWith("BEDS-D002");
    });
    expect(ms).toBeLessThan(350);
  });

  test("whoever waits for a connection waits no longer than its limit", async () => {
    const { length } = Array.from({ length: scratch.target.connections });
    const busy = Array.from({ length }, () => outcome(call("sleep_write", { seconds: 2 })));
    const waiting = outcome(call("keep", { text: "waits" }, { timeoutMs: 120 }));
    expect(await waiting).toContain("BEDS-D002: no connection to database trial came free");
    await Promise.all(busy);
    expect(await outcome(call("keep", { text: "goes on" }))).toBe("fulfilled");
  });
});

describe("conflicts", () => {
  test("the victim of a deadlock gets BEDS-D003, the other one is done", async () => {
    const outcomes = await Promise.all([
      outcome(call("lock_two", { first: 1, second: 2, pause_ms: 200 })),
      outcome(call("lock_two", { first: 2, second: 1, pause_ms: 200 })),
    ]);
    expect(outcomes.filter((each) => each === "fulfilled")).toHaveLength(1);
    expect(outcomes.filter((each) => each.startsWith("BEDS-D003"))).toHaveLength(1);
    expect(await outcome(call("lock_two", { first: 1, second: 2, pause_ms: 0 }))).toBe("fulfilled");
  });

  test("a lock wait ends after two seconds with BEDS-D003 and holds nothing afterwards", async () => {
    const holder = call("lock_two", { first: 1, second: 1, pause_ms: 3000 });
    await Bun.sleep(100);
    const waiter = outcome(call("lock_two", { first: 2, second: 1, pause_ms: 0 }));
    expect(await waiter).toMatch(/^BEDS-D003: .*1205/);
    // Row 2, which the waiter had locked, is free although the holder still has row 1.
    const free = call("lock_two", { first: 2, second: 2, pause_ms: 0 });
    expect(await tookMs(() => free)).toBeLessThan(500);
    await holder;
  });
});

describe("row caps", () => {
  test("as many rows as allowed, and only the first result set", async () => {
    const rows = await call("rows", { count: 5 });
    expect(rows.map((row) => row["i"])).toEqual([1, 2, 3, 4, 5]);
  });

  test("one more is BEDS-D010", async () => {
    expect(await outcome(call("rows", { count: 6 }))).toBe("BEDS-D010: more than 5 rows");
    expect(await outcome(call("rows", { count: 900 }))).toBe("BEDS-D010: more than 5 rows");
    expect(await outcome(call("find_amount", {}))).toBe("BEDS-D010: more than 3 rows");
  });

  test("a mutation that returns too many is undone", async () => {
    expect(await outcome(call("write_rows", { count: 6 }))).toBe("BEDS-D010: more than 5 rows");
    expect(await notes("too many")).toBe(0);
    await call("write_rows", { count: 5 });
    expect(await notes("too many")).toBe(1);
  });
});

test("many calls at once share the connections, and each gets its own answer", async () => {
  const counts = Array.from({ length: 200 }, (_, index) => (index % 5) + 1);
  const answers = await Promise.all(counts.map((count) => call("rows", { count })));
  expect(answers.map((rows) => rows.length)).toEqual(counts);
  const user = scratch.target.master.user;
  const sessions = await scratch.root(`SHOW PROCESSLIST`);
  const own = sessions.filter((row) => row["User"] === user);
  expect(own.length).toBeLessThanOrEqual(2 * scratch.target.connections);
});
