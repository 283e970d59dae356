import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import {
  type AmqpConnection,
  openConnection,
  openPublisher,
  type Publisher,
} from "../../../core/amqp/index.ts";
import { BedsError } from "../../../core/contract/index.ts";
import { failureOf, never, rabbitOptions, TestQueues } from "../../helpers/rabbitmq.ts";
import { connect, createServer, type Socket } from "node:net";
import { startTcpProxy, type TcpProxy } from "../../helpers/tcp-proxy.ts";

let queues: TestQueues;
let proxy: TcpProxy;
let connection: AmqpConnection;

beforeAll(async () => {
  queues = await TestQueues.open();
});

afterAll(async () => {
  await queues.close();
});

beforeEach(async () => {
  proxy = await startTcpProxy(rabbitOptions().port);
  connection = await openConnection(rabbitOptions("beds_run", { port: proxy.port }), never);
});

afterEach(async () => {
  await connection.close();
  await proxy.close();
});

let count = 0;

function publish(publisher: Publisher, routingKey: string, more = {}): Promise<void> {
  const properties = { messageId: `m${++count}` };
  return publisher.publish({ exchange: "", routingKey, body: "x", properties, ...more });
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return BedsError.from(await failureOf(promise)).code;
}

describe("a published message", () => {
  test("is there when its promise resolves", async () => {
    const queue = await queues.make();
    const publisher = await openPublisher(connection);
    await Promise.all(Array.from({ length: 1_000 }, () => publish(publisher, queue)));
    expect(await queues.count(queue)).toBe(1_000);
    expect(publisher.inFlight).toBe(0);
  });

  test("that a full queue refuses is BEDS-Q005", async () => {
    const queue = await queues.make({ "x-max-length": 1, "x-overflow": "reject-publish" });
    const publisher = await openPublisher(connection);
    await publish(publisher, queue);
    expect(await codeOf(publish(publisher, queue))).toBe("BEDS-Q005");
  });

  test("that no queue takes is BEDS-Q008, and the ones beside it are not", async () => {
    const queue = await queues.make();
    const publisher = await openPublisher(connection);
    const outcomes = await Promise.allSettled([
      publish(publisher, queue, { mandatory: true }),
      publish(publisher, "beds.test.none", { mandatory: true, body: Buffer.alloc(300_000) }),
      publish(publisher, "beds.test.none"),
      publish(publisher, queue, { mandatory: true }),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual([
      "fulfilled",
      "rejected",
      "fulfilled",
      "fulfilled",
    ]);
    const [, returned] = outcomes;
    const error = BedsError.from(returned?.status === "rejected" ? returned.reason : null);
    expect(error.code).toBe("BEDS-Q008");
    expect(error.detail).toBe("queue 'beds.test.none': NO_ROUTE");
  });

  test("without a confirm in time is BEDS-Q004", async () => {
    const queue = await queues.make();
    const publisher = await openPublisher(connection, { timeLimitMs: 100 });
    proxy.blackhole();
    const started = performance.now();
    expect(await codeOf(publish(publisher, queue))).toBe("BEDS-Q004");
    expect(performance.now() - started).toBeLessThan(400);
  });

  test("on a connection that is cut is BEDS-Q006, and so is the next", async () => {
    const publisher = await openPublisher(connection);
    proxy.blackhole();
    const lost = codeOf(publish(publisher, "beds.test.none"));
    await Bun.sleep(10);
    proxy.cut();
    expect(await lost).toBe("BEDS-Q006");
    expect(await codeOf(publish(publisher, "beds.test.none"))).toBe("BEDS-Q006");
    expect((await publisher.lost).code).toBe("BEDS-Q006");
  });

  test("to an exchange that is not there is BEDS-Q009; the channel is lost, not the connection", async () => {
    const publisher = await openPublisher(connection);
    const failure = await failureOf(publish(publisher, "x", { exchange: "beds.test.none" }));
    expect(BedsError.from(failure).code).toBe("BEDS-Q009");
    expect(BedsError.from(failure).detail).toContain("no exchange 'beds.test.none'");
    expect((await publisher.lost).code).toBe("BEDS-Q009");
    const queue = await queues.make();
    await publish(await openPublisher(connection), queue);
    expect(await queues.count(queue)).toBe(1);
  });

  test("under a foreign user-id closes the channel, as RabbitMQ has it", async () => {
    const publisher = await openPublisher(connection);
    const properties = { messageId: "m", userId: "app1" };
    expect(await codeOf(publish(publisher, "x", { properties }))).toBe("BEDS-Q009");
  });

  test("beyond the bound is BEDS-Q010 and is not sent", async () => {
    const publisher = await openPublisher(connection, { maxInFlight: 2 });
    proxy.blackhole();
    const first = [codeOf(publish(publisher, "a")), codeOf(publish(publisher, "b"))];
    expect(await codeOf(publish(publisher, "c"))).toBe("BEDS-Q010");
    proxy.cut();
    expect(await Promise.all(first)).toEqual(["BEDS-Q006", "BEDS-Q006"]);
  });

  test("that waits when the publisher is closed settles", async () => {
    const publisher = await openPublisher(connection);
    const waiting = publish(publisher, await queues.make()).then(
      () => "confirmed",
      (thrown) => BedsError.from(thrown).code,
    );
    await publisher.close();
    expect(["confirmed", "BEDS-Q006"]).toContain(await waiting);
    expect(await codeOf(publish(publisher, "x"))).toBe("BEDS-Q006");
  });
});

describe("a server that does not read", () => {
  test("fills the buffer up to its limit, then BEDS-Q010; later everything arrives", async () => {
    const queue = await queues.make();
    const stalled = await startStalledProxy();
    const options = { port: stalled.port, maxOutputBytes: 4_000_000 };
    const slow = await openConnection(rabbitOptions("beds_run", options), never);
    const publisher = await openPublisher(slow);
    stalled.pause();
    const body = Buffer.alloc(500_000);
    let refused = 0;
    const sent: Promise<void>[] = [];
    for (let left = 60; left > 0; left--) {
      const outcome = publish(publisher, queue, { body });
      outcome.catch(() => refused++);
      sent.push(outcome);
      await Bun.sleep(1);
    }
    expect(refused).toBeGreaterThan(0);
    expect(refused).toBeLessThan(60);
    stalled.resume();
    const outcomes = await Promise.allSettled(sent);
    const taken = outcomes.filter(({ status }) => status === "fulfilled").length;
    expect(taken + refused).toBe(60);
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") expect(outcome.reason.code).toBe("BEDS-Q010");
    }
    expect(await queues.count(queue)).toBe(taken);
    await slow.close();
    await stalled.close();
  });
});

/** A proxy that can stop reading from the client, so that TCP pushes back. */
async function startStalledProxy(): Promise<{
  port: number;
  pause(): void;
  resume(): void;
  close(): Promise<void>;
}> {
  const clients = new Set<Socket>();
  const listener = createServer((client) => {
    const server = connect({ host: "127.0.0.1", port: rabbitOptions().port });
    clients.add(client);
    client.pipe(server);
    server.pipe(client);
    client.on("error", () => server.destroy());
    server.on("error", () => client.destroy());
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const address = listener.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    pause: () => clients.forEach((client) => client.pause()),
    resume: () => clients.forEach((client) => client.resume()),
    close: async () => {
      clients.forEach((client) => client.destroy());
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}
