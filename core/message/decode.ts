import { BedsError } from "../contract/errors.ts";
import type { Arrival, Envelope, JsonValue, Lineage, RequestMeta } from "../contract/message.ts";
import { suggestion } from "../contract/suggest.ts";
import { deepestLineage, keyPattern, namePattern, tokenPattern } from "./envelope-schema.ts";
import { isEventId, type Mint } from "./event-id.ts";
import { isDeeperThan } from "./nesting.ts";

/** What a body may measure, from the configuration's `[limits]`. */
export interface DecodeLimits {
  readonly messageBytes: number;
  /** Objects and arrays within one another, the envelope itself included. */
  readonly depth: number;
}

/**
 * The first stage: the bytes of a request into an `Envelope` that is well-formed but not yet
 * checked against any template. What the envelope may say is defined in `envelope-schema.ts`; this
 * is the same by hand, because it runs for each request.
 *
 * An id that the body lacks is taken from the `message-id` property, so that a redelivery stays one
 * event, and minted when there is none. Errors: BEDS-M001 … M004 for the bytes, M010 for another
 * version, M011 for unknown keys, M012 for keys that are missing or wrong; the detail never has a
 * value.
 */
export function decode(
  body: Uint8Array,
  arrival: Arrival,
  limits: DecodeLimits,
  mint: Mint,
): Envelope {
  const raw = parseBody(body, limits);
  if (!isObject(raw)) {
    throw new BedsError("BEDS-M012", { detail: "the message must be an object" });
  }
  if (raw.v !== 1) {
    const detail = raw.v === undefined ? "it has no v" : "only v = 1 is served";
    throw new BedsError("BEDS-M010", { detail });
  }
  const meta = raw.meta === undefined ? noMeta : raw.meta;
  refuseUnknownKeys(raw, countKnown(raw), envelopeKeys, "");
  const faults: string[] = [];
  const eventId = readEventId(raw.event_id, arrival, mint, faults);
  const parentId = readParentId(raw.parent_id, faults);
  const depth = readDepth(raw.depth, parentId, faults);
  const template = readName(raw.template, "template", faults);
  const op = readName(raw.op, "op", faults);
  const args = raw.args === undefined ? noArguments : raw.args;
  if (!isArguments(args)) faults.push("args must be an object");
  if (!isMeta(meta)) faults.push("meta must be an object");
  const checkedMeta = isMeta(meta) && meta !== noMeta ? readMeta(meta, faults) : noMeta;
  if (faults.length > 0 || !isArguments(args)) {
    throw new BedsError("BEDS-M012", { detail: faults.join("; ") });
  }
  const rootId = depth === 0 ? eventId : parentId;
  return { version: 1, eventId, parentId, rootId, depth, template, op, args, meta: checkedMeta };
}

/**
 * The lineage for the error answer to a request that `decode` refused: the sender's `message-id`
 * where it is an event id, so that the answer has a parent; else an id of its own.
 */
export function lineageOfRefused(arrival: Arrival, mint: Mint): Lineage {
  const eventId = isEventId(arrival.messageId) ? arrival.messageId : mint.next();
  return { eventId, parentId: "", rootId: eventId, depth: 0 };
}

interface RawEnvelope {
  readonly v?: unknown;
  readonly event_id?: unknown;
  readonly parent_id?: unknown;
  readonly depth?: unknown;
  readonly template?: unknown;
  readonly op?: unknown;
  readonly args?: unknown;
  readonly meta?: unknown;
}

interface RawMeta {
  readonly principal?: unknown;
  readonly idempotency_key?: unknown;
  readonly expected_version?: unknown;
  readonly deadline?: unknown;
  readonly consistency?: unknown;
  readonly token?: unknown;
  readonly ticket?: unknown;
}

type Arguments = Envelope["args"];

const envelopeKeys = ["v", "event_id", "parent_id", "depth", "template", "op", "args", "meta"];
const metaKeys = [
  "principal",
  "idempotency_key",
  "expected_version",
  "deadline",
  "consistency",
  "token",
  "ticket",
];
const noMeta: RequestMeta = Object.freeze({});
const noArguments: Arguments = Object.freeze({});
const utf8 = new TextDecoder("utf-8", { fatal: true });

function parseBody(body: Uint8Array, limits: DecodeLimits): unknown {
  if (body.byteLength > limits.messageBytes) {
    const detail = `${body.byteLength} bytes; the limit is ${limits.messageBytes}`;
    throw new BedsError("BEDS-M002", { detail });
  }
  const text = decodeText(body);
  if (isDeeperThan(text, limits.depth)) {
    throw new BedsError("BEDS-M003", { detail: `the limit is ${limits.depth} levels` });
  }
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own text quotes the body, which no answer and no log may carry.
    throw new BedsError("BEDS-M001");
  }
}

function decodeText(body: Uint8Array): string {
  try {
    return utf8.decode(body);
  } catch {
    throw new BedsError("BEDS-M004");
  }
}

function readEventId(value: unknown, arrival: Arrival, mint: Mint, faults: string[]): string {
  if (value === undefined) {
    return isEventId(arrival.messageId) ? arrival.messageId : mint.next();
  }
  if (typeof value === "string" && isEventId(value)) return value;
  faults.push("event_id must be {node}.{env}.{UUIDv7}");
  return "";
}

function readParentId(value: unknown, faults: string[]): string {
  if (value === undefined || value === "") return "";
  if (typeof value === "string" && isEventId(value)) return value;
  faults.push("parent_id must be empty or {node}.{env}.{UUIDv7}");
  return "";
}

function readDepth(value: unknown, parentId: string, faults: string[]): number {
  const depth = value === undefined ? 0 : value;
  if (!isCount(depth) || depth > deepestLineage) {
    faults.push(`depth must be an integer from 0 to ${deepestLineage}`);
    return 0;
  }
  if ((depth === 0) !== (parentId === "")) {
    faults.push("depth must be 0 exactly when parent_id is empty");
  }
  return depth;
}

function readName(value: unknown, key: string, faults: string[]): string {
  if (typeof value === "string" && namePattern.test(value)) return value;
  const must = "a letter and up to 63 letters, digits and _";
  faults.push(value === undefined ? `${key} is missing` : `${key} must be ${must}`);
  return "";
}

function readMeta(raw: RawMeta, faults: string[]): RequestMeta {
  refuseUnknownKeys(raw, countKnownMeta(raw), metaKeys, "meta.");
  const meta: { -readonly [Key in keyof RequestMeta]: RequestMeta[Key] } = {};
  const { principal, idempotency_key: key, expected_version: version, deadline, token } = raw;
  if (principal !== undefined) {
    if (isText(principal, keyPattern)) meta.principal = principal;
    else faults.push("meta.principal must be 1 to 200 printable ASCII characters");
  }
  if (key !== undefined) {
    if (isText(key, keyPattern)) meta.idempotencyKey = key;
    else faults.push("meta.idempotency_key must be 1 to 200 printable ASCII characters");
  }
  if (version !== undefined) {
    if (isCount(version)) meta.expectedVersion = version;
    else faults.push("meta.expected_version must be an integer from 0");
  }
  if (deadline !== undefined) {
    if (isCount(deadline)) meta.deadline = deadline;
    else faults.push("meta.deadline must be an integer: milliseconds since 1970");
  }
  if (raw.consistency !== undefined) {
    if (isConsistency(raw.consistency)) meta.consistency = raw.consistency;
    else faults.push("meta.consistency must be primary, secondary or session");
  }
  if (token !== undefined) {
    if (isText(token, tokenPattern)) meta.token = token;
    else faults.push("meta.token must be the token of an answer");
  }
  if (raw.ticket !== undefined) {
    if (typeof raw.ticket === "boolean") meta.ticket = raw.ticket;
    else faults.push("meta.ticket must be true or false");
  }
  return meta;
}

/** Counting costs less than looking each key up: only what has too many is looked at in detail. */
function countKnown(raw: RawEnvelope): number {
  return (
    (raw.v === undefined ? 0 : 1) +
    (raw.event_id === undefined ? 0 : 1) +
    (raw.parent_id === undefined ? 0 : 1) +
    (raw.depth === undefined ? 0 : 1) +
    (raw.template === undefined ? 0 : 1) +
    (raw.op === undefined ? 0 : 1) +
    (raw.args === undefined ? 0 : 1) +
    (raw.meta === undefined ? 0 : 1)
  );
}

function countKnownMeta(raw: RawMeta): number {
  return (
    (raw.principal === undefined ? 0 : 1) +
    (raw.idempotency_key === undefined ? 0 : 1) +
    (raw.expected_version === undefined ? 0 : 1) +
    (raw.deadline === undefined ? 0 : 1) +
    (raw.consistency === undefined ? 0 : 1) +
    (raw.token === undefined ? 0 : 1) +
    (raw.ticket === undefined ? 0 : 1)
  );
}

function refuseUnknownKeys(
  raw: object,
  known: number,
  allowed: readonly string[],
  prefix: string,
): void {
  const keys = Object.keys(raw);
  if (keys.length === known) return;
  const unknown = keys.filter((key) => !allowed.includes(key));
  const named = unknown
    .slice(0, 10)
    .map((key) => `${nameOf(key, prefix)}${suggestion(key, allowed)}`);
  throw new BedsError("BEDS-M011", { detail: named.join(", ") });
}

/** A key is the sender's own text: only what looks like a name is repeated. */
function nameOf(key: string, prefix: string): string {
  return /^[\w$.-]{1,64}$/.test(key) ? prefix + key : `${prefix}(a key that is no name)`;
}

function isText(value: unknown, pattern: RegExp): value is string {
  return typeof value === "string" && pattern.test(value);
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isConsistency(value: unknown): value is "primary" | "secondary" | "session" {
  return value === "primary" || value === "secondary" || value === "session";
}

function isObject(value: unknown): value is RawEnvelope {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isMeta(value: unknown): value is RawMeta {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What `JSON.parse` makes holds nothing but JSON values. */
function isArguments(value: unknown): value is { readonly [name: string]: JsonValue } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
