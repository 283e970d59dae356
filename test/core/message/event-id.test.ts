import { describe, expect, test } from "bun:test";
import { eventIdPattern, isEventId, Mint, parseEventId } from "../../../core/message/event-id.ts";
import { eventId, stillMint } from "./samples.ts";

describe("minting", () => {
  test("ids have the form, the node and the time", () => {
    const id = stillMint(1_790_000_000_123).next();
    expect(id).toMatch(eventIdPattern);
    expect(parseEventId(id)).toMatchObject({ node: "node1", env: "dev", time: 1_790_000_000_123 });
  });

  test("20,000 ids of one millisecond are distinct and rise", () => {
    const mint = stillMint();
    const ids = Array.from({ length: 20_000 }, () => mint.next());
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.toSorted()).toEqual(ids);
    for (const id of ids) if (!isEventId(id)) throw new Error(id);
  });

  test("a clock that steps back repeats nothing", () => {
    let now = 1_790_000_000_000;
    const mint = new Mint({
      node: "n",
      env: "e",
      now: () => now,
      random: (bytes) => bytes.fill(0),
    });
    const before = mint.next();
    now -= 60_000;
    const after = mint.next();
    expect(after > before).toBe(true);
  });

  test("two processes differ by their random bits", () => {
    const mints = [1, 2].map(
      (seed) =>
        new Mint({
          node: "n",
          env: "e",
          now: () => 1_790_000_000_000,
          random: (bytes) => bytes.fill(seed, 2),
        }),
    );
    expect(new Set(mints.map((mint) => mint.next())).size).toBe(2);
  });

  test("the time needs all its 48 bits", () => {
    expect(parseEventId(stillMint(2 ** 48 - 1).next())?.time).toBe(2 ** 48 - 1);
    expect(parseEventId(stillMint(0).next())?.time).toBe(0);
  });
});

describe("reading", () => {
  test("an id is taken apart", () => {
    expect(parseEventId(eventId)).toEqual({
      node: "app1",
      env: "production",
      uuid: "01900000-1234-7abc-8def-0123456789ab",
      time: 0x0190_0000_1234,
    });
  });

  test("what is no id is null", () => {
    for (const text of [
      "",
      "a.b.c",
      `${eventId}0`,
      ` ${eventId}`,
      `a.${eventId}`,
      "x".repeat(300),
    ]) {
      expect(parseEventId(text)).toBeNull();
    }
  });
});
