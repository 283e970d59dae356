import type { Arrival, Envelope, JsonValue } from "../../../core/contract/index.ts";
import { decode } from "../../../core/message/decode.ts";
import { Mint } from "../../../core/message/event-id.ts";
import { compileTemplates } from "../../../core/message/validate.ts";
import { parseTemplate } from "../../../core/template/parse.ts";

export const limits = { messageBytes: 1_048_576, depth: 32 };

export const eventId = "app1.production.01900000-1234-7abc-8def-0123456789ab";
export const parentId = "app1.production.01900000-1234-7abc-8def-000000000001";

export const arrival: Arrival = {
  userId: "app1",
  exchange: "beds.events",
  routingKey: "rel.read",
  queue: "beds.rBroker.rel",
  replyTo: "amq.rabbitmq.reply-to.g1",
  correlationId: "c1",
  messageId: "",
  redelivered: false,
  receivedAt: 1_790_000_000_000,
  sentAt: 0,
  attempt: 0,
};

/** A mint whose clock and random stand still. */
export function stillMint(now = 1_790_000_000_000): Mint {
  return new Mint({
    node: "node1",
    env: "dev",
    now: () => now,
    random: (bytes) => bytes.fill(7),
  });
}

export const users = parseTemplate(
  `
name = "Users"
tla = "usr"
class = "rel"
database = "app"
description = "People."
[fields.email]
type = "string"
max_length = 40
[fields.secret]
type = "string"
sensitive = true
max_length = 4
[fields.balance]
type = "decimal"
precision = 10
scale = 2
[fields.profile]
type = "json"
max_length = 200
[operations.fetch_by_email]
kind = "fetch"
params = ["email", { name = "limit", type = "int", min = 1, max = 100, required = false }]
result = "one"
roles = ["app", "admin"]
[operations.create]
kind = "create"
params = ["email", "secret", { field = "balance", required = false }, { field = "profile", required = false }]
roles = ["app"]
[operations.purge]
kind = "call"
`,
  "users.toml",
);

export const templates = compileTemplates([users]);

export function bytesOf(value: unknown): Uint8Array {
  return new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
}

export function envelopeOf(
  op: string,
  args: { readonly [name: string]: JsonValue },
  meta: object = {},
): Envelope {
  const body = { v: 1, event_id: eventId, template: "Users", op, args, meta };
  return decode(bytesOf(body), arrival, limits, stillMint());
}

/**
 * A repeatable stream of numbers from 0 to 1 (mulberry32), so that a failing case can be met again.
 */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function pick<Value>(random: () => number, values: readonly [Value, ...Value[]]): Value {
  return values[Math.floor(random() * values.length)] ?? values[0];
}

/** What a call throws; fails the test when it throws nothing. */
export function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (thrown) {
    return thrown;
  }
  throw new Error("nothing was thrown");
}
