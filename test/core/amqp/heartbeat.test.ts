import { afterEach, describe, expect, test } from "bun:test";
import { Heartbeat } from "../../../core/amqp/heartbeat.ts";
import { until } from "../../helpers/rabbitmq.ts";

/** 40 ms: a tick is 10 ms. */
const SECONDS = 0.04;

let heartbeat: Heartbeat | null = null;
let beats = 0;
let silence = 0;
let reads: () => number = () => 0;
let writes: () => number = () => 0;

function start(seconds: number): void {
  beats = 0;
  silence = 0;
  heartbeat = new Heartbeat(seconds, {
    reads: () => reads(),
    writes: () => writes(),
    sendHeartbeat: () => beats++,
    onSilence: (ms) => {
      silence = ms;
    },
  });
}

/** A counter that moves each time that it is looked at. */
function moving(): () => number {
  let at = 0;
  return () => ++at;
}

afterEach(() => {
  heartbeat?.stop();
});

describe("a heartbeat", () => {
  test("is sent when nothing else was written", async () => {
    [reads, writes] = [moving(), () => 0];
    start(SECONDS);
    await until("three are sent", () => beats === 3);
    expect(silence).toBe(0);
  });

  test("is not sent while there are writes", async () => {
    [reads, writes] = [moving(), moving()];
    start(SECONDS);
    await Bun.sleep(120);
    expect(beats).toBe(0);
  });

  test("gives a silent peer up within two intervals, once, whatever we write", async () => {
    [reads, writes] = [() => 7, moving()];
    start(SECONDS);
    const started = performance.now();
    await until("it is given up", () => silence > 0);
    expect(silence).toBeLessThanOrEqual(80);
    expect(performance.now() - started).toBeGreaterThan(60);
    silence = 0;
    await Bun.sleep(120);
    expect(silence).toBe(0);
  });

  test("is off when both sides agreed on none", async () => {
    [reads, writes] = [() => 0, () => 0];
    start(0);
    await Bun.sleep(60);
    expect([beats, silence]).toEqual([0, 0]);
  });
});
