import { describe, expect, test } from "bun:test";
import { suggest, suggestion } from "../../../core/contract/suggest.ts";

const keys = ["workers", "drain_ms", "host", "port", "pass", "heartbeat_ms", "is_local"];

describe("suggest", () => {
  const cases: readonly (readonly [word: string, meant: string | undefined])[] = [
    ["worker", "workers"],
    ["wrokers", "workers"],
    ["WORKERS", "workers"],
    ["drain-ms", "drain_ms"],
    ["drainMs", "drain_ms"],
    ["hots", "host"],
    ["post", "host"],
    ["isLocal", "is_local"],
    ["hartbeatms", "heartbeat_ms"],
    ["zebra", undefined],
    ["", undefined],
    ["x", undefined],
    ["workers".repeat(40), undefined],
  ];
  for (const [word, meant] of cases) {
    test(`${word.slice(0, 20)} → ${meant ?? "nothing"}`, () => {
      expect(suggest(word, keys)).toBe(meant);
    });
  }

  test("the nearest wins, and of two equally near the first", () => {
    expect(suggest("abcdef", ["abcxyf", "abcdxf"])).toBe("abcdxf");
    expect(suggest("abc", ["abx", "aby"])).toBe("abx");
  });

  test("dashes and capitals are no difference", () => {
    expect(suggest("A-B-C", ["a_b_c"])).toBe("a_b_c");
    expect(suggest("A.B.C", ["a_b_c"])).toBeUndefined();
  });

  test("a name of one letter is suggested for no other", () => {
    expect(suggest("q", ["ab"])).toBeUndefined();
  });
});

test("suggestion stands behind a detail, or is nothing", () => {
  expect(suggestion("hots", keys)).toBe("; did you mean 'host'?");
  expect(suggestion("zebra", keys)).toBe("");
});
