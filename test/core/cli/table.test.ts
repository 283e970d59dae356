import { expect, test } from "bun:test";
import { formatTable } from "../../../core/cli/table.ts";

test("columns are aligned, numbers to the right, no space is left behind", () => {
  const table = {
    columns: ["name", "n", "note"],
    rows: [
      ["a", 1, "x"],
      ["bcd", 200, null],
    ],
  };
  expect(formatTable(table, Infinity)).toBe("name    n  note\na       1  x\nbcd   200  null");
});

test("wide letters count as they are shown", () => {
  const table = {
    columns: ["k", "v"],
    rows: [
      ["日本", "x"],
      ["ab", "y"],
    ],
  };
  expect(formatTable(table, Infinity).split("\n")).toEqual(["k     v", "日本  x", "ab    y"]);
});

test("data cannot steer a terminal", () => {
  const table = { columns: ["a\u001b[2J"], rows: [["line\nbreak\u001b]0;x\u0007"]] };
  const text = formatTable(table, Infinity);
  expect(text.split("\n")).toHaveLength(2);
  expect(text).not.toContain("\u001b");
});

test("long cells are cut where it is asked for", () => {
  const table = { columns: ["a"], rows: [["x".repeat(100)]] };
  expect(formatTable(table, 10).split("\n")[1]).toBe(`${"x".repeat(9)}…`);
  expect(formatTable(table, Infinity).split("\n")[1]).toBe("x".repeat(100));
});

test("what is no text is shown as JSON, and what is missing as nothing", () => {
  const table = {
    columns: ["a", "b"],
    rows: [
      [{ x: [1] }, true],
      [undefined, false],
    ],
  };
  expect(formatTable(table, Infinity).split("\n")).toEqual([
    "a          b",
    '{"x":[1]}  true',
    "           false",
  ]);
});
