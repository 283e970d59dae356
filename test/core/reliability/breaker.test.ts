import { expect, test } from "bun:test";
import { Breaker } from "../../../core/reliability/breaker.ts";

test("a breaker pauses once, probes until the database is back, and resumes once", async () => {
  const events: string[] = [];
  let isUp = false;
  const stop = new AbortController();
  const breaker = new Breaker({
    pause: async () => void events.push("pause"),
    resume: () => void events.push("resume"),
    probe: async () => {
      events.push("probe");
      if (!isUp) throw new Error("down");
    },
    wait: { firstMs: 5, mostMs: 40 },
    now: () => performance.now(),
    signal: stop.signal,
  });
  await Promise.all([breaker.trip(), breaker.trip(), breaker.trip()]);
  expect(breaker.isOpen).toBe(true);
  await Bun.sleep(30);
  expect(events.filter((event) => event === "pause")).toHaveLength(1);
  expect(events.filter((event) => event === "probe").length).toBeGreaterThan(1);
  expect(events).not.toContain("resume");
  isUp = true;
  await Bun.sleep(30);
  expect(events.filter((event) => event === "resume")).toHaveLength(1);
  expect(breaker.isOpen).toBe(false);
  await breaker.trip();
  expect(events.filter((event) => event === "pause")).toHaveLength(2);
  stop.abort();
});

test("a breaker that opens again and again waits longer each time, and starts anew once it held", async () => {
  const clock = { now: 0 };
  const stop = new AbortController();
  let resumed = Promise.withResolvers<void>();
  const breaker = new Breaker({
    pause: () => Promise.resolve(),
    resume: () => resumed.resolve(),
    probe: () => Promise.resolve(),
    wait: { firstMs: 10, mostMs: 40 },
    now: () => clock.now,
    signal: stop.signal,
  });
  const openFor = async () => {
    resumed = Promise.withResolvers<void>();
    const started = performance.now();
    await breaker.trip();
    await resumed.promise;
    return performance.now() - started;
  };
  const times = [await openFor(), await openFor(), await openFor(), await openFor()];
  for (const [index, least] of [0, 10, 20, 40].entries()) {
    expect(times[index]).toBeGreaterThanOrEqual(least - 1);
  }
  expect(times[3]).toBeLessThan(80);
  clock.now += 5001;
  expect(await openFor()).toBeLessThan(10);
  stop.abort();
});

test("a breaker of a worker that stops resumes nothing", async () => {
  const stop = new AbortController();
  let resumed = 0;
  const breaker = new Breaker({
    pause: () => Promise.resolve(),
    resume: () => void resumed++,
    probe: () => Promise.reject(new Error("down")),
    wait: { firstMs: 5, mostMs: 5 },
    now: () => performance.now(),
    signal: stop.signal,
  });
  await breaker.trip();
  stop.abort();
  await Bun.sleep(20);
  expect(resumed).toBe(0);
});
