import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { createServer } from "node:net";
import { type AmqpConnection, openConnection } from "../../../core/amqp/index.ts";
import { BedsError } from "../../../core/contract/index.ts";
import { failureOf, never, rabbitOptions, until } from "../../helpers/rabbitmq.ts";
import { startTcpProxy, type TcpProxy } from "../../helpers/tcp-proxy.ts";

async function refusal(
  options: ReturnType<typeof rabbitOptions>,
  signal = never,
): Promise<BedsError> {
  return BedsError.from(await failureOf(openConnection(options, signal)));
}

describe("connecting", () => {
  test("a wrong password is BEDS-Q002, with RabbitMQ's text", async () => {
    const error = await refusal(rabbitOptions("beds_run", { pass: "wrong" }));
    expect(error.code).toBe("BEDS-Q002");
    expect(error.detail).toContain("ACCESS_REFUSED");
    expect(error.detail).toContain("127.0.0.1:");
    expect(Bun.inspect(error)).not.toContain("wrong");
  });

  test("an empty password is not replaced by guest", async () => {
    expect((await refusal(rabbitOptions("beds_run", { pass: "" }))).code).toBe("BEDS-Q002");
  });

  test("a vhost that does not exist is BEDS-Q002", async () => {
    const error = await refusal(rabbitOptions("beds_run", { vhost: "nowhere/at all" }));
    expect(error.code).toBe("BEDS-Q002");
    expect(error.detail).toContain("nowhere/at all");
  });

  test("nobody there is BEDS-Q001 with the address", async () => {
    const proxy = await startTcpProxy(1);
    await proxy.close();
    const error = await refusal(rabbitOptions("beds_run", { port: proxy.port }));
    expect(error.code).toBe("BEDS-Q001");
    expect(error.detail).toContain(`127.0.0.1:${proxy.port}`);
  });

  test("a server that says nothing is BEDS-Q001 in time, and its socket is gone", async () => {
    const proxy = await startTcpProxy(rabbitOptions().port);
    proxy.blackhole();
    const started = performance.now();
    const error = await refusal(
      rabbitOptions("beds_run", { port: proxy.port, connectTimeoutMs: 200 }),
    );
    expect(error.code).toBe("BEDS-Q001");
    expect(error.detail).toContain("no answer in 200 ms");
    expect(performance.now() - started).toBeLessThan(1_000);
    await until("the proxy sees the end", () => proxy.connections === 0);
    await proxy.close();
  });

  test("a server that hangs up is BEDS-Q001", async () => {
    const server = createServer((socket) => socket.end());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    expect((await refusal(rabbitOptions("beds_run", { port }))).code).toBe("BEDS-Q001");
    server.close();
  });

  test("a server of another protocol is BEDS-Q011", async () => {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.write("HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    expect((await refusal(rabbitOptions("beds_run", { port }))).code).toBe("BEDS-Q011");
    server.close();
  });

  test("an abort ends the attempt", async () => {
    const proxy = await startTcpProxy(rabbitOptions().port);
    proxy.blackhole();
    const options = rabbitOptions("beds_run", { port: proxy.port });
    expect((await refusal(options, AbortSignal.timeout(50))).code).toBe("BEDS-Q012");
    expect((await refusal(options, AbortSignal.abort())).code).toBe("BEDS-Q012");
    await until("the proxy sees the end", () => proxy.connections === 0);
    await proxy.close();
  });
});

describe("a connection", () => {
  let proxy: TcpProxy;

  beforeEach(async () => {
    proxy = await startTcpProxy(rabbitOptions().port);
  });

  afterEach(async () => {
    await proxy.close();
  });

  async function open(heartbeatSeconds = 10): Promise<AmqpConnection> {
    return openConnection(rabbitOptions("beds_run", { port: proxy.port, heartbeatSeconds }), never);
  }

  test("that is cut ends with BEDS-Q006, and so does what waits for it", async () => {
    const connection = await open();
    const channel = await connection.openChannel();
    proxy.cut();
    const declared = failureOf(connection.openChannel());
    expect((await connection.closed).code).toBe("BEDS-Q006");
    expect(BedsError.from(await declared).code).toBe("BEDS-Q006");
    expect((await channel.lost).code).toBe("BEDS-Q006");
    expect(connection.error?.code).toBe("BEDS-Q006");
    await connection.close();
  });

  test("never shows its password in an error", async () => {
    const connection = await open();
    const channel = await connection.openChannel();
    const refused = channel.library.queueDeclare("not.ours", { durable: true });
    const errors = [
      await failureOf(channel.settling(refused, "declaring")),
      await channel.lost,
      await connection.close().then(() => connection.closed),
      await failureOf(connection.openChannel()),
    ];
    const { pass } = rabbitOptions();
    for (const error of errors) expect(Bun.inspect(error, { depth: 9 })).not.toContain(pass);
  });

  test("whose peer is dead ends within two heartbeats, although we write", async () => {
    const connection = await open(1);
    proxy.blackhole();
    const started = performance.now();
    const writing = setInterval(() => connection.writer.heartbeat(), 50);
    const reason = await connection.closed;
    clearInterval(writing);
    expect(reason.code).toBe("BEDS-Q006");
    expect(reason.detail).toContain("silent");
    expect(performance.now() - started).toBeLessThan(2_100);
    expect(performance.now() - started).toBeGreaterThan(1_400);
  });

  test("that is idle lives on: heartbeats go both ways", async () => {
    const connection = await open(1);
    await Bun.sleep(3_200);
    expect(connection.error).toBeNull();
    const channel = await connection.openChannel();
    await channel.close();
    await connection.close();
  });

  test("that RabbitMQ closes ends with BEDS-Q006 and RabbitMQ's reason", async () => {
    const connection = await open();
    const channel = await connection.openChannel();
    const text = "CONNECTION_FORCED - bye";
    const payload = Buffer.alloc(4 + 2 + 1 + text.length + 4);
    payload.writeUInt32BE(0x000a_0032, 0);
    payload.writeUInt16BE(320, 4);
    payload.writeUInt8(text.length, 6);
    payload.write(text, 7);
    const head = Buffer.from([1, 0, 0, 0, 0, 0, payload.length]);
    proxy.inject(Buffer.concat([head, payload, Buffer.from([206])]));
    const reason = await connection.closed;
    expect(reason.code).toBe("BEDS-Q006");
    expect(reason.detail).toBe(`connection closed: ${text} (320)`);
    expect((await channel.lost).code).toBe("BEDS-Q006");
  });

  test("that gets a broken frame ends with BEDS-Q011", async () => {
    const connection = await open();
    proxy.inject(Buffer.from([8, 0, 0, 0, 0, 0, 0, 205]));
    expect((await connection.closed).code).toBe("BEDS-Q011");
  });

  test("that gets a frame above the limit ends with BEDS-Q011", async () => {
    const connection = await open();
    proxy.inject(Buffer.from([3, 0, 1, 255, 255, 255, 255]));
    expect((await connection.closed).code).toBe("BEDS-Q011");
  });

  test("that gets a frame which the library cannot read ends with BEDS-Q011", async () => {
    const connection = await open();
    // connection.blocked, cut short: the library reads beyond the end and throws.
    proxy.inject(Buffer.from([1, 0, 0, 0, 0, 0, 5, 0, 10, 0, 60, 200, 206]));
    expect((await connection.closed).code).toBe("BEDS-Q011");
  });

  test("is served in single bytes", async () => {
    proxy.chop(1);
    const connection = await open();
    const channel = await connection.openChannel();
    await channel.close();
    await connection.close();
  });

  test("says that it is blocked, and that it is not", async () => {
    const said: (string | null)[] = [];
    const options = rabbitOptions("beds_run", {
      port: proxy.port,
      onBlocked: (reason) => said.push(reason),
    });
    const connection = await openConnection(options, never);
    proxy.inject(Buffer.from([1, 0, 0, 0, 0, 0, 8, 0, 10, 0, 60, 3, 108, 111, 119, 206]));
    await until("it is blocked", () => connection.blocked === "low");
    proxy.inject(Buffer.from([1, 0, 0, 0, 0, 0, 4, 0, 10, 0, 61, 206]));
    await until("it is not", () => connection.blocked === null);
    expect(said).toEqual(["low", null]);
    await connection.close();
  });

  test("is closed once, whoever asks again", async () => {
    const connection = await open();
    await Promise.all([connection.close(), connection.close()]);
    await connection.close();
    expect((await connection.closed).code).toBe("BEDS-Q006");
    expect(BedsError.from(await failureOf(connection.openChannel())).code).toBe("BEDS-Q006");
    await until("the proxy sees the end", () => proxy.connections === 0);
  });
});
