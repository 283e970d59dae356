import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type LocalStack, startStack } from "../../config/stack/stack.ts";
import { openClient } from "../helpers/client.ts";
import { childrenOf, isAlive } from "../helpers/processes.ts";
import { makeProject, type Project } from "../helpers/project.ts";

/** After a server is back, the node must answer within so many milliseconds. */
const backWithinMs = 5000;

let project: Project;
let stack: LocalStack;

beforeAll(async () => {
  stack = await startStack({ report: () => undefined });
  project = await makeProject();
  expect((await project.beds("db", "apply")).code).toBe(0);
});

afterAll(async () => {
  await project[Symbol.asyncDispose]();
});

/**
 * One read of each database, on a connection of its own. Out: the codes, or why there was no
 * answer.
 */
async function read(operation: "rel" | "rec"): Promise<string> {
  try {
    await using client = await openClient();
    const template = operation === "rel" ? "ExampleRel" : "ExampleRec";
    const answer = await client.ask(
      `${operation}.read`,
      `${template}.fetch_by_id`,
      absent[operation],
      1000,
    );
    return answer.error?.code ?? "ok";
  } catch (thrown) {
    return String(thrown);
  }
}

/** Keys that nobody has: the object answers "not found", which only a living database can. */
const absent = { rel: { id: "999999999" }, rec: { id: "00000000-0000-7000-8000-000000000000" } };

/** Asks until the database's own answer comes. Out: the milliseconds that it took. */
async function answersAgain(operation: "rel" | "rec"): Promise<number> {
  const started = performance.now();
  let last = "";
  while (performance.now() - started < 2 * backWithinMs) {
    last = await read(operation);
    if (last === "BEDS-D404") return performance.now() - started;
    await Bun.sleep(50);
  }
  throw new Error(`no answer: ${last}`);
}

/** Reads all the time while `during` goes on. Out: every distinct outcome. */
async function stream(operation: "rel" | "rec", during: () => Promise<void>): Promise<Set<string>> {
  const outcomes = new Set<string>();
  let going = true;
  const reading = (async () => {
    while (going) outcomes.add(await read(operation));
  })();
  await Bun.sleep(300);
  await during();
  going = false;
  await reading;
  return outcomes;
}

const faults = [
  ["rabbitmq", "rel", "rabbitmq app_server data down"],
  ["mariadb", "rel", "database app down"],
  ["mongodb", "rec", "database docs down"],
] as const;

describe("kill -9 during a stream of reads", () => {
  for (const [server, operation, logged] of faults) {
    test(`of ${server}: the node lives, logs it, and answers within 5 s of its return`, async () => {
      const log: string[] = [];
      const node = await project.start(log);
      try {
        const found = stack.servers.get(server);
        if (found === undefined) throw new Error(`the stack has no ${server}`);
        let backMs = Infinity;
        const outcomes = await stream(operation, async () => {
          found.kill();
          await Bun.sleep(1500);
          await found.start();
          backMs = await answersAgain(operation);
        });
        expect(outcomes).toContain("BEDS-D404");
        expect(backMs).toBeLessThan(backWithinMs);
        expect(
          log.some((line) => line.includes(logged) && /"level":"(warning|error)"/.test(line)),
        ).toBe(true);
        expect(log.filter((line) => line.includes('"change":"died"'))).toEqual([]);
        console.log(`${server}: answered again ${backMs.toFixed(0)} ms after its return`);
      } finally {
        await node.stop();
      }
    }, 60_000);
  }

  for (const [server, operation] of [
    ["mariadb", "rel"],
    ["mongodb", "rec"],
  ] as const) {
    test(`of ${server}: requests wait in their queue and are answered when it is back`, async () => {
      const log: string[] = [];
      const node = await project.start(log);
      try {
        const found = stack.servers.get(server);
        if (found === undefined) throw new Error(`the stack has no ${server}`);
        await using client = await openClient();
        const name = `${operation === "rel" ? "ExampleRel" : "ExampleRec"}.fetch_by_id`;
        const ask = () => client.ask(`${operation}.read`, name, absent[operation], 20_000);
        expect((await ask()).error?.code).toBe("BEDS-D404");
        found.kill();
        const waiting = Array.from({ length: 20 }, ask);
        await Bun.sleep(1500);
        await found.start();
        const codes = (await Promise.all(waiting)).map((answer) => answer.error?.code);
        expect(new Set(codes)).toEqual(new Set(["BEDS-D404"]));
        expect(log.some((line) => line.includes(`beds.rBroker.${operation} paused`))).toBe(true);
      } finally {
        expect(await node.stop()).toBe(0);
      }
    }, 60_000);
  }

  test("of a worker: it is logged and replaced, and the node goes on answering", async () => {
    const log: string[] = [];
    const node = await project.start(log);
    try {
      const [victim = 0] = childrenOf(node.pid);
      let backMs = Infinity;
      const outcomes = await stream("rel", async () => {
        process.kill(victim, "SIGKILL");
        backMs = await answersAgain("rel");
        await logged(log, '"change":"replaced"');
        await Bun.sleep(1000);
      });
      expect(outcomes).toContain("BEDS-D404");
      expect(backMs).toBeLessThan(backWithinMs);
      expect(log.some((line) => line.includes(`pid ${victim}, signal SIGKILL`))).toBe(true);
      expect(childrenOf(node.pid)).toHaveLength(2);
    } finally {
      expect(await node.stop()).toBe(0);
    }
  }, 60_000);

  test("of the parent: no worker is left behind", async () => {
    const node = await project.start();
    const workers = childrenOf(node.pid);
    expect(workers).toHaveLength(2);
    process.kill(node.pid, "SIGKILL");
    await node.exited;
    const until = performance.now() + 5000;
    while (workers.some(isAlive) && performance.now() < until) await Bun.sleep(20);
    expect(workers.filter(isAlive)).toEqual([]);
  }, 30_000);

  test("a worker whose event loop is blocked is killed and replaced", async () => {
    const log: string[] = [];
    const node = await project.start(
      log,
      "--set",
      "node.heartbeat_ms=300",
      "--set",
      "node.hang_ms=1500",
    );
    try {
      const [victim = 0] = childrenOf(node.pid);
      process.kill(victim, "SIGSTOP");
      await logged(log, "BEDS-N004", 10_000);
      await logged(log, '"change":"replaced"', 10_000);
      expect(isAlive(victim)).toBe(false);
    } finally {
      expect(await node.stop()).toBe(0);
    }
  }, 30_000);
});

/** Waits for a line of the node's log. */
async function logged(log: readonly string[], words: string, withinMs = 5000): Promise<void> {
  const until = performance.now() + withinMs;
  while (!log.some((line) => line.includes(words))) {
    if (performance.now() > until)
      throw new Error(`not logged: ${words}\n${log.slice(-10).join("\n")}`);
    await Bun.sleep(20);
  }
}
