import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type AmqpConnection, type Delivery, openConnection } from "../../../core/amqp/index.ts";
import type { BedsError } from "../../../core/contract/errors.ts";
import type { PoolObserved } from "../../../core/contract/events.ts";
import { Instances } from "../../../core/scheduler/instances.ts";
import { Pool } from "../../../core/scheduler/pool.ts";
import { never, rabbitOptions, TestQueues, until } from "../../helpers/rabbitmq.ts";

let queues: TestQueues;
let connection: AmqpConnection;

beforeAll(async () => {
  queues = await TestQueues.open();
  connection = await openConnection(rabbitOptions("beds_test"), never);
});

afterAll(async () => {
  await connection.close();
  await queues.close();
});

interface Rig {
  readonly pool: Pool;
  readonly queue: string;
  /** Bodies in the order in which the pipeline got them. */
  readonly taken: string[];
  readonly changes: PoolObserved["change"][];
  /** Lets the pipeline finish what it holds. */
  release(): void;
}

/** A pool on a queue of its own, whose pipeline acknowledges once it is released. */
async function makePool(released = true): Promise<Rig> {
  const queue = await queues.make();
  const taken: string[] = [];
  const changes: PoolObserved["change"][] = [];
  const gate = Promise.withResolvers<void>();
  if (released) gate.resolve();
  const pool = new Pool({
    queue,
    instances: new Instances(
      4,
      1000,
      () => performance.now(),
      () => undefined,
    ),
    count: 4,
    prefetchPerInstance: 1,
    maxBodyBytes: 1000,
    pipeline: async (delivery: Delivery) => {
      taken.push(delivery.body.toString("utf8"));
      await gate.promise;
      delivery.ack();
    },
    observe: (observation) => {
      if (observation.kind === "pool") changes.push(observation.change);
    },
  });
  return { pool, queue, taken, changes, release: () => gate.resolve() };
}

async function send(queue: string, ...bodies: readonly string[]): Promise<void> {
  const channel = await connection.openChannel();
  await channel.library.confirmSelect();
  for (const body of bodies) await channel.library.basicPublish("", queue, body);
  await channel.close();
}

const nobody = (reason: BedsError) => {
  throw reason;
};

describe("a pool", () => {
  test("that is paused takes nothing, and everything once it is resumed", async () => {
    const { pool, queue, taken } = await makePool();
    await pool.attach(connection, nobody);
    await pool.pause("app", "down");
    await send(queue, "a", "b");
    await Bun.sleep(100);
    expect(taken).toEqual([]);
    pool.resume("app");
    await until("deliveries", () => taken.length === 2);
    expect(await pool.drain(AbortSignal.timeout(2000))).toBe(0);
  });

  test("stays paused until everybody who paused it has resumed it", async () => {
    const { pool, queue, taken } = await makePool();
    await pool.attach(connection, nobody);
    await Promise.all([pool.pause("app", "down"), pool.pause("crm", "down")]);
    await send(queue, "a");
    pool.resume("app");
    pool.resume("app");
    await Bun.sleep(100);
    expect(taken).toEqual([]);
    pool.resume("crm");
    await until("deliveries", () => taken.length === 1);
    await pool.drain(AbortSignal.timeout(2000));
  });

  test("that is paused while it attaches takes nothing either", async () => {
    const { pool, queue, taken } = await makePool();
    await send(queue, "a");
    const attaching = pool.attach(connection, nobody);
    await pool.pause("app", "down");
    await attaching;
    const before = taken.length;
    await send(queue, "b", "c");
    await Bun.sleep(100);
    expect(taken.length).toBe(before);
    pool.resume("app");
    await until("deliveries", () => taken.includes("c"));
    await pool.drain(AbortSignal.timeout(2000));
  });

  test("has one consumer, however often it was attached", async () => {
    const { pool, queue, taken } = await makePool(false);
    await Promise.all([pool.attach(connection, nobody), pool.attach(connection, nobody)]);
    await pool.pause("app", "down");
    pool.resume("app");
    await send(queue, ..."abcdefgh");
    await until("deliveries", () => taken.length >= 4);
    await Bun.sleep(100);
    // Two consumers would hold twice the prefetch.
    expect(taken).toHaveLength(4);
    expect(await pool.drain(AbortSignal.timeout(200))).toBe(4);
  });

  test("attached while it is paused consumes once it is resumed", async () => {
    const { pool, queue, taken } = await makePool();
    await pool.pause("app", "down");
    await pool.attach(connection, nobody);
    await send(queue, "a");
    await Bun.sleep(100);
    expect(taken).toEqual([]);
    pool.resume("app");
    await until("deliveries", () => taken.length === 1);
    await pool.drain(AbortSignal.timeout(2000));
  });

  test("that drains finishes what it holds and leaves the rest", async () => {
    const { pool, queue, taken, release, changes } = await makePool(false);
    await pool.attach(connection, nobody);
    await send(queue, ..."abcdef");
    await until("deliveries", () => taken.length === 4);
    const draining = pool.drain(AbortSignal.timeout(2000));
    setTimeout(release, 50);
    expect(await draining).toBe(0);
    expect(taken).toHaveLength(4);
    expect(await queues.count(queue)).toBe(2);
    expect(changes).toEqual(["consuming", "draining", "drained"]);
  });

  test("that cannot finish in time says how much it leaves, and it is delivered again", async () => {
    const { pool, queue, taken } = await makePool(false);
    await pool.attach(connection, nobody);
    await send(queue, "a", "b");
    await until("deliveries", () => taken.length === 2);
    expect(await pool.drain(AbortSignal.timeout(50))).toBe(2);
    await Bun.sleep(50);
    expect(await queues.count(queue)).toBe(2);
  });

  test("whose queue is deleted says so to its owner", async () => {
    const { pool, queue } = await makePool();
    const lost = Promise.withResolvers<BedsError>();
    await pool.attach(connection, lost.resolve);
    const channel = await connection.openChannel();
    await channel.library.queueDelete(queue);
    await channel.close();
    expect((await lost.promise).code).toBe("BEDS-Q009");
    await pool.drain(AbortSignal.timeout(500));
  });
});
