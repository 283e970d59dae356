import type { Arrival, Result } from "../core/contract/index.ts";
import { authorize, type Authorized, type Principals } from "../core/message/authorize.ts";
import { decode } from "../core/message/decode.ts";
import { encodeOk } from "../core/message/encode.ts";
import { Mint } from "../core/message/event-id.ts";
import { route, type Routed, type Routes } from "../core/message/route.ts";
import { compileTemplates, type Validated, validate } from "../core/message/validate.ts";
import { parseTemplate } from "../core/template/parse.ts";

/**
 * One thing that is measured. `run` is one operation: one message through one stage, or through
 * all.
 */
export interface Stage {
  readonly name: string;
  readonly run: () => unknown;
}

export interface Dispatch {
  /** `JSON.parse` and `JSON.stringify` of the same message: what every ratio is a ratio to. */
  readonly calibration: () => unknown;
  readonly stages: readonly Stage[];
  /** The length of a message. */
  readonly bytes: number;
}

/** The stages that `BEDS_BENCH_SLOWDOWN` may name. */
export const stageNames = ["decode", "validate", "authorize", "route", "encode"] as const;

/** The stage that runs all others, which has a bound of its own. */
export const wholeName = "whole";

/**
 * The dispatch path in process, without RabbitMQ and without a database. `slowdown` names a stage
 * that does three times the calibration's work besides its own, to prove that the gate sees it.
 */
export function createDispatch(slowdown: string): Dispatch {
  const few = createStages(10, slowdown);
  const many = createStages(1000, slowdown);
  return {
    calibration: few.calibration,
    stages: [...few.stages, { name: `${wholeName}, 1,000 templates`, run: many.whole }],
    bytes: few.bytes,
  };
}

/** Messages of a ring differ, so that no cache of the engine answers for the code under test. */
const ringSize = 64;
const limits = { messageBytes: 1_048_576, depth: 32 };
const answerBytes = 1_048_576;
const timing = { queueMs: 0.412, execMs: 1.234 };
const arrival: Arrival = {
  userId: "app1",
  exchange: "beds.events",
  routingKey: "rel.read",
  queue: "beds.rBroker.rel",
  replyTo: "amq.rabbitmq.reply-to.g1",
  correlationId: "c1",
  messageId: "",
  redelivered: false,
  receivedAt: 1_780_000_000_000,
  sentAt: 0,
  attempt: 0,
};
const principals: Principals = new Map([["app1", { roles: ["app"], mayAssert: false }]]);
const result: Result = {
  rows: [
    { usr_id: 4711, usr_email: "somebody@example.com", usr_created_at: "2025-01-01T00:00:00Z" },
  ],
  next: null,
  version: null,
  token: null,
};

function createStages(templateCount: number, slowdown: string) {
  const template = parseTemplate(templateText, "bench.toml");
  const templates = compileTemplates(
    Array.from({ length: templateCount }, (_, index) => ({ ...template, name: nameOf(index) })),
  );
  const mint = new Mint({
    node: "bench",
    env: "dev",
    now: Date.now,
    random: (bytes) => crypto.getRandomValues(bytes),
  });
  const routes: Routes<string> = new Map(
    [...template.operations.values()].map((operation) => [
      operation,
      { queue: arrival.queue, routingKey: "rel.read", execute: "run", disabled: null },
    ]),
  );
  const texts = Array.from({ length: ringSize }, (_, index) =>
    messageOf(nameOf((index % 10) * (templateCount / 10)), mint.next()),
  );
  const bodies = ringOf(texts.map((text) => new TextEncoder().encode(text)));
  const parsable = ringOf(texts);
  const objects = ringOf(texts.map((text): unknown => JSON.parse(text)));
  const calibration = (): unknown => [JSON.parse(parsable()), JSON.stringify(objects())];

  const burden = (name: string): (() => void) => {
    if (name !== slowdown) return () => {};
    return () => {
      for (let times = 0; times < 3; times++) calibration();
    };
  };
  const burdens = {
    decode: burden("decode"),
    validate: burden("validate"),
    authorize: burden("authorize"),
    route: burden("route"),
    encode: burden("encode"),
  };
  const steps = {
    decode: (body: Uint8Array) => {
      burdens.decode();
      return decode(body, arrival, limits, mint);
    },
    validate: (envelope: Validated["envelope"]) => {
      burdens.validate();
      return validate(envelope, templates);
    },
    authorize: (validated: Validated) => {
      burdens.authorize();
      return authorize(validated, arrival, principals);
    },
    route: (authorized: Authorized) => {
      burdens.route();
      return route(authorized, arrival, routes, arrival.receivedAt);
    },
    encode: ({ request }: Routed<string>) => {
      burdens.encode();
      return encodeOk(request.envelope, result, false, timing, mint, answerBytes).body;
    },
  };

  const envelopes = texts.map(() => steps.decode(bodies()));
  const validated = envelopes.map((envelope) => steps.validate(envelope));
  const authorized = validated.map((request) => steps.authorize(request));
  const routed = authorized.map((request) => steps.route(request));
  const nextEnvelope = ringOf(envelopes);
  const nextValidated = ringOf(validated);
  const nextAuthorized = ringOf(authorized);
  const nextRouted = ringOf(routed);
  const whole = (): string =>
    steps.encode(steps.route(steps.authorize(steps.validate(steps.decode(bodies())))));
  const stages: readonly Stage[] = [
    { name: "decode", run: () => steps.decode(bodies()) },
    { name: "validate", run: () => steps.validate(nextEnvelope()) },
    { name: "authorize", run: () => steps.authorize(nextValidated()) },
    { name: "route", run: () => steps.route(nextAuthorized()) },
    { name: "encode", run: () => steps.encode(nextRouted()) },
    { name: wholeName, run: whole },
  ];
  return { calibration, stages, whole, bytes: texts[0]?.length ?? 0 };
}

const templateText = `
name = "Users"
tla = "usr"
class = "rel"
database = "app"
description = "People, for the benchmark."

[fields.email]
type = "string"
max_length = 255

[operations.fetch_by_email]
kind = "fetch"
params = ["email", { name = "limit", type = "int", min = 1, max = 100, required = false }]
result = "one"
roles = ["admin", "app"]
`;

function nameOf(index: number): string {
  return `Users${String(index).padStart(4, "0")}`;
}

/** About 260 bytes, as clients send it. */
function messageOf(template: string, eventId: string): string {
  return JSON.stringify({
    v: 1,
    event_id: eventId,
    parent_id: "",
    depth: 0,
    template,
    op: "fetch_by_email",
    args: { email: `${eventId.slice(-12)}@example.com`, limit: 10 },
    meta: { deadline: arrival.receivedAt + 10_000, idempotency_key: eventId.slice(-36) },
  });
}

function ringOf<Value>(values: readonly Value[]): () => Value {
  let at = 0;
  return () => {
    at = (at + 1) % values.length;
    const value = values[at];
    if (value === undefined) throw new RangeError("a ring has at least one value");
    return value;
  };
}
