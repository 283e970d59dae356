import { describe, expect, test } from "bun:test";
import { Delivery } from "../../../core/amqp/delivery.ts";
import { ArrivedProperties } from "../../../core/amqp/message-properties.ts";
import { BedsError, type ErrorCode } from "../../../core/contract/errors.ts";
import { Breaker } from "../../../core/reliability/breaker.ts";
import { type FailedMessage, Settler } from "../../../core/reliability/settler.ts";
import { arrival, eventId } from "../message/samples.ts";

/** What a settlement did, in order. */
type Deed = "reply" | "ack" | "requeue" | "dead letter" | "put off" | "pause" | "problem";

interface Rig {
  readonly deeds: Deed[];
  readonly settler: Settler;
  fail(code: ErrorCode, facts?: Partial<FailedMessage>): FailedMessage;
}

/** A settler whose RabbitMQ confirms, unless `broken` says that it does not. */
function makeRig(broken: { publish?: ErrorCode; reply?: ErrorCode } = {}): Rig {
  const deeds: Deed[] = [];
  const publish = (deed: Deed) => async () => {
    if (broken.publish !== undefined) throw new BedsError(broken.publish);
    deeds.push(deed);
  };
  const channel = {
    reply: () => {
      if (broken.reply !== undefined) throw new BedsError(broken.reply);
      deeds.push("reply");
    },
    finish: () => void deeds.push("ack"),
    reject: (_tag: number, requeue: boolean) => void (requeue && deeds.push("requeue")),
  };
  const settler = new Settler({
    node: "n1",
    delays: [1000],
    keepDeadLetter: publish("dead letter"),
    putOff: publish("put off"),
    returnDelayMs: 30,
    observe: ({ kind }) => void (kind === "problem" && deeds.push("problem")),
  });
  const message = {
    consumerTag: "c",
    deliveryTag: 1,
    redelivered: false,
    exchange: arrival.exchange,
    routingKey: arrival.routingKey,
    properties: new ArrivedProperties(),
    body: Buffer.alloc(0),
    bodySize: 0,
    tooLarge: false,
  };
  return {
    deeds,
    settler,
    fail: (code, facts = {}) => ({
      delivery: new Delivery(channel, message, arrival),
      body: Buffer.from("{}"),
      lineage: { eventId, parentId: "", rootId: eventId, depth: 0 },
      breaker: undefined,
      error: new BedsError(code),
      wasExecuted: true,
      isRepeatable: true,
      remainingMs: Infinity,
      answer: () => "{}",
      ...facts,
    }),
  };
}

describe("a failed message", () => {
  test("that is final is answered, then acknowledged", async () => {
    const { deeds, settler, fail } = makeRig();
    expect(await settler.settle(fail("BEDS-D404"))).toBe("answered");
    expect(deeds).toEqual(["reply", "ack"]);
  });

  test("that must be kept is kept before anybody is told", async () => {
    const { deeds, settler, fail } = makeRig();
    expect(await settler.settle(fail("BEDS-D005"))).toBe("dead");
    expect(deeds).toEqual(["dead letter", "reply", "ack"]);
  });

  test("that is tried again is put off, then acknowledged, and nobody is told", async () => {
    const { deeds, settler, fail } = makeRig();
    expect(await settler.settle(fail("BEDS-D002"))).toBe("put off");
    expect(deeds).toEqual(["put off", "ack"]);
  });

  test("whose database is gone goes back once its pools are paused", async () => {
    const { deeds, settler, fail } = makeRig();
    const stop = new AbortController();
    const breaker = new Breaker({
      pause: async () => {
        await Bun.sleep(20);
        deeds.push("pause");
      },
      resume: () => undefined,
      probe: () => Promise.reject(new Error("down")),
      wait: { firstMs: 1000, mostMs: 1000 },
      now: () => performance.now(),
      signal: stop.signal,
    });
    expect(await settler.settle(fail("BEDS-D001", { breaker }))).toBe("returned");
    expect(deeds).toEqual(["pause", "requeue"]);
    stop.abort();
  });

  test("that must not run twice is answered even so, and its pools pause all the same", async () => {
    const { deeds, settler, fail } = makeRig();
    const stop = new AbortController();
    const breaker = new Breaker({
      pause: async () => void deeds.push("pause"),
      resume: () => undefined,
      probe: () => Promise.reject(new Error("down")),
      wait: { firstMs: 1000, mostMs: 1000 },
      now: () => performance.now(),
      signal: stop.signal,
    });
    const failed = fail("BEDS-D001", { breaker, isRepeatable: false });
    expect(await settler.settle(failed)).toBe("answered");
    expect(deeds).toEqual(["pause", "reply", "ack"]);
    stop.abort();
  });
});

describe("when the settlement itself fails", () => {
  test("the message is held for a while and then goes back, unacknowledged", async () => {
    const { deeds, settler, fail } = makeRig({ publish: "BEDS-Q005" });
    const started = performance.now();
    expect(await settler.settle(fail("BEDS-D005"))).toBe("returned");
    expect(performance.now() - started).toBeGreaterThanOrEqual(25);
    expect(deeds).toEqual(["problem", "requeue"]);
  });

  test("a message that cannot be answered for a reason of its own becomes a dead letter", async () => {
    const { deeds, settler, fail } = makeRig({ reply: "BEDS-B001" });
    expect(await settler.settle(fail("BEDS-D404"))).toBe("dead");
    expect(deeds).toEqual(["problem", "dead letter", "ack"]);
  });

  test("too much waiting for the socket is no reason of its own", async () => {
    const { deeds, settler, fail } = makeRig({ reply: "BEDS-Q010" });
    expect(await settler.settle(fail("BEDS-D404"))).toBe("returned");
    expect(deeds).toEqual(["problem", "requeue"]);
  });
});
