import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { BedsError, type Envelope } from "../../../core/contract/index.ts";
import { decode, lineageOfRefused } from "../../../core/message/decode.ts";
import { envelopeSchema } from "../../../core/message/envelope-schema.ts";
import { isDeeperThan } from "../../../core/message/nesting.ts";
import {
  arrival,
  bytesOf,
  eventId,
  limits,
  parentId,
  pick,
  randomOf,
  stillMint,
  thrownBy,
} from "./samples.ts";

const small = { v: 1, event_id: eventId, template: "Users", op: "fetch", args: {}, meta: {} };

function read(body: unknown): Envelope {
  return decode(body instanceof Uint8Array ? body : bytesOf(body), arrival, limits, stillMint());
}

function refusal(body: unknown): BedsError {
  const thrown = thrownBy(() => read(body));
  if (thrown instanceof BedsError) return thrown;
  throw thrown;
}

describe("what is accepted", () => {
  test("every key of the envelope and of meta", () => {
    const envelope = read({
      v: 1,
      event_id: eventId,
      parent_id: parentId,
      depth: 1,
      template: "Users",
      op: "fetch_by_email",
      args: { email: "a@b.c" },
      meta: {
        principal: "ann",
        idempotency_key: "k 1",
        expected_version: 7,
        deadline: 1_790_000_000_000,
        consistency: "session",
        token: "0-1-2",
        ticket: true,
      },
    });
    expect(envelope).toEqual({
      version: 1,
      eventId,
      parentId,
      rootId: parentId,
      depth: 1,
      template: "Users",
      op: "fetch_by_email",
      args: { email: "a@b.c" },
      meta: {
        principal: "ann",
        idempotencyKey: "k 1",
        expectedVersion: 7,
        deadline: 1_790_000_000_000,
        consistency: "session",
        token: "0-1-2",
        ticket: true,
      },
    });
  });

  test("the least: version, template and operation; the id is minted", () => {
    const envelope = read({ v: 1, template: "Users", op: "fetch" });
    expect(envelope.eventId).toStartWith("node1.dev.");
    expect(envelope).toMatchObject({ parentId: "", depth: 0, args: {}, meta: {} });
    expect(envelope.rootId).toBe(envelope.eventId);
  });

  test("a missing id is the message-id, so that a redelivery stays one event", () => {
    const body = bytesOf({ v: 1, template: "Users", op: "fetch" });
    const sent = { ...arrival, messageId: eventId };
    expect(decode(body, sent, limits, stillMint()).eventId).toBe(eventId);
    const unusable = { ...arrival, messageId: "7" };
    expect(decode(body, unusable, limits, stillMint()).eventId).toStartWith("node1.dev.");
  });

  test("operators and SQL in arguments stay plain values", () => {
    const args = { email: "'; DROP TABLE usr; --", profile: { $where: "1" } };
    expect(read({ ...small, args }).args).toEqual(args);
  });

  test("exactly at the limits of size and depth", () => {
    const empty = bytesOf({ ...small, args: { text: "" } }).byteLength;
    const text = "x".repeat(limits.messageBytes - empty);
    expect(read({ ...small, args: { text } }).args).toEqual({ text });
    expect(refusal({ ...small, args: { text: `${text}x` } }).code).toBe("BEDS-M002");
    // The envelope and args are the first two levels.
    expect(read(nested(30)).op).toBe("fetch");
    expect(refusal(nested(31)).code).toBe("BEDS-M003");
  });
});

function nested(levels: number): string {
  const inner = `${"[".repeat(levels)}${"]".repeat(levels)}`;
  return `{"v":1,"template":"Users","op":"fetch","args":{"x":${inner}}}`;
}

const refusals: readonly (readonly [name: string, body: unknown, code: string])[] = [
  ["nothing", new Uint8Array(), "BEDS-M001"],
  ["text", "hello", "BEDS-M001"],
  ["half of an object", '{"v":1,', "BEDS-M001"],
  ["two objects", "{}{}", "BEDS-M001"],
  ["NaN", '{"v":NaN}', "BEDS-M001"],
  ["2 MiB", `"${"x".repeat(2 ** 21)}"`, "BEDS-M002"],
  ["2 MiB of brackets", "[".repeat(2 ** 21), "BEDS-M002"],
  ["60 levels", nested(60), "BEDS-M003"],
  ["50,000 levels", nested(50_000), "BEDS-M003"],
  ["50,000 opening brackets", "[".repeat(50_000), "BEDS-M003"],
  ["60 levels behind a string", `{"a":"\\"[","b":${nested(60)}}`, "BEDS-M003"],
  ["no UTF-8", new Uint8Array([0x22, 0xff, 0x22]), "BEDS-M004"],
  ["an overlong form", new Uint8Array([0x22, 0xc0, 0xaf, 0x22]), "BEDS-M004"],
  ["a surrogate in UTF-8", new Uint8Array([0x22, 0xed, 0xa0, 0x80, 0x22]), "BEDS-M004"],
  ["no version", { template: "Users", op: "fetch" }, "BEDS-M010"],
  ["version 2", { ...small, v: 2 }, "BEDS-M010"],
  ["version 2 with keys of its own", { v: 2, request: {} }, "BEDS-M010"],
  ["version as text", { ...small, v: "1" }, "BEDS-M010"],
  ["an unknown key", { ...small, query: "SELECT 1" }, "BEDS-M011"],
  ["an unknown key in meta", { ...small, meta: { user: "root" } }, "BEDS-M011"],
  ["__proto__", '{"v":1,"template":"A","op":"b","__proto__":{"args":{}}}', "BEDS-M011"],
  ["__proto__ in meta", '{"v":1,"template":"A","op":"b","meta":{"__proto__":{}}}', "BEDS-M011"],
  ["constructor", '{"v":1,"template":"A","op":"b","constructor":{}}', "BEDS-M011"],
  ["null", "null", "BEDS-M012"],
  ["a number", "1", "BEDS-M012"],
  ["a list", "[1]", "BEDS-M012"],
  ["no template", { v: 1, op: "fetch" }, "BEDS-M012"],
  ["no operation", { v: 1, template: "Users" }, "BEDS-M012"],
  ["a template that is no name", { ...small, template: "../etc" }, "BEDS-M012"],
  ["a template of 65 letters", { ...small, template: "a".repeat(65) }, "BEDS-M012"],
  ["an operation with a line end", { ...small, op: "fetch\n" }, "BEDS-M012"],
  ["an operation that is a number", { ...small, op: 1 }, "BEDS-M012"],
  ["args as a list", { ...small, args: [] }, "BEDS-M012"],
  ["args as null", { ...small, args: null }, "BEDS-M012"],
  ["meta as text", { ...small, meta: "" }, "BEDS-M012"],
  ["an empty event_id", { ...small, event_id: "" }, "BEDS-M012"],
  ["an event_id without node", { ...small, event_id: eventId.slice(5) }, "BEDS-M012"],
  ["an event_id in capitals", { ...small, event_id: eventId.toUpperCase() }, "BEDS-M012"],
  ["an event_id of version 4", { ...small, event_id: eventId.replace("-7", "-4") }, "BEDS-M012"],
  ["an event_id too long", { ...small, event_id: "n".repeat(200) + eventId }, "BEDS-M012"],
  ["a parent without depth", { ...small, parent_id: parentId }, "BEDS-M012"],
  ["depth without a parent", { ...small, depth: 1 }, "BEDS-M012"],
  ["depth 65", { ...small, parent_id: parentId, depth: 65 }, "BEDS-M012"],
  ["half a depth", { ...small, parent_id: parentId, depth: 0.5 }, "BEDS-M012"],
  ["an empty key", { ...small, meta: { idempotency_key: "" } }, "BEDS-M012"],
  ["a key of 201", { ...small, meta: { idempotency_key: "k".repeat(201) } }, "BEDS-M012"],
  ["a key with a tab", { ...small, meta: { idempotency_key: "a\tb" } }, "BEDS-M012"],
  ["a deadline as text", { ...small, meta: { deadline: "soon" } }, "BEDS-M012"],
  ["a deadline of 1e300", '{"v":1,"template":"A","op":"b","meta":{"deadline":1e300}}', "BEDS-M012"],
  ["a ticket as 1", { ...small, meta: { ticket: 1 } }, "BEDS-M012"],
  ["a consistency of its own", { ...small, meta: { consistency: "any" } }, "BEDS-M012"],
];

describe("what is refused", () => {
  for (const [name, body, code] of refusals) {
    test(`${name}: ${code}`, () => {
      const error = refusal(body);
      expect(`${error.code} ${error.detail}`).toStartWith(code);
      expect(error.detail.length).toBeLessThan(600);
    });
  }

  test("the detail names all keys at fault and the key that was meant", () => {
    const wrong = refusal({ v: 1, template: 1, op: "", args: [], meta: { ticket: 0 } });
    for (const key of ["template", "op", "args", "meta.ticket"]) {
      expect(wrong.detail).toContain(key);
    }
    expect(refusal({ ...small, arg: {} }).detail).toContain("did you mean 'args'");
    expect(refusal({ ...small, meta: { dedline: 1 } }).detail).toContain("meta.dedline");
  });

  test("the detail never has a value", () => {
    const secret = "hunter2-hunter2";
    const bodies = [
      { ...small, template: `${secret}!` },
      { ...small, meta: { idempotency_key: `${secret}\n` } },
      { ...small, event_id: secret },
      `{"v":1,"args":"${secret}`,
    ];
    for (const body of bodies) expect(JSON.stringify(refusal(body))).not.toContain(secret);
  });

  test("the answer to a refused request has the message-id as its parent", () => {
    const known = lineageOfRefused({ ...arrival, messageId: eventId }, stillMint());
    expect(known).toEqual({ eventId, parentId: "", rootId: eventId, depth: 0 });
    expect(lineageOfRefused(arrival, stillMint()).eventId).toStartWith("node1.dev.");
  });

  test("nothing that was refused has changed a prototype", () => {
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(Reflect.get({}, "args")).toBeUndefined();
  });
});

describe("the scan of the depth", () => {
  const texts: readonly (readonly [text: string, depth: number])[] = [
    ["1", 0],
    ['"[[[["', 0],
    ['"\\"[[[["', 0],
    ['"\\\\"', 0],
    ["[]", 1],
    ['[{"a":[]},[[]]]', 3],
    ['{"a":"]}","b":[[{}]]}', 4],
    ["[[],[],[],[],[]]", 2],
    ['["\\u005b",["ü",["\u{1f600}"]]]', 3],
  ];
  for (const [text, depth] of texts) {
    test(`${text} is ${depth} deep`, () => {
      expect(isDeeperThan(text, depth)).toBe(false);
      if (depth > 0) expect(isDeeperThan(text, depth - 1)).toBe(true);
    });
  }
});

test("the check by hand and the schema agree on 4,000 random envelopes", () => {
  const random = randomOf(1);
  let accepted = 0;
  for (let round = 0; round < 4000; round++) {
    const text = JSON.stringify(randomEnvelope(random));
    const schemaAccepts = v.safeParse(envelopeSchema, JSON.parse(text)).success;
    const thrown = attempt(text);
    expect([text, thrown?.code ?? "ok", thrown === undefined]).toEqual([
      text,
      thrown?.code ?? "ok",
      schemaAccepts,
    ]);
    if (schemaAccepts) accepted++;
  }
  // Both sides of the border must have been met often.
  expect(accepted).toBeGreaterThan(400);
  expect(accepted).toBeLessThan(3600);
});

function attempt(text: string): BedsError | undefined {
  try {
    read(text);
    return undefined;
  } catch (thrown) {
    if (thrown instanceof BedsError) return thrown;
    throw thrown;
  }
}

const oddValues = [
  null,
  true,
  false,
  0,
  1,
  -1,
  1.5,
  64,
  65,
  2 ** 53,
  "",
  "a",
  "A_1",
  "1a",
  "ä",
  "a b",
  "a\n",
  "x".repeat(64),
  "x".repeat(65),
  "x".repeat(200),
  "x".repeat(201),
  eventId,
  parentId,
  eventId.toUpperCase(),
  `${eventId} `,
  "primary",
  "none",
  [],
  {},
  [1],
  { a: 1 },
] as const;

function randomEnvelope(random: () => number): unknown {
  const isChild = random() < 0.3;
  const whole: Record<string, unknown> = {
    v: 1,
    event_id: eventId,
    parent_id: isChild ? parentId : "",
    depth: isChild ? 1 + Math.floor(random() * 64) : 0,
    template: "Users",
    op: "fetch",
    args: { email: "a" },
    meta: randomMeta(random),
  };
  for (const key of Object.keys(whole)) {
    if (key !== "v" && random() < 0.1) delete whole[key];
    if (random() < 0.05) whole[key] = pick(random, [...oddValues]);
  }
  if (random() < 0.05) whole[pick(random, ["batch", "constructor", "toString", "V"])] = 1;
  return whole;
}

function randomMeta(random: () => number): Record<string, unknown> {
  const meta: Record<string, unknown> = {};
  const good = {
    principal: "ann",
    idempotency_key: "k",
    expected_version: 3,
    deadline: 1,
    consistency: "secondary",
    token: "t",
    ticket: false,
  };
  for (const [key, value] of Object.entries(good)) {
    if (random() < 0.4) meta[key] = random() < 0.1 ? pick(random, [...oddValues]) : value;
  }
  if (random() < 0.05) meta[pick(random, ["user", "valueOf", "principal "])] = 1;
  return meta;
}
