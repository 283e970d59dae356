import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import {
  type AmqpConnection,
  baseTopology,
  consume,
  type Consumer,
  declareTopology,
  type Delivery,
  openConnection,
  RpcClient,
  type RpcRequest,
} from "../../../core/amqp/index.ts";
import { BedsError, type Observation } from "../../../core/contract/index.ts";
import { failureOf, never, rabbitOptions, TestQueues, until } from "../../helpers/rabbitmq.ts";
import { startTcpProxy, type TcpProxy } from "../../helpers/tcp-proxy.ts";

let queues: TestQueues;
let connection: AmqpConnection;
let server: Consumer;
let proxy: TcpProxy;
let client: RpcClient;
let observed: Observation[] = [];
let onRequest: (delivery: Delivery) => void = () => undefined;

/** A key of this run on `beds.events`, of letters alone: clients may use no other. */
const KEY = `test${crypto.randomUUID().replaceAll(/[^a-z]/g, "")}`;

beforeAll(async () => {
  queues = await TestQueues.open();
  connection = await openConnection(rabbitOptions(), never);
  const queue = queues.name();
  const unroutable = queues.name();
  await declareTopology(connection, {
    // The product's exchanges, but queues of our own: a node may run beside the tests.
    exchanges: baseTopology({ maxLength: 1 }).exchanges,
    queues: [queue, unroutable].map((name) => ({
      name,
      type: "classic",
      durable: true,
      arguments: {},
    })),
    bindings: [
      { exchange: "beds.events", queue, routingKey: KEY },
      { exchange: "beds.unroutable", queue: unroutable, routingKey: "" },
    ],
  });
  const options = { queue, prefetch: 100, maxBodyBytes: 1_000_000 };
  server = await consume(connection, options, (delivery) => onRequest(delivery));
});

afterAll(async () => {
  await server.close();
  await connection.close();
  await queues.close();
});

beforeEach(async () => {
  observed = [];
  onRequest = (delivery) => void delivery.replyAndAck(delivery.body);
  proxy = await startTcpProxy(rabbitOptions().port);
  client = new RpcClient({
    target: "rabbitmq test rpc",
    connection: rabbitOptions("app1", { port: proxy.port }),
    observe: (observation) => observed.push(observation),
    maxAnswerBytes: 500_000,
    limits: { maxInFlight: 500 },
  });
  await client.waitUntilUp(AbortSignal.timeout(5_000));
});

afterEach(async () => {
  await client.close();
  await proxy.close();
});

let count = 0;

function request(
  body: string | Uint8Array,
  more: Partial<RpcRequest> = {},
  key = KEY,
): Promise<Buffer> {
  return client.request(key, body, { timeoutMs: 5_000, messageId: `m${++count}`, ...more });
}

async function refusal(promise: Promise<unknown>): Promise<BedsError> {
  return BedsError.from(await failureOf(promise));
}

describe("a request", () => {
  test("is answered, whatever its size", async () => {
    for (const size of [0, 1, 160, 131_064, 131_065, 300_000]) {
      const body = Buffer.alloc(size, "x");
      expect((await request(body)).equals(body), `${size} bytes`).toBe(true);
    }
    expect((await request("é")).toString()).toBe("é");
  });

  test("carries who sent it, when, and until when", async () => {
    const seen: Delivery[] = [];
    onRequest = (delivery) => {
      seen.push(delivery);
      delivery.replyAndAck("{}");
    };
    const before = Math.floor(Date.now() / 1000) * 1000;
    await request("{}", {
      messageId: "app1.dev.1",
      persistent: true,
      headers: { "beds-pack": true },
    });
    const [delivery] = seen;
    expect(delivery?.arrival).toMatchObject({
      userId: "app1",
      exchange: "beds.events",
      routingKey: KEY,
      messageId: "app1.dev.1",
    });
    expect(delivery?.arrival.sentAt).toBeGreaterThanOrEqual(before);
    expect(delivery?.arrival.replyTo).toStartWith("beds.reply.app1.");
    expect(delivery?.properties.headers).toEqual({ "beds-pack": true });
    expect(delivery?.properties).toMatchObject({
      contentType: "application/json",
      deliveryMode: 2,
      expiration: "5000",
    });
  });

  test("gets its own answer, although they come in another order", async () => {
    const held: Delivery[] = [];
    const bodies: string[] = [];
    onRequest = (delivery) => {
      held.push(delivery);
      bodies.push(delivery.body.toString());
      if (held.length < 50) return;
      for (const [at, one] of [...held.entries()].toReversed()) one.replyAndAck(`re ${bodies[at]}`);
    };
    const answers = await Promise.all(Array.from({ length: 50 }, (_, at) => request(`${at}`)));
    expect(answers.map(String)).toEqual(Array.from({ length: 50 }, (_, at) => `re ${at}`));
    expect(client.inFlight).toBe(0);
  });

  test("without an answer in time is BEDS-Q007; a late answer is dropped", async () => {
    const held: Delivery[] = [];
    onRequest = (delivery) => void held.push(delivery);
    const started = performance.now();
    const error = await refusal(request("a", { timeoutMs: 100 }));
    expect(error.code).toBe("BEDS-Q007");
    expect(error.detail).toBe(`'${KEY}': no answer in 100 ms`);
    expect(performance.now() - started).toBeLessThan(400);
    held[0]?.replyAndAck("late");
    onRequest = (delivery) => void delivery.replyAndAck(delivery.body);
    expect((await request("b")).toString()).toBe("b");
  });

  test("that is aborted is BEDS-Q012 at once", async () => {
    onRequest = (delivery) => delivery.ack();
    const options = { timeoutMs: 5_000, messageId: "m" };
    const aborting = client.request(KEY, "a", options, AbortSignal.timeout(30));
    expect((await refusal(aborting)).code).toBe("BEDS-Q012");
    const aborted = client.request(KEY, "a", options, AbortSignal.abort());
    expect((await refusal(aborted)).code).toBe("BEDS-Q012");
    expect(client.inFlight).toBe(0);
  });

  test("with an answer that is too large is BEDS-M030", async () => {
    onRequest = (delivery) => void delivery.replyAndAck(Buffer.alloc(500_001));
    expect((await refusal(request("a"))).code).toBe("BEDS-M030");
  });

  test("beyond the bound is BEDS-Q010", async () => {
    onRequest = (delivery) => delivery.ack();
    const many = Array.from({ length: 501 }, () => refusal(request("a", { timeoutMs: 300 })));
    const codes = (await Promise.all(many)).map(({ code }) => code);
    expect(codes.at(-1)).toBe("BEDS-Q010");
    expect(new Set(codes.slice(0, -1))).toEqual(new Set(["BEDS-Q007"]));
  });

  test("whose key the account may not use is BEDS-Q002, and costs no other its answer", async () => {
    const held: Delivery[] = [];
    onRequest = (delivery) => void held.push(delivery);
    const other = request("other");
    await until("it is there", () => held.length === 1);
    // The confirm of the other one stands before the answer to this.
    const error = await refusal(request("a", {}, "not.for.clients"));
    expect(error.code).toBe("BEDS-Q002");
    expect(error.detail).toContain("not.for.clients");
    held[0]?.replyAndAck("kept");
    expect((await other).toString()).toBe("kept");
    onRequest = (delivery) => void delivery.replyAndAck(delivery.body);
    const answered = async (): Promise<boolean> => (await request("b").catch(() => null)) !== null;
    await until("it publishes again", answered);
    expect(observed.map((one) => one.kind === "connection" && one.change)).toEqual(["up"]);
  });

  test("to a key that nobody serves is taken by the alternate exchange: no BEDS-Q008", async () => {
    // A node that runs beside the tests answers it.
    const outcome = await request("a", { timeoutMs: 150 }, "nobody").then(
      () => "answered",
      (thrown) => BedsError.from(thrown).code,
    );
    expect(["answered", "BEDS-Q007"]).toContain(outcome);
  });
});

describe("a client that loses its connection", () => {
  test("ends what is in flight with BEDS-Q006 and is back by itself", async () => {
    onRequest = (delivery) => delivery.ack();
    const waiting = Promise.all([1, 2, 3].map(() => refusal(request("a"))));
    await Bun.sleep(30);
    proxy.cut();
    expect((await waiting).map(({ code }) => code)).toEqual([
      "BEDS-Q006",
      "BEDS-Q006",
      "BEDS-Q006",
    ]);
    expect((await refusal(request("b"))).code).toBe("BEDS-Q006");
    onRequest = (delivery) => void delivery.replyAndAck(delivery.body);
    await client.waitUntilUp(AbortSignal.timeout(5_000));
    expect((await request("c")).toString()).toBe("c");
    const changes = observed.map((one) => (one.kind === "connection" ? one.change : one.kind));
    expect(changes).toEqual(["up", "down", "up"]);
  });

  test("and is closed settles everything", async () => {
    onRequest = (delivery) => delivery.ack();
    const waiting = refusal(request("a"));
    await client.close();
    expect((await waiting).code).toBe("BEDS-Q006");
    expect((await refusal(request("b"))).code).toBe("BEDS-Q006");
    await until("the proxy sees the end", () => proxy.connections === 0);
  });
});
