import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import type { Adapter, AdapterDriver, Template } from "../../../../core/contract/index.ts";
import { ScratchMongod, TcpProxy } from "./scratch-mongod.ts";
import { Caller, codeOf, fixtures, openDriver, readObjectSources, readTemplate } from "./stack.ts";

const mongod = await ScratchMongod.start();
let driver: AdapterDriver;
let template: Template;

// The cases need a server that they may break; a machine that only has an address of one skips
// them.
if (mongod === null) test.skip("a server that fails: there is no mongod to start", () => {});
else describe("a server that fails", () => failures(mongod));

function failures(server: ScratchMongod): void {
  let proxy: TcpProxy;
  let adapter: Adapter;
  let tests: Caller;

  beforeAll(async () => {
    driver = await openDriver();
    template = await readTemplate(fixtures, "tests_rec.toml");
    const workbench = driver.openWorkbench?.(server.target());
    await workbench?.apply(await readObjectSources(fixtures), [template], () => {});
    await workbench?.close();
    proxy = new TcpProxy(server.port);
    adapter = driver.open(server.target(proxy.port));
    tests = new Caller(adapter, template);
    for (const name of ["put", "by_key", "totals", "set", "change", "drop"])
      await tests.binding(name);
    await tests.call("put", ["one", ...Array.from({ length: 12 }, () => null)]);
  });

  afterEach(() => {
    proxy.mode = "pass";
  });

  afterAll(async () => {
    await adapter.close();
    proxy[Symbol.dispose]();
    await server[Symbol.asyncDispose]();
  });

  const read = () => tests.call("by_key", ["one"]);
  const write = () => tests.call("set", ["one", "x", null]);

  const codes: readonly (readonly [number, string, string])[] = [
    [112, "BEDS-D003", "BEDS-D003"],
    [50, "BEDS-D002", "BEDS-D002"],
    [13, "BEDS-D005", "BEDS-D005"],
    [10107, "BEDS-D001", "BEDS-D001"],
    [11600, "BEDS-D001", "BEDS-D004"],
    [189, "BEDS-D001", "BEDS-D004"],
    [14, "BEDS-D007", "BEDS-D007"],
    [8000, "BEDS-B001", "BEDS-B001"],
  ];
  for (const [errorCode, onRead, onWrite] of codes) {
    test(`error ${errorCode} is ${onRead} of a read and ${onWrite} of a write`, async () => {
      await server.fail(["find"], { errorCode });
      expect(await codeOf(read())).toBe(onRead);
      await server.fail(["update"], { errorCode });
      expect(await codeOf(write())).toBe(onWrite);
      expect((await read()).length).toBe(1);
    });
  }

  test("a write that no majority has confirmed is BEDS-D004", async () => {
    await server.fail(["update"], { writeConcernError: { code: 64, errmsg: "waiting timed out" } });
    expect(await codeOf(write())).toBe("BEDS-D004");
  });

  test("a connection that is cut during a read is read again; a write is BEDS-D004", async () => {
    await server.fail(["find"], { closeConnection: true });
    expect((await read()).length).toBe(1);
    await server.fail(["find"], { closeConnection: true }, 2);
    expect(await codeOf(read())).toBe("BEDS-D001");
    await server.fail(["update"], { closeConnection: true });
    expect(await codeOf(write())).toBe("BEDS-D004");
    expect(await codeOf(write())).toBe("none: []");
  });

  test("connections that were dropped while idle do no harm", async () => {
    await Promise.all([read(), read(), read(), read()]);
    proxy.cut();
    await Bun.sleep(50);
    expect((await read()).length).toBe(1);
    proxy.cut();
    await Bun.sleep(50);
    expect(await codeOf(write())).toBe("none: []");
  });

  test("a server that keeps silent is given up after the time limit and a grace", async () => {
    for (const [call, code] of [
      [() => tests.call("by_key", ["one"], { timeoutMs: 300 }), "BEDS-D002"],
      [() => tests.call("set", ["one", "x", null], { timeoutMs: 300 }), "BEDS-D004"],
    ] as const) {
      proxy.mode = "swallow";
      const before = performance.now();
      expect(await codeOf(call())).toBe(code);
      const tookMs = performance.now() - before;
      expect(tookMs).toBeGreaterThan(290);
      expect(tookMs).toBeLessThan(1000);
      proxy.mode = "pass";
      proxy.cut();
      expect((await read()).length).toBe(1);
    }
  });

  test("a killed server is seen at once, and the first call succeeds within 2 s of its return", async () => {
    // Without the proxy: the kernel closes the connections in the moment in which they are written
    // to.
    const direct = driver.open(server.target());
    const near = new Caller(direct, template);
    await Promise.all([near.call("by_key", ["one"]), near.call("set", ["one", "x", null])]);
    await server.kill();
    const values = ["one", "x", null];
    const calls: readonly (readonly [call: () => Promise<unknown>, codes: readonly string[]])[] = [
      [() => near.call("set", values), ["BEDS-D001", "BEDS-D004"]],
      [() => near.call("by_key", ["one"]), ["BEDS-D001"]],
      [() => near.call("set", values), ["BEDS-D001"]],
      [() => near.call("set", values, { timeoutMs: 100 }), ["BEDS-D001"]],
    ];
    for (const [call, codes] of calls) {
      const before = performance.now();
      expect(codes).toContain(await codeOf(call()));
      expect(performance.now() - before).toBeLessThan(2000);
    }
    let backAt = Infinity;
    const running = server.run().then(() => (backAt = performance.now()));
    while ((await codeOf(near.call("set", values))) !== "none: []") await Bun.sleep(20);
    const successAt = performance.now();
    await running;
    const tookMs = Math.max(0, successAt - backAt);
    console.info(`first success ${Math.round(successAt - backAt)} ms after mongod was back`);
    expect(tookMs).toBeLessThan(2000);
    await direct.close();
  }, 30_000);

  test("an adapter that was opened while nobody was there recovers as well", async () => {
    await server.kill();
    const late = driver.open(server.target());
    expect(await codeOf(late.check(AbortSignal.timeout(5000)))).toBe("BEDS-D001");
    await server.run();
    expect(await codeOf(late.check(AbortSignal.timeout(5000)))).toBe("none: undefined");
    await late.close();
  }, 30_000);
}
