import { RpcClient } from "../../core/amqp/index.ts";
import type { Answer } from "../../core/contract/message.ts";
import { Mint } from "../../core/message/event-id.ts";
import { rabbitOptions } from "./rabbitmq.ts";

/** An application that sends requests, as one that knows nothing of BEDS but the wire would. */
export interface TestClient extends AsyncDisposable {
  /** Sends a body as it is and reads the answer. */
  send(routingKey: string, body: string | Uint8Array, timeoutMs?: number): Promise<Answer>;
  /** Sends an operation: `ask("rel.read", "ExampleRel.fetch_by_id", { id: "1" })`. */
  ask(routingKey: string, operation: string, args: object, timeoutMs?: number): Promise<Answer>;
}

/** Connects as one of the local stack's client accounts. */
export async function openClient(account: "app1" | "app2" = "app1"): Promise<TestClient> {
  const mint = new Mint({
    node: account,
    env: "dev",
    now: Date.now,
    random: crypto.getRandomValues.bind(crypto),
  });
  const client = new RpcClient({
    target: `test ${account}`,
    connection: rabbitOptions(account, { name: `test ${account}` }),
    observe: () => undefined,
    maxAnswerBytes: 4_000_000,
  });
  await client.waitUntilUp(AbortSignal.timeout(10_000));
  const send: TestClient["send"] = async (routingKey, body, timeoutMs = 5000) => {
    const bytes = await client.request(routingKey, body, { timeoutMs, messageId: mint.next() });
    return readAnswer(JSON.parse(bytes.toString("utf8")));
  };
  return {
    send,
    ask: (routingKey, operation, args, timeoutMs) => {
      const [template, op] = operation.split(".");
      return send(routingKey, JSON.stringify({ v: 1, template, op, args }), timeoutMs);
    },
    [Symbol.asyncDispose]: () => client.close(),
  };
}

/** The wire's contract is what the tests look at, so that the shape is checked once, here. */
function readAnswer(value: unknown): Answer {
  if (isAnswer(value)) return value;
  throw new Error(`not an answer of version 1: ${JSON.stringify(value)}`);
}

function isAnswer(value: unknown): value is Answer {
  if (typeof value !== "object" || value === null) return false;
  const keys = [
    "v",
    "event_id",
    "parent_id",
    "depth",
    "status",
    "result",
    "replayed",
    "error",
    "ticket",
    "timing",
  ];
  return keys.every((key) => key in value) && Object.keys(value).length === keys.length;
}
