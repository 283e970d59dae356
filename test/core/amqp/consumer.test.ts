import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  type AmqpConnection,
  consume,
  type Delivery,
  openConnection,
  openPublisher,
  type Publisher,
} from "../../../core/amqp/index.ts";
import { BedsError } from "../../../core/contract/index.ts";
import { failureOf, never, rabbitOptions, TestQueues, until } from "../../helpers/rabbitmq.ts";
import { Random } from "../../helpers/random.ts";

let queues: TestQueues;
let sender: AmqpConnection;
let publisher: Publisher;

beforeAll(async () => {
  queues = await TestQueues.open();
  sender = await openConnection(rabbitOptions("beds_test"), never);
  publisher = await openPublisher(sender);
});

afterAll(async () => {
  await sender.close();
  await queues.close();
});

function open(): Promise<AmqpConnection> {
  return openConnection(rabbitOptions(), never);
}

async function send(queue: string, body: string | Uint8Array, more = {}): Promise<void> {
  const properties = { messageId: crypto.randomUUID(), ...more };
  await publisher.publish({ exchange: "", routingKey: queue, body, mandatory: true, properties });
}

const limits = { prefetch: 10, maxBodyBytes: 1_000_000 };

describe("a delivery", () => {
  test("brings everything that was sent", async () => {
    const connection = await open();
    const queue = await queues.make();
    const seen: [Delivery, Buffer][] = [];
    const consumer = await consume(connection, { queue, ...limits }, (delivery) => {
      seen.push([delivery, Buffer.from(delivery.body)]);
      delivery.ack();
    });
    const body = new Random(1).bytes(300_000);
    const properties = {
      messageId: "m1",
      correlationId: "c1",
      replyTo: "beds.reply.beds_test.x",
      userId: "beds_test",
      timestamp: 1_790_000_000,
      headers: { "beds-attempt": 3, traceparent: "00-é" },
    };
    const before = Date.now();
    await send(queue, body, properties);
    await until("it is there", () => seen.length === 1);
    const [delivery, copy] = seen[0] ?? [];
    expect(copy?.equals(body)).toBe(true);
    expect(delivery?.arrival).toMatchObject({
      userId: "beds_test",
      exchange: "",
      routingKey: queue,
      queue,
      replyTo: "beds.reply.beds_test.x",
      correlationId: "c1",
      messageId: "m1",
      redelivered: false,
      sentAt: 1_790_000_000_000,
    });
    expect(delivery?.arrival.receivedAt).toBeGreaterThanOrEqual(before);
    expect(delivery?.properties.headers).toEqual({ "beds-attempt": 3, traceparent: "00-é" });
    expect(delivery?.body.length, "the view is taken away after the callback").toBe(0);
    await consumer.settled();
    await connection.close();
    expect(await queues.count(queue)).toBe(0);
  });

  test("over the limit is skipped and can be answered; the next one is whole", async () => {
    const connection = await open();
    const queue = await queues.make();
    const seen: (readonly [boolean, number, number])[] = [];
    await consume(connection, { queue, prefetch: 1, maxBodyBytes: 1_000 }, (delivery) => {
      seen.push([delivery.tooLarge, delivery.bodySize, delivery.body.length]);
      delivery.ack();
    });
    await send(queue, Buffer.alloc(300_000));
    await send(queue, "small");
    await until("both are there", () => seen.length === 2);
    expect(seen).toEqual([
      [true, 300_000, 0],
      [false, 5, 5],
    ]);
    await connection.close();
  });

  test("is settled once: what comes second is inert", async () => {
    const connection = await open();
    const queue = await queues.make();
    const deliveries: Delivery[] = [];
    const consumer = await consume(connection, { queue, ...limits }, (delivery) => {
      deliveries.push(delivery);
    });
    await send(queue, "a");
    await until("it is there", () => deliveries.length === 1);
    const [delivery] = deliveries;
    delivery?.ack();
    delivery?.ack();
    delivery?.reject(true);
    expect(delivery?.replyAndAck("x")).toBe(false);
    await consumer.settled();
    // A second settlement of the tag would close the channel: this answer shows that it is open.
    await send(queue, "b");
    await until("the next is there", () => deliveries.length === 2);
    deliveries[1]?.ack();
    await consumer.settled();
    await connection.close();
    expect(await queues.count(queue)).toBe(0);
  });

  test("given back comes again, marked; rejected it does not", async () => {
    const connection = await open();
    const queue = await queues.make();
    const marks: boolean[] = [];
    const consumer = await consume(connection, { queue, ...limits }, (delivery) => {
      marks.push(delivery.arrival.redelivered);
      delivery.reject(marks.length === 1);
    });
    await send(queue, "a");
    await until("it came twice", () => marks.length === 2);
    await consumer.settled();
    await connection.close();
    expect(marks).toEqual([false, true]);
    expect(await queues.count(queue)).toBe(0);
  });
});

describe("answers", () => {
  test("thousands of them, in any order of finishing: each request answered and acked", async () => {
    const connection = await open();
    const queue = await queues.make();
    const random = new Random();
    const server = await consume(
      connection,
      { queue, prefetch: 64, maxBodyBytes: 1_000_000 },
      (delivery) => {
        const body = Buffer.from(delivery.body);
        const answer = (): void => void delivery.replyAndAck(body);
        const delay = random.integer(0, 9);
        if (delay < 4) answer();
        else if (delay < 9) setImmediate(answer);
        else setTimeout(answer, random.integer(1, 8));
      },
    );
    const replyQueue = `beds.reply.beds_test.${crypto.randomUUID()}`;
    const channel = await queues.connection.openChannel();
    await channel.library.queueDeclare(replyQueue, { exclusive: true, durable: false });
    const answers = new Map<string, number>();
    await consume(queues.connection, { queue: replyQueue, ...limits }, (delivery) => {
      answers.set(delivery.arrival.correlationId, delivery.bodySize);
      delivery.ack();
    });
    const sizes = Array.from({ length: 2_000 }, () =>
      random.chance(0.01) ? 300_000 : random.integer(0, 200),
    );
    await Promise.all(
      sizes.map((size, at) =>
        send(queue, Buffer.alloc(size), {
          correlationId: `c${at}`,
          replyTo: replyQueue,
          userId: "beds_test",
        }),
      ),
    );
    await until(
      `seed ${random.seed}: all are answered`,
      () => answers.size === sizes.length,
      20_000,
    );
    for (const [at, size] of sizes.entries()) expect(answers.get(`c${at}`)).toBe(size);
    await server.settled();
    await connection.close();
    expect(await queues.count(queue), `seed ${random.seed}`).toBe(0);
  });

  test("go nowhere but to the sender's own address", async () => {
    const connection = await open();
    const queue = await queues.make();
    const victim = await queues.make();
    const written: boolean[] = [];
    const consumer = await consume(connection, { queue, ...limits }, (delivery) => {
      expect(delivery.replyAddress).toBeNull();
      written.push(delivery.replyAndAck("stolen"));
    });
    await send(queue, "a", { replyTo: victim, userId: "beds_test" });
    await send(queue, "b", { replyTo: "beds.reply.app1.x", userId: "beds_test" });
    await send(queue, "c");
    await until("all are there", () => written.length === 3);
    await consumer.settled();
    await connection.close();
    expect(written).toEqual([false, false, false]);
    expect(await queues.count(victim)).toBe(0);
    expect(await queues.count(queue)).toBe(0);
  });
});

describe("a consumer", () => {
  test("notices that the server closed its channel; what it held comes again", async () => {
    const connection = await open();
    const queue = await queues.make();
    const deliveries: Delivery[] = [];
    const consumer = await consume(connection, { queue, ...limits }, (delivery) => {
      deliveries.push(delivery);
    });
    await send(queue, "a");
    await until("it is there", () => deliveries.length === 1);
    const again: boolean[] = [];
    const next = await consume(connection, { queue, ...limits }, (delivery) => {
      again.push(delivery.arrival.redelivered);
      delivery.ack();
    });
    // The first channel of the connection is the consumer's.
    connection.writer.ack(1, 99, false);
    const reason = await consumer.lost;
    expect(reason.code).toBe("BEDS-Q009");
    expect(reason.detail).toContain("unknown delivery tag 99");
    await until("it came again", () => again.length === 1);
    // RabbitMQ gives the number of the dead channel to the next: the old tag must not reach it.
    const third = await consume(
      connection,
      { queue: await queues.make(), ...limits },
      () => undefined,
    );
    deliveries[0]?.ack();
    deliveries[0]?.replyAndAck("x");
    await consumer.settled();
    await consumer.close();
    await Bun.sleep(50);
    expect(connection.error).toBeNull();
    await Promise.all([next.cancel(), third.cancel()]);
    await next.settled();
    await connection.close();
    expect(await queues.count(queue)).toBe(0);
  });

  test("notices that its queue was deleted", async () => {
    const connection = await open();
    const queue = await queues.make();
    const consumer = await consume(connection, { queue, ...limits }, () => undefined);
    await queues.delete(queue);
    const reason = await consumer.lost;
    expect(reason.code).toBe("BEDS-Q009");
    expect(reason.detail).toContain(queue);
    await consumer.close();
    expect(connection.error).toBeNull();
    await connection.close();
  });

  test("notices that the connection is lost", async () => {
    const connection = await open();
    const consumer = await consume(
      connection,
      { queue: await queues.make(), ...limits },
      () => undefined,
    );
    connection.abandon(new BedsError("BEDS-Q006", { detail: "test" }));
    expect((await consumer.lost).detail).toBe("test");
    await consumer.settled();
    await consumer.cancel();
    await consumer.close();
  });

  test("drains: cancel, finish, settled, close", async () => {
    const connection = await open();
    const queue = await queues.make();
    const deliveries: Delivery[] = [];
    const consumer = await consume(
      connection,
      { queue, prefetch: 3, maxBodyBytes: 100 },
      (delivery) => {
        deliveries.push(delivery);
      },
    );
    for (const body of ["a", "b", "c", "d"]) await send(queue, body);
    await until("the prefetch is full", () => deliveries.length === 3);
    await consumer.cancel();
    let settled = false;
    const waiting = consumer.settled().then(() => {
      settled = true;
    });
    expect(consumer.unsettled).toBe(3);
    deliveries[2]?.ack();
    deliveries[1]?.reject(true);
    await Bun.sleep(20);
    expect(settled).toBe(false);
    deliveries[0]?.ack();
    await waiting;
    expect(consumer.unsettled).toBe(0);
    await consumer.close();
    await Bun.sleep(20);
    expect(deliveries).toHaveLength(3);
    expect(await queues.count(queue), "the one given back and the one never taken").toBe(2);
    await connection.close();
  });

  test("acks of the very last moment are not lost when channel or connection is closed", async () => {
    for (let round = 0; round < 20; round++) {
      const connection = await open();
      const queue = await queues.make();
      const deliveries: Delivery[] = [];
      const consumer = await consume(connection, { queue, ...limits }, (delivery) => {
        deliveries.push(delivery);
      });
      await Promise.all(["a", "b", "c"].map((body) => send(queue, body)));
      await until("all are there", () => deliveries.length === 3);
      for (const delivery of deliveries) delivery.ack();
      if (round % 2 === 0) await consumer.close();
      await connection.close();
      expect(await queues.count(queue)).toBe(0);
    }
  });

  test("whose callback throws ends the connection with the bug, and the message comes again", async () => {
    const connection = await open();
    const queue = await queues.make();
    await consume(connection, { queue, ...limits }, () => {
      throw new RangeError("a bug");
    });
    await send(queue, "a");
    const reason = await connection.closed;
    expect(reason.code).toBe("BEDS-B001");
    expect(reason.detail).toBe("a bug");
    await until("it is back", async () => (await queues.count(queue)) === 1);
  });

  test("of a queue that is not there is BEDS-Q009, and the connection lives", async () => {
    const connection = await open();
    const missing = consume(connection, { queue: "beds.test.none", ...limits }, () => undefined);
    const error = BedsError.from(await failureOf(missing));
    expect(error.code).toBe("BEDS-Q009");
    expect(error.detail).toContain("beds.test.none");
    const channel = await connection.openChannel();
    await channel.close();
    await connection.close();
  });
});
