import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import {
  type AmqpConnection,
  consume,
  declareTopology,
  Link,
  type LinkOptions,
  openConnection,
  openPublisher,
} from "../../../core/amqp/index.ts";
import { backoffMs } from "../../../core/amqp/backoff.ts";
import { BedsError, type ConnectionObserved } from "../../../core/contract/index.ts";
import { failureOf, never, rabbitOptions, TestQueues, until } from "../../helpers/rabbitmq.ts";
import { startTcpProxy, type TcpProxy } from "../../helpers/tcp-proxy.ts";

let queues: TestQueues;
let proxy: TcpProxy;
let link: Link | null = null;
let observed: ConnectionObserved[] = [];

beforeAll(async () => {
  queues = await TestQueues.open();
});

afterAll(async () => {
  await queues.close();
});

beforeEach(async () => {
  observed = [];
  proxy = await startTcpProxy(rabbitOptions().port);
});

afterEach(async () => {
  await link?.close();
  await proxy.close();
});

function start(setUp: LinkOptions["setUp"] = async () => undefined, heartbeatSeconds = 10): Link {
  link = new Link({
    target: "rabbitmq test data",
    connection: rabbitOptions("beds_run", { port: proxy.port, heartbeatSeconds }),
    observe: (observation) => {
      if (observation.kind === "connection") observed.push(observation);
    },
    setUp,
  });
  return link;
}

function changes(): string[] {
  return observed.map(({ change }) => change);
}

describe("a link", () => {
  test("consumes again after every loss, from a queue that it declares again", async () => {
    const queue = queues.name();
    const seen: string[] = [];
    const topology = {
      exchanges: [],
      queues: [{ name: queue, type: "classic", durable: true, arguments: {} }],
      bindings: [],
    } as const;
    const running = start(async (connection) => {
      await declareTopology(connection, topology);
      await consume(connection, { queue, prefetch: 10, maxBodyBytes: 100 }, (delivery) => {
        seen.push(delivery.body.toString());
        delivery.ack();
      });
    });
    await running.waitUntilUp(AbortSignal.timeout(5_000));
    const sender = await openConnection(rabbitOptions("beds_test"), never);
    const publisher = await openPublisher(sender);
    for (const round of ["a", "b", "c"]) {
      const properties = { messageId: round };
      const message = { exchange: "", routingKey: queue, body: round, mandatory: true, properties };
      await publisher.publish(message);
      await until(`${round} is there`, () => seen.includes(round));
      const before = running.current();
      // The last loss takes the queue as well.
      if (round === "b") await queues.delete(queue);
      proxy.cut();
      await until(
        "it is up again",
        () => running.current() !== null && running.current() !== before,
      );
    }
    expect(changes()).toEqual(["up", "down", "up", "down", "up", "down", "up"]);
    expect(seen).toEqual(["a", "b", "c"]);
    await sender.close();
  });

  test("is back within seconds of the port's opening, and says why it was down", async () => {
    const running = start();
    await running.waitUntilUp(AbortSignal.timeout(5_000));
    await proxy.shut();
    await until(
      "it has tried",
      () => observed.filter(({ change }) => change === "retrying").length > 3,
    );
    expect(running.current()).toBeNull();
    expect(running.error?.code).toBe("BEDS-Q001");
    expect(observed.at(-1)?.detail).toContain(`127.0.0.1:${proxy.port}`);
    await Bun.sleep(1_500);
    await proxy.open();
    const opened = performance.now();
    await running.waitUntilUp(AbortSignal.timeout(5_000));
    expect(performance.now() - opened).toBeLessThan(3_000);
  });

  test("leaves a dead peer", async () => {
    const running = start(undefined, 1);
    const first = await running.waitUntilUp(AbortSignal.timeout(5_000));
    proxy.blackhole();
    expect((await first.closed).code).toBe("BEDS-Q006");
    await proxy.shut();
    await proxy.open();
    expect(await running.waitUntilUp(AbortSignal.timeout(5_000))).not.toBe(first);
  });

  test("tries again when setting up fails, and leaves no connection behind", async () => {
    let tries = 0;
    const opened: AmqpConnection[] = [];
    const running = start(async (connection) => {
      opened.push(connection);
      if (++tries < 3) throw new BedsError("BEDS-Q003", { detail: "test" });
    });
    await running.waitUntilUp(AbortSignal.timeout(5_000));
    expect(changes()).toEqual(["retrying", "retrying", "up"]);
    expect(observed[0]?.detail).toBe("BEDS-Q003: test");
    expect(opened.map(({ error }) => error === null)).toEqual([false, false, true]);
    await until("one connection is left", () => proxy.connections === 1);
  });

  test("says why when the wait for it is aborted", async () => {
    await proxy.shut();
    const running = start();
    const error = await failureOf(running.waitUntilUp(AbortSignal.timeout(300)));
    expect(BedsError.from(error).code).toBe("BEDS-Q001");
    await proxy.open();
  });

  test("passes on that RabbitMQ takes no messages", async () => {
    const running = start();
    await running.waitUntilUp(AbortSignal.timeout(5_000));
    proxy.inject(Buffer.from([1, 0, 0, 0, 0, 0, 8, 0, 10, 0, 60, 3, 108, 111, 119, 206]));
    await until("it is said", () => changes().includes("blocked"));
    expect(observed.at(-1)?.detail).toBe("low");
  });

  const moments: readonly (readonly [string, () => Promise<Link>])[] = [
    [
      "is up",
      async () => {
        const running = start();
        await running.waitUntilUp(AbortSignal.timeout(5_000));
        return running;
      },
    ],
    [
      "connects",
      async () => {
        proxy.blackhole();
        const running = start();
        await Bun.sleep(50);
        return running;
      },
    ],
    [
      "sets up",
      async () => {
        const { promise, resolve } = Promise.withResolvers<void>();
        const running = start(() => {
          resolve();
          return new Promise(() => undefined);
        });
        await promise;
        return running;
      },
    ],
    [
      "waits for its next attempt",
      async () => {
        await proxy.shut();
        const running = start();
        await until("it has tried", () => observed.length > 3);
        await proxy.open();
        return running;
      },
    ],
  ];
  for (const [moment, arrive] of moments) {
    test(`is closed at once while it ${moment}, and stays so`, async () => {
      const running = await arrive();
      const started = performance.now();
      await running.close();
      expect(performance.now() - started).toBeLessThan(500);
      expect(running.current()).toBeNull();
      await until("no connection is left", () => proxy.connections === 0);
      const said = observed.length;
      await Bun.sleep(300);
      expect(observed.length).toBe(said);
      const error = BedsError.from(await failureOf(running.waitUntilUp(never)));
      expect(error.class).not.toBe("BUG");
    });
  }
});

describe("the wait between attempts", () => {
  const limits = { firstMs: 100, maxMs: 2_000 };

  test("doubles up to its maximum", () => {
    const waits = [0, 1, 2, 3, 4, 5, 6, 1_000].map((attempt) => backoffMs(attempt, 1, limits));
    expect(waits).toEqual([100, 200, 400, 800, 1_600, 2_000, 2_000, 2_000]);
  });

  test("is spread over its upper half", () => {
    expect(backoffMs(9, 0, limits)).toBe(1_000);
    expect(backoffMs(9, 0.5, limits)).toBe(1_500);
  });
});
