import { describe, expect, test } from "bun:test";
import { hashArguments } from "../../../core/reliability/idempotency.ts";

describe("the hash of a request's arguments", () => {
  const base = { name: "a", details: { b: 1, a: [1, { y: 2, x: 3 }] } };
  test("does not depend on the order of keys at any depth", () => {
    const other = { details: { a: [1, { x: 3, y: 2 }], b: 1 }, name: "a" };
    expect(hashArguments(other)).toBe(hashArguments(base));
  });

  test("takes null for not sent", () => {
    expect(hashArguments({ ...base, more: null })).toBe(hashArguments(base));
  });

  test("differs for another value, another order of a list, another type", () => {
    const changed = [
      { ...base, name: "b" },
      { ...base, details: { b: 1, a: [{ y: 2, x: 3 }, 1] } },
      { ...base, details: { b: "1", a: [1, { y: 2, x: 3 }] } },
      { ...base, details: { b: 1, a: [1, { y: 2, x: null }] } },
    ];
    const hashes = [base, ...changed].map(hashArguments);
    expect(new Set(hashes).size).toBe(hashes.length);
    for (const hash of hashes) expect(hash).toMatch(/^[0-9a-f]{64}$/);
  });
});
