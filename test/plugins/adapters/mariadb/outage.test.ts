import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import type { Adapter } from "../../../../core/contract/index.ts";
import { Link } from "./link.ts";
import {
  type Call,
  loadSources,
  loadTemplate,
  makeCall,
  makeScratch,
  outcome,
  type Scratch,
} from "./scratch.ts";

// The real server behind a link that the test cuts, silences and mends.

const fixtures = join(import.meta.dir, "fixtures");
let scratch: Scratch;
let link: Link;
let adapter: Adapter;
let call: Call;

beforeAll(async () => {
  scratch = await makeScratch("link");
  const template = loadTemplate(join(fixtures, "trial.toml"), "link");
  await scratch.apply(loadSources(join(fixtures, "db/trial")), [template]);
  link = new Link(scratch.target.master);
  const port = await link.open();
  const master = { ...scratch.target.master, port };
  adapter = scratch.driver.open({ ...scratch.target, master, connectTimeoutMs: 300 });
  call = await makeCall(adapter, template);
});

afterAll(async () => {
  await adapter.close();
  await link.close();
  await scratch.dispose();
});

const read = (): Promise<string> => outcome(call("rows", { count: 1 }));
const write = (text: string): Promise<string> => outcome(call("keep", { text }));
const signal = (): AbortSignal => AbortSignal.timeout(2000);

async function notes(text: string): Promise<number> {
  const found = await scratch.as("dba", "SELECT 1 FROM {db}.trl_note WHERE trl_text = ?", [text]);
  return found.length;
}

/** Ends the connections of the runtime account, as a DBA would. */
async function killAll(): Promise<number> {
  const rows = await scratch.root("SHOW PROCESSLIST");
  const own = rows.filter((row) => row["User"] === scratch.target.master.user);
  for (const row of own) await scratch.root(`KILL ${String(row["Id"])}`);
  return own.length;
}

test("idle connections that were killed are replaced, and nobody notices", async () => {
  expect(await read()).toBe("fulfilled");
  expect(await write("before the kill")).toBe("fulfilled");
  expect(await killAll()).toBe(2);
  expect(await read()).toBe("fulfilled");
  await Bun.sleep(20);
  expect(await write("after the kill")).toBe("fulfilled");
});

test("a server that refuses fails fast, and the first call after its return succeeds", async () => {
  expect(await read()).toBe("fulfilled");
  await link.close();
  await Bun.sleep(20);
  const started = performance.now();
  expect(await read()).toStartWith("BEDS-D001");
  expect(await write("down")).toStartWith("BEDS-D001");
  expect(await outcome(adapter.check(signal()))).toStartWith("BEDS-D001");
  expect(performance.now() - started).toBeLessThan(200);
  const many = await Promise.all(Array.from({ length: 50 }, read));
  expect(new Set(many.map((each) => each.slice(0, 9)))).toEqual(new Set(["BEDS-D001"]));
  await link.open();
  const back = performance.now();
  expect(await read()).toBe("fulfilled");
  expect(await write("back")).toBe("fulfilled");
  expect(performance.now() - back).toBeLessThan(200);
});

test("a server that accepts and says nothing costs the connect time limit, no more", async () => {
  await link.close();
  link.silent = true;
  await link.open();
  const started = performance.now();
  const results = await Promise.all([read(), read(), write("silence")]);
  expect(results.every((each) => each.startsWith("BEDS-D001"))).toBe(true);
  expect(performance.now() - started).toBeLessThan(700);
  link.silent = false;
  await link.close();
  await link.open();
  expect(await read()).toBe("fulfilled");
});

test("a link that goes dead under a call costs its time limit and a second at most", async () => {
  expect(await read()).toBe("fulfilled");
  expect(await write("warm")).toBe("fulfilled");
  link.silent = true;
  const started = performance.now();
  const late = { timeoutMs: 300 };
  const results = await Promise.all([
    outcome(call("rows", { count: 1 }, late)),
    outcome(call("keep", { text: "dead link" }, late)),
  ]);
  expect(results.map((each) => each.slice(0, 9))).toEqual(["BEDS-D002", "BEDS-D002"]);
  expect(performance.now() - started).toBeLessThan(1300);
  link.silent = false;
  expect(await read()).toBe("fulfilled");
  expect(await notes("dead link")).toBe(0);
});

test("lost before COMMIT was sent: BEDS-D001, and nothing was written", async () => {
  const sleeping = outcome(call("sleep_write", { seconds: 5, writes: true }));
  await Bun.sleep(100);
  await link.close();
  await link.open();
  expect(await sleeping).toStartWith("BEDS-D001");
  await Bun.sleep(600);
  expect(await notes("before")).toBe(0);
});

test("lost while COMMIT was under way: BEDS-D004, whatever became of it", async () => {
  expect(await write("warm again")).toBe("fulfilled");
  link.cutAt = "COMMIT";
  expect(await write("who knows")).toStartWith("BEDS-D004");
  await Bun.sleep(50);
  // The server got the COMMIT and the node did not get its answer.
  expect(await notes("who knows")).toBe(1);
});

test("a read whose connection dies under it is asked once more, a write is not", async () => {
  expect(await outcome(call("find", { text: "warm" }))).toBe("fulfilled");
  link.cutAt = "cut this read";
  expect(await outcome(call("find", { text: "cut this read" }))).toBe("fulfilled");
  expect(link.cutAt).toBeNull();
  expect(await write("warm once more")).toBe("fulfilled");
  link.cutAt = "cut this write";
  expect(await write("cut this write")).toStartWith("BEDS-D001");
  await Bun.sleep(50);
  expect(await notes("cut this write")).toBe(0);
});

test("a wrong account is BEDS-D008", async () => {
  const master = { ...scratch.target.master, pass: "wrong" };
  const other = scratch.driver.open({ ...scratch.target, master });
  expect(await outcome(other.check(signal()))).toStartWith("BEDS-D008");
  await other.close();
});

test("close ends the connections; a call afterwards is BEDS-D001", async () => {
  const other = scratch.driver.open(scratch.target);
  await other.check(signal());
  const before = await own();
  await other.close();
  await Bun.sleep(50);
  expect(await own()).toBe(before - 1);
  expect(await outcome(other.check(signal()))).toStartWith("BEDS-D001");
});

async function own(): Promise<number> {
  const rows = await scratch.root("SHOW PROCESSLIST");
  return rows.filter((row) => row["User"] === scratch.target.master.user).length;
}
