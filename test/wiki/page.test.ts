import { describe, expect, test } from "bun:test";
import { blocksOf, commandsOf, isAsShown } from "./page.ts";

/** The tests of this folder are worth what these functions notice. */
describe("what a page shows", () => {
  const cases: readonly (readonly [shown: string, output: string, same: boolean])[] = [
    ["a\n", "a\n", true],
    ["a\n", "b\n", false],
    ["a\n", "a\nb\n", false],
    ["", "", true],
    ["", "a\n", false],
    ["a … c\n", "a b c\n", true],
    ["a … c\n", "a b d\n", false],
    ["…\nb\n", "a\na\nb\n", true],
    ["…\nb\n", "b\n", true],
    ["…\nb\n", "b\nc\n", false],
    ["a (1)\n", "a (1)\n", true],
    ["a.\n", "ab\n", false],
  ];
  for (const [shown, output, same] of cases) {
    test(`${JSON.stringify(output)} is ${same ? "" : "not "}${JSON.stringify(shown)}`, () => {
      expect(isAsShown(output, shown)).toBe(same);
    });
  }

  test("blocks, their marks and their commands are found", () => {
    const text = "a\n```console terminal=2 exit=1\n$ one\nout\nmore\n$ two\n```\n```\nplain\n```\n";
    const [first, second] = blocksOf(text);
    expect(first?.language).toBe("console");
    expect([...(first?.marks ?? [])]).toEqual([
      ["terminal", "2"],
      ["exit", "1"],
    ]);
    expect(first?.line).toBe(2);
    expect(first && commandsOf(first)).toEqual([
      { command: "one", shown: "out\nmore\n" },
      { command: "two", shown: "" },
    ]);
    expect([second?.language, second?.text]).toEqual(["", "plain\n"]);
  });
});
