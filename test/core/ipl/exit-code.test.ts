import { describe, expect, test } from "bun:test";
import { catalogue } from "../../../core/contract/catalogue/index.ts";
import { BedsError } from "../../../core/contract/errors.ts";
import { exitCodeFor, exitCodeOf } from "../../../core/ipl/exit-code.ts";

describe("exit codes", () => {
  const table = [
    ["BEDS-U001", 64],
    ["BEDS-U004", 65],
    ["BEDS-M001", 65],
    ["BEDS-M020", 65],
    ["BEDS-R001", 65],
    ["BEDS-A001", 77],
    ["BEDS-E001", 75],
    ["BEDS-D001", 69],
    ["BEDS-D002", 75],
    ["BEDS-D003", 75],
    ["BEDS-D005", 70],
    ["BEDS-D404", 1],
    ["BEDS-B001", 70],
    ["BEDS-Q001", 69],
    ["BEDS-Q005", 75],
    ["BEDS-Q007", 75],
    ["BEDS-Q008", 69],
    ["BEDS-C001", 78],
    ["BEDS-P001", 78],
    ["BEDS-T014", 78],
    ["BEDS-W002", 65],
    ["BEDS-W004", 78],
    ["BEDS-N003", 69],
  ] as const;
  test.each(table)("%s is %d", (code, wanted) => {
    expect(exitCodeFor(new BedsError(code))).toBe(wanted);
  });

  test("every code of the catalogue has one that means failure", () => {
    for (const [code, entry] of Object.entries(catalogue)) {
      expect(exitCodeOf({ code, class: entry.class })).toBeGreaterThan(0);
    }
  });

  test("what nobody foresaw is a bug, over the wire too", () => {
    expect(exitCodeFor(new TypeError("x"))).toBe(70);
    expect(exitCodeOf({ code: "BEDS-Z999", class: "NEWER" })).toBe(70);
  });
});
