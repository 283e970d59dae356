import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  type AmqpConnection,
  baseTopology,
  declareTopology,
  joinTopologies,
  laneTopology,
  openConnection,
  openPublisher,
  type Topology,
} from "../../../core/amqp/index.ts";
import { BedsError, type Lane } from "../../../core/contract/index.ts";
import { failureOf, never, rabbitOptions, TestQueues } from "../../helpers/rabbitmq.ts";

let queues: TestQueues;
let connection: AmqpConnection;

beforeAll(async () => {
  queues = await TestQueues.open();
  connection = await openConnection(rabbitOptions(), never);
});

afterAll(async () => {
  await connection.close();
  await queues.close();
});

function oneQueue(name: string, changes: Partial<Topology["queues"][number]> = {}): Topology {
  const queue = { name, type: "classic", durable: true, arguments: {}, ...changes } as const;
  return { exchanges: [], queues: [queue], bindings: [] };
}

async function refusal(topology: Topology): Promise<BedsError> {
  return BedsError.from(await failureOf(declareTopology(connection, topology)));
}

describe("the topology as data", () => {
  const limits = { maxLength: 1_000 };

  test("every queue is bounded and refuses what is beyond", () => {
    const lanes: readonly Lane[] = [
      { queue: "beds.rBroker.rel", routingKey: "rel.read", class: "rel", queueType: "classic" },
      { queue: "beds.wBroker.rel", routingKey: "rel.write", class: "rel", queueType: "quorum" },
    ];
    const all = joinTopologies(baseTopology(limits), laneTopology(lanes, limits));
    for (const queue of all.queues) {
      expect(queue.arguments, queue.name).toMatchObject({
        "x-max-length": 1_000,
        "x-overflow": "reject-publish",
      });
      expect("x-delivery-limit" in queue.arguments, queue.name).toBe(queue.type === "quorum");
    }
    expect(
      all.bindings.map(({ exchange, queue, routingKey }) => [exchange, queue, routingKey]),
    ).toEqual([
      ["beds.retry.1s", "beds.retry.1s", ""],
      ["beds.retry.5s", "beds.retry.5s", ""],
      ["beds.retry.30s", "beds.retry.30s", ""],
      ["beds.unroutable", "beds.unroutable", ""],
      ["beds.dead", "beds.dead", "dead"],
      ["beds.events", "beds.rBroker.rel", "rel.read"],
      ["beds.events", "beds.wBroker.rel", "rel.write"],
    ]);
  });
});

describe("declaring", () => {
  test("twice is as good as once, with a quorum queue and bindings", async () => {
    const queue = queues.name();
    const routingKey = `test.${queue}`;
    const lanes: readonly Lane[] = [{ queue, routingKey, class: "rel", queueType: "quorum" }];
    const limits = { maxLength: 1_000 };
    const topology: Topology = {
      exchanges: [{ name: "beds.test.topology", type: "topic", durable: true, arguments: {} }],
      queues: laneTopology(lanes, limits).queues,
      bindings: [{ exchange: "beds.test.topology", queue, routingKey }],
    };
    await declareTopology(connection, topology);
    await declareTopology(connection, topology);
    const publisher = await openPublisher(connection);
    const properties = { messageId: "m1" };
    const message = {
      exchange: "beds.test.topology",
      routingKey,
      body: "x",
      mandatory: true,
      properties,
    };
    await publisher.publish(message);
    expect(await queues.count(queue)).toBe(1);
    await publisher.close();
    const channel = await queues.connection.openChannel();
    await channel.library.exchangeDelete("beds.test.topology");
    await channel.close();
  });

  const mismatches: readonly (readonly [string, Partial<Topology["queues"][number]>, string])[] = [
    ["another type", { type: "quorum" }, "x-queue-type is classic in RabbitMQ, BEDS needs quorum"],
    [
      "another value",
      { arguments: { "x-max-length": 20 } },
      "x-max-length is 10 in RabbitMQ, BEDS needs 20",
    ],
    ["a missing argument", { arguments: {} }, "x-max-length is 10 in RabbitMQ, BEDS needs not set"],
    ["durability", { durable: false }, "durable is true in RabbitMQ, BEDS needs false"],
  ];
  for (const [what, changes, said] of mismatches) {
    test(`a queue of ${what} is BEDS-Q003 and says which`, async () => {
      const name = await queues.make({ "x-queue-type": "classic", "x-max-length": 10 });
      const error = await refusal(
        oneQueue(name, { arguments: { "x-max-length": 10 }, ...changes }),
      );
      expect(error.code).toBe("BEDS-Q003");
      expect(error.detail).toBe(`queue '${name}': ${said}`);
      expect(error.hint).toContain(`delete_queue ${name} --if-empty`);
      expect(connection.error).toBeNull();
    });
  }

  test("an exchange of another type is BEDS-Q003 and says which", async () => {
    const exchange = {
      name: "beds.test.exchange",
      type: "topic",
      durable: true,
      arguments: {},
    } as const;
    await declareTopology(connection, { exchanges: [exchange], queues: [], bindings: [] });
    const other = { ...exchange, type: "fanout" } as const;
    const error = await refusal({ exchanges: [other], queues: [], bindings: [] });
    expect(error.code).toBe("BEDS-Q003");
    expect(error.detail).toBe(
      "exchange 'beds.test.exchange': type is topic in RabbitMQ, BEDS needs fanout",
    );
    const channel = await queues.connection.openChannel();
    await channel.library.exchangeDelete("beds.test.exchange");
    await channel.close();
  });

  test("what the account may not is BEDS-Q002 with RabbitMQ's text", async () => {
    const error = await refusal(oneQueue("not.ours"));
    expect(error.code).toBe("BEDS-Q002");
    expect(error.detail).toContain("declaring queue 'not.ours'");
    expect(error.detail).toContain("ACCESS_REFUSED");
  });

  test("a binding to what is not there is BEDS-Q009", async () => {
    const bindings = [{ exchange: "beds.test.none", queue: "beds.test.none", routingKey: "x" }];
    const error = await refusal({ exchanges: [], queues: [], bindings });
    expect(error.code).toBe("BEDS-Q009");
    expect(error.detail).toContain("NOT_FOUND");
  });
});
