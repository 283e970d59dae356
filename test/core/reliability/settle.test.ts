import { describe, expect, test } from "bun:test";
import {
  catalogue,
  type ErrorClass,
  type ErrorCode,
} from "../../../core/contract/catalogue/index.ts";
import { BedsError } from "../../../core/contract/errors.ts";
import { type FailureFacts, judge, settlements } from "../../../core/reliability/settle.ts";

const delays = [1000, 5000, 30_000];
const facts: FailureFacts = {
  attempt: 0,
  isAnswerable: true,
  isRepeatable: true,
  wasExecuted: true,
  isGuarded: true,
  remainingMs: Infinity,
};

/** Any code of a class, since only the class decides. */
function errorOf(wanted: ErrorClass): BedsError {
  const codes: readonly (readonly [string, { readonly class: ErrorClass }])[] =
    Object.entries(catalogue);
  const found = codes.find(([, entry]) => entry.class === wanted)?.[0];
  if (found === undefined || !isCode(found)) throw new Error(`no code of class ${wanted}`);
  return new BedsError(found);
}

function isCode(code: string): code is ErrorCode {
  return code in catalogue;
}

/**
 * The rows of wiki/Reliability.md: tries put off, dead letter when the sender can be told, and when
 * it cannot.
 */
const rows: readonly (readonly [ErrorClass, number, boolean, boolean])[] = [
  ["MALFORMED", 0, true, true],
  ["UNSUPPORTED", 0, false, true],
  ["INVALID", 0, false, true],
  ["DENIED", 0, false, false],
  ["OVERLOADED", 0, false, true],
  ["EXPIRED", 0, false, false],
  ["BUSINESS", 0, false, true],
  ["CONFLICT", 3, false, true],
  ["TIMEOUT", 2, false, true],
  ["UNKNOWN_OUTCOME", 3, true, true],
  ["BROKEN_OBJECT", 0, true, true],
  ["BUG", 3, true, true],
];

describe("the table of settlements, row by row", () => {
  for (const [errorClass, tries, told, untold] of rows) {
    test(`${errorClass}: put off ${tries} times, then final`, () => {
      const error = errorOf(errorClass);
      for (let attempt = 0; attempt < tries; attempt++) {
        const verdict = judge(error, { ...facts, attempt }, delays);
        expect(verdict).toEqual({ kind: "retry", step: attempt });
      }
      const last = { ...facts, attempt: tries };
      expect(judge(error, last, delays)).toEqual({ kind: "final", deadLetter: told });
      const nobody = { ...last, isAnswerable: false };
      expect(judge(error, nobody, delays)).toEqual({ kind: "final", deadLetter: untold });
    });
  }

  test("DEPENDENCY_DOWN goes back, uncounted, however often", () => {
    const error = errorOf("DEPENDENCY_DOWN");
    expect(judge(error, facts, delays)).toEqual({ kind: "return" });
    expect(judge(error, { ...facts, attempt: 99 }, delays)).toEqual({ kind: "return" });
  });

  test("DEPENDENCY_DOWN without a breaker is final: nobody would say when to come back", () => {
    const unguarded = { ...facts, isGuarded: false };
    const verdict = judge(errorOf("DEPENDENCY_DOWN"), unguarded, delays);
    expect(verdict).toEqual({ kind: "final", deadLetter: false });
  });

  test("every class of error has a row", () => {
    const classes = new Set(Object.values(catalogue).map((entry) => entry.class));
    for (const each of classes) expect(settlements[each]).toBeDefined();
    const tested = new Set([...rows.map(([each]) => each), "DEPENDENCY_DOWN", "BOOT", "USAGE"]);
    expect([...classes].filter((each) => !tested.has(each))).toEqual([]);
  });
});

describe("no try is made", () => {
  const timeout = errorOf("TIMEOUT");
  test("of what may take effect twice", () => {
    const unkeyed = { ...facts, isRepeatable: false };
    expect(judge(timeout, unkeyed, delays).kind).toBe("final");
  });

  test("of what never got as far as its database", () => {
    expect(judge(errorOf("BUG"), { ...facts, wasExecuted: false }, delays).kind).toBe("final");
  });

  test("that would come after the deadline", () => {
    expect(judge(timeout, { ...facts, remainingMs: 1000 }, delays).kind).toBe("final");
    expect(judge(timeout, { ...facts, remainingMs: 1001 }, delays).kind).toBe("retry");
  });
});
