import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import type { Collection } from "mongodb";
import type { Adapter, MutationKey, MutationOutcome } from "../../../../core/contract/index.ts";
import { ScratchMongod, TcpProxy } from "./scratch-mongod.ts";
import {
  Caller,
  codeOf,
  fixtures,
  openDriver,
  plainClient,
  readObjectSources,
  readTemplate,
  someKey,
} from "./stack.ts";

// The server looks for expired keys each second.
const parameters = { ttlMonitorSleepSecs: 1 };
const mongod = await ScratchMongod.start({ isReplicaSet: true, parameters });
const standalone = await ScratchMongod.start();

// Out here, so that they end also when a filter leaves out all cases of one.
afterAll(async () => {
  await mongod?.[Symbol.asyncDispose]();
  await standalone?.[Symbol.asyncDispose]();
});

if (mongod === null || standalone === null) {
  test.skip("keys and failures: there is no mongod to start", () => {});
} else {
  describe("keys and a server that fails", () => failures(mongod));
  describe("a server that is no member of a replica set", () => withoutTransactions(standalone));
}

function failures(server: ScratchMongod): void {
  let proxy: TcpProxy;
  let adapter: Adapter;
  let tests: Caller;

  beforeAll(async () => {
    await install(server);
    proxy = new TcpProxy(server.port);
  });

  beforeEach(async () => {
    proxy.mode = "pass";
    proxy.ends = null;
    ({ adapter, tests } = await open(server, proxy.port));
  });

  afterEach(async () => {
    await adapter.close();
  });

  afterAll(() => {
    proxy[Symbol.dispose]();
  });

  /** What `upsert` has added up under a name. */
  async function sum(name: string): Promise<unknown> {
    let found: unknown = null;
    await server.ask(async (client) => {
      const document = await client.db("docs").collection("zzt").findOne({ zzt_key: name });
      found = document?.["zzt_int"] ?? null;
    });
    return found;
  }

  async function keys(work: (keys: Collection) => Promise<unknown>): Promise<void> {
    await server.ask((client) => work(client.db("docs").collection("beds_key")));
  }

  /** Asks with the key until there is an answer. */
  async function insist(
    caller: Caller,
    key: MutationKey,
    values: readonly unknown[],
  ): Promise<MutationOutcome> {
    for (const until = performance.now() + 10_000; ; await Bun.sleep(50)) {
      try {
        return await caller.keyed(key, "upsert", values);
      } catch (thrown) {
        if (performance.now() > until) throw thrown;
      }
    }
  }

  /** One effect, and the same answer to everybody who asks from now on. */
  async function expectOnce(key: MutationKey, name: string): Promise<void> {
    const values = [name, 1];
    const first = await insist(tests, key, values);
    expect<unknown>(first.rows).toMatchObject([{ zzt_key: name, zzt_int: 1 }]);
    expect(await tests.keyed(key, "upsert", values)).toEqual({ ...first, replayed: true });
    expect(await sum(name)).toBe(1);
  }

  const unknownCommits: readonly (readonly [name: string, data: object, times: number])[] = [
    ["refused before it was done", { errorCode: 11_602 }, 1],
    ["cut before it was done", { closeConnection: true }, 2],
    ["done and not confirmed", { writeConcernError: { code: 64, errmsg: "late" } }, 1],
    [
      "done and cut off",
      { writeConcernError: { code: 91, errmsg: "shutdown", closeConnection: true } },
      2,
    ],
  ];
  for (const [name, data, times] of unknownCommits) {
    test(`a commit that was ${name} is sent again, and nothing else`, async () => {
      const key = someKey();
      await server.fail(["commitTransaction"], data, times);
      expect((await tests.keyed(key, "upsert", [name, 1])).replayed).toBe(false);
      await expectOnce(key, name);
    });
  }

  test("a commit that stays unknown is looked up by its key", async () => {
    const done = { writeConcernError: { code: 64, errmsg: "late" } };
    const key = someKey();
    await server.fail(["commitTransaction"], done, 3);
    expect((await tests.keyed(key, "upsert", ["looked up", 1])).replayed).toBe(false);
    await expectOnce(key, "looked up");
  });

  test("a commit that stays unknown and left no key is BEDS-D004, undone for good", async () => {
    const key = someKey();
    await server.fail(["commitTransaction"], { errorCode: 11_602 }, 3);
    expect(await codeOf(tests.keyed(key, "upsert", ["undone", 1]))).toBe("BEDS-D004");
    expect(await sum("undone")).toBeNull();
    await expectOnce(key, "undone");
  });

  const lost: readonly (readonly [command: string, data: object])[] = [
    ["findAndModify", { closeConnection: true }],
    ["insert", { closeConnection: true }],
    ["insert", { errorCode: 189 }],
  ];
  for (const [command, data] of lost) {
    test(`${command} that ends with ${JSON.stringify(data)} is no unknown outcome`, async () => {
      const key = someKey();
      await server.fail([command], data);
      expect(await codeOf(tests.keyed(key, "upsert", [command, 1]))).toBe("BEDS-D001");
      await keys((all) => all.deleteMany({}));
      await server.ask((client) => client.db("docs").collection("zzt").deleteMany({}));
      await expectOnce(key, command);
    });
  }

  test("a refusal whose storing stays unknown is looked up by its key", async () => {
    const key = someKey();
    await server.fail(["insert"], { writeConcernError: { code: 64, errmsg: "late" } });
    const first = await tests.keyed(key, "drop", ["nobody"]);
    expect(first).toMatchObject({ replayed: false, error: { code: "BEDS-D404" } });
    expect(await tests.keyed(key, "drop", ["nobody"])).toMatchObject({ replayed: true });
  });

  test("a transaction that the server has forgotten is begun again", async () => {
    const key = someKey();
    await server.fail(["commitTransaction"], { errorCode: 251 });
    expect((await tests.keyed(key, "upsert", ["forgotten", 1])).replayed).toBe(false);
    await expectOnce(key, "forgotten");
  });

  const answers: readonly (readonly [name: string, mode: "swallow" | "cut"])[] = [
    ["whose answers get lost", "swallow"],
    ["whose connections are cut", "cut"],
  ];
  for (const [name, mode] of answers) {
    for (const delayMs of [0, 1, 2, 3, 4, 6]) {
      test(`a server ${name} ${delayMs} ms after the start: one effect`, async () => {
        const key = someKey();
        await tests.keyed(someKey(), "upsert", ["warm", 1]);
        const first = codeOf(tests.keyed(key, "upsert", [`${mode} ${delayMs}`, 1], 500));
        await Bun.sleep(delayMs);
        proxy.mode = mode;
        if (mode === "cut") proxy.cut();
        expect(await first).toMatch(/BEDS-D00[124]|^none/);
        proxy.mode = "pass";
        proxy.cut();
        await expectOnce(key, `${mode} ${delayMs}`);
      }, 15_000);
    }
  }

  for (const isForwarded of [false, true]) {
    for (const times of [1, 2, 3]) {
      const when = isForwarded ? "just after" : "just before";
      test(`connections cut ${when} the server got the commit, ${times} times`, async () => {
        const key = someKey();
        const name = `commit ${isForwarded} ${times}`;
        proxy.ends = { at: "commitTransaction", isForwarded, times };
        const first = await codeOf(tests.keyed(key, "upsert", [name, 1], 2000));
        expect(proxy.ends.times).toBe(0);
        // What never arrived, however often it was sent, is unknown to a client.
        expect(first).toMatch(
          times === 3 && !isForwarded ? /BEDS-D004/ : /^none.*"replayed":false/,
        );
        if (times === 3 && !isForwarded) expect(await sum(name)).toBeNull();
        await expectOnce(key, name);
      });
    }
  }

  for (const at of ["findAndModify", "beds_key"]) {
    test(`connections cut at ${at}: nothing is left, no lock either`, async () => {
      const key = someKey();
      proxy.ends = { at, isForwarded: true, times: 1 };
      expect(await codeOf(tests.keyed(key, "upsert", [`cut ${at}`, 1], 2000))).toBe("BEDS-D001");
      expect(await sum(`cut ${at}`)).toBeNull();
      const before = performance.now();
      await expectOnce(key, `cut ${at}`);
      expect(performance.now() - before).toBeLessThan(1500);
    });
  }

  test("a cut in the middle leaves no lock behind", async () => {
    const first = adapter.keyed?.run(
      someKey(),
      async (core) => {
        const rows = await tests.call("upsert", ["locked", 1], { core });
        proxy.cut();
        await Bun.sleep(50);
        return rows;
      },
      { timeoutMs: 2000, rowCap: 10 },
    );
    await codeOf(first ?? Promise.resolve());
    const before = performance.now();
    await tests.call("upsert", ["locked", 1], { timeoutMs: 5000 });
    expect(performance.now() - before).toBeLessThan(2000);
  });

  test("a transaction that a node left open when it died is ended after a while", async () => {
    const node = plainClient(server.target().master, "beds");
    const session = node.startSession();
    session.startTransaction();
    const left = { zzt_key: "orphan", zzt_int: 5 };
    await node.db("docs").collection("zzt").insertOne(left, { session });
    const before = performance.now();
    const key = someKey();
    expect(await codeOf(tests.keyed(key, "upsert", ["orphan", 1], 500))).toBe("BEDS-D003");
    await insist(tests, key, ["orphan", 1]);
    expect(performance.now() - before).toBeLessThan(10_000);
    expect(await codeOf(session.commitTransaction())).toContain("has been aborted");
    await node.close();
    expect(await sum("orphan")).toBe(1);
  }, 15_000);

  /** Where the server is killed: before the work, in it, after it, or while it commits. */
  const places = ["before", "within", "behind", "commit 0", "commit 1", "commit 2", "commit 4"];
  for (const place of places) {
    test(`mongod killed ${place}: asking again gives one effect`, async () => {
      // Without the proxy, as a node is.
      const near = await open(server, server.port);
      await near.tests.keyed(someKey(), "upsert", ["warm", 1]);
      const key = someKey();
      const name = `kill ${place}`;
      const [when, delay] = place.split(" ");
      if (when === "before") await server.kill();
      const run = near.adapter.keyed?.run(
        key,
        async (core) => {
          if (when === "within") await server.kill();
          const rows = await near.tests.call("upsert", [name, 1], { core });
          if (when === "behind") await server.kill();
          if (when === "commit") setTimeout(() => void server.kill(), Number(delay));
          return rows;
        },
        { timeoutMs: 3000, rowCap: 10 },
      );
      const code = await codeOf(run ?? Promise.resolve());
      console.info(`killed ${place}: ${code.slice(0, 12)}`);
      expect(code).toMatch(when === "commit" ? /BEDS-D00[14]|^none/ : /BEDS-D001/);
      await Bun.sleep(20);
      await server.kill();
      await server.run();
      await expectOnce(key, name);
      await near.adapter.close();
    }, 30_000);
  }

  test("64 keys that change one document converge, each once", async () => {
    const before = performance.now();
    const outcomes = await Promise.all(
      Array.from({ length: 64 }, () => tests.keyed(someKey(), "upsert", ["hot", 1])),
    );
    console.info(`64 keys, one document: ${Math.round(performance.now() - before)} ms`);
    expect(outcomes.every(({ replayed }) => !replayed)).toBe(true);
    expect(await sum("hot")).toBe(64);
  }, 15_000);

  test("a document that stays locked is BEDS-D003 within the time limit", async () => {
    await tests.keyed(someKey(), "upsert", ["held", 1]);
    await server.ask(async (client) => {
      const session = client.startSession();
      session.startTransaction();
      const zzt = client.db("docs").collection("zzt");
      await zzt.updateOne({ zzt_key: "held" }, { $inc: { zzt_int: 5 } }, { session });
      const before = performance.now();
      expect(await codeOf(tests.keyed(someKey(), "upsert", ["held", 1], 400))).toBe("BEDS-D003");
      expect(performance.now() - before).toBeLessThan(1500);
      await session.abortTransaction();
      await session.endSession();
    });
    expect(await sum("held")).toBe(1);
  });

  test("the server forgets an expired key by itself", async () => {
    const key = someKey({ expiresAt: Date.now() - 1 });
    const other = someKey();
    for (const each of [key, other]) await tests.keyed(each, "upsert", ["expired", 1]);
    await keys(async (all) => {
      const until = performance.now() + 10_000;
      while ((await all.countDocuments({ "_id.key": key.key })) > 0) {
        if (performance.now() > until) throw new Error("the key is still there");
        await Bun.sleep(100);
      }
    });
    expect(await adapter.keyed?.purge(100)).toBe(0);
    expect((await tests.keyed(key, "upsert", ["expired", 1])).replayed).toBe(false);
    expect((await tests.keyed(other, "upsert", ["expired", 1])).replayed).toBe(true);
    expect(await sum("expired")).toBe(3);
  }, 15_000);
}

function withoutTransactions(server: ScratchMongod): void {
  beforeAll(() => install(server));

  test("says so where nobody has asked before, and has no keys after describe", async () => {
    const { adapter, tests } = await open(server, server.port);
    const thrown = await tests
      .keyed(someKey(), "upsert", ["a", 1])
      .catch((error: unknown) => error);
    expect(thrown).toMatchObject({
      code: "BEDS-D011",
      detail: "database docs: the server has no transactions",
      hint: "make it a replica set, of one member if need be",
    });
    await adapter.describe(AbortSignal.timeout(5000));
    expect(adapter.keyed).toBeUndefined();
    expect((await tests.call("upsert", ["a", 1])).length).toBe(1);
    await adapter.close();
  });
}

async function install(server: ScratchMongod): Promise<void> {
  const driver = await openDriver();
  const workbench = driver.openWorkbench?.(server.target());
  const template = await readTemplate(fixtures, "tests_rec.toml");
  await workbench?.apply(await readObjectSources(fixtures), [template], () => {});
  await workbench?.close();
}

async function open(server: ScratchMongod, port: number) {
  const adapter = (await openDriver()).open(server.target(port));
  const tests = new Caller(adapter, await readTemplate(fixtures, "tests_rec.toml"));
  await tests.binding("upsert");
  return { adapter, tests };
}
