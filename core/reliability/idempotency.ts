import type { MutationKey } from "../contract/adapter.ts";
import type { BrokerRequest } from "../contract/broker.ts";
import type { JsonValue } from "../contract/message.ts";

/**
 * The key of a mutation (wiki/Reliability.md): the caller's `idempotency_key`, or else the
 * request's own event id, so that a redelivery never takes effect twice. Its scope is who does
 * what. `now` and `keepMs` are milliseconds.
 */
export function mutationKey(request: BrokerRequest, now: number, keepMs: number): MutationKey {
  const { envelope, principal } = request;
  return {
    scope: `${principal}/${envelope.template}.${envelope.op}`,
    key: envelope.meta.idempotencyKey ?? envelope.eventId,
    requestHash: hashArguments(envelope.args),
    expiresAt: now + keepMs,
  };
}

/**
 * SHA-256, hexadecimal, of the arguments in one canonical form: keys in order at every depth, and
 * an argument that is null the same as one that was not sent. Two requests with the same hash ask
 * for the same.
 */
export function hashArguments(args: { readonly [name: string]: JsonValue }): string {
  const sent = Object.entries(args).filter(([, value]) => value !== null);
  const text = JSON.stringify(canonical(Object.fromEntries(sent)));
  return new Bun.CryptoHasher("sha256").update(text).digest("hex");
}

function canonical(value: JsonValue): JsonValue {
  if (typeof value !== "object" || value === null) return value;
  if (isList(value)) return value.map(canonical);
  const keys = Object.keys(value).sort();
  return Object.fromEntries(keys.map((key) => [key, canonical(value[key] ?? null)]));
}

/** `Array.isArray` does not know lists that must not be written to. */
function isList(value: object): value is readonly JsonValue[] {
  return Array.isArray(value);
}
