import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { parse } from "smol-toml";
import { locate, type TomlPath, type TomlPosition } from "../../../core/contract/toml-position.ts";

const folder = join(import.meta.dir, "../../fixtures/toml");
const text = await Bun.file(join(folder, "positions.toml")).text();

/** Path, line of the key, what stands at the key, what stands at the value. */
const table: readonly (readonly [TomlPath, line: number, key: string, value: string])[] = [
  [["title"], 2, "title =", '"top"'],
  [["a"], 3, "a.b", "a.b"],
  [["a", "b"], 3, "b .", "b ."],
  [["a", "b", "c d"], 3, '"c d" =', "1"],
  [["lit.eral"], 4, "'lit.eral'", "2"],
  [['escApe\t"q'], 5, '"esc', "3"],
  [["table"], 7, "table] #", "table] #"],
  [["table", "text"], 8, "text", '"""'],
  [["table", "literal"], 12, "literal", "'''"],
  [["table", "quotes"], 14, "quotes", '"""four'],
  [["table", "after"], 15, "after", "1_000"],
  [["table", "date"], 16, "date", "1979-05-27 07"],
  [["table", "list"], 17, "list", "[ 1"],
  [["table", "list", 0], 17, "1,", "1,"],
  [["table", "list", 1], 17, '"two', '"two'],
  [["table", "list", 2, 1], 18, "4]", "4]"],
  [["table", "list", 3, "in"], 18, "in =", '"line"'],
  [["table", "list", 3, "x y", "z"], 18, "z =", "[5]"],
  [["table", "list", 3, "x y", "z", 0], 18, "5]", "5]"],
  [["table", "inline", "two", "three"], 19, "three", "'}'"],
  [["table", "inline", "fo.ur"], 19, '"fo.ur"', "[]"],
  [["implied"], 24, "implied]", "implied]"],
  [["implied", "deep"], 21, "deep ]", "deep ]"],
  [["implied", "deep", "x"], 22, "x", "1"],
  [["implied", "y"], 25, "y", "2"],
  [["item", 0], 27, "item]]", "item]]"],
  [["item", 0, "name"], 28, "name", '"first"'],
  [["item", 1, "name"], 31, "name", '"second"'],
  [["item", 1, "sub"], 32, "sub]", "sub]"],
  [["item", 1, "sub", "k"], 33, "k", "true"],
  [["item", 1, "part", 1, "n"], 37, "n", "2"],
  [["quoted.header", "x", "ü🙂", "z"], 40, "z =", '"äöü 🙂"'],
  [["quoted.header", "x", "last"], 41, "last", "9"],
];

describe("locate", () => {
  for (const [path, line, key, value] of table) {
    test(path.join(" "), () => {
      expect(locate(text, path).line).toBe(line);
      expect(textAt(text, locate(text, path))).toStartWith(key);
      expect(textAt(text, locate(text, path, "value"))).toStartWith(value);
    });
  }

  test("finds every key that the parser finds", () => {
    let count = 0;
    for (const path of pathsOf(parse(text))) {
      count++;
      const parent = path.slice(0, -1);
      const last = path.at(-1);
      const found = locate(text, path);
      if (typeof last === "string") {
        const written = textAt(text, found).slice(0, last.length + 8);
        expect(written.replaceAll(/\\u0041|\\t|\\"/g, "")).toContain(
          last.replaceAll(/A|\t|"/g, ""),
        );
      } else if (parent[0] !== "item") {
        expect(found).not.toEqual(locate(text, parent));
      }
    }
    expect(count).toBeGreaterThan(45);
  });

  test("what is missing is found one level up, in the end at the top", () => {
    expect(locate(text, ["table", "nope", "deeper"])).toEqual(locate(text, ["table"]));
    expect(locate(text, ["item", 1, "nope"], "value")).toEqual(locate(text, ["item", 1]));
    expect(locate(text, ["nope"])).toEqual({ line: 1, column: 1 });
    expect(locate(text, [])).toEqual({ line: 1, column: 1 });
    expect(locate("", ["x"])).toEqual({ line: 1, column: 1 });
  });

  test("lines may end as on Windows", async () => {
    const crlf = await Bun.file(join(folder, "crlf.toml")).text();
    expect(locate(crlf, ["t", "key"], "value")).toEqual({ line: 3, column: 7 });
  });

  test("ends on any text", () => {
    for (let length = 0; length <= text.length; length++) locate(text.slice(0, length), ["x"]);
    const odd = [
      "[",
      "[[",
      "a = [",
      "= = =",
      "{",
      "a = {b",
      "]]",
      "a=[}{]",
      '"\\',
      "a='''",
      ".",
      "\0",
    ];
    for (const broken of odd) locate(broken, ["a"]);
  });
});

/** The rest of the line that begins at a position. */
function textAt(whole: string, { line, column }: TomlPosition): string {
  return whole.split("\n")[line - 1]?.slice(column - 1) ?? "";
}

function pathsOf(value: unknown, path: TomlPath = []): TomlPath[] {
  if (typeof value !== "object" || value === null || value instanceof Date) return [];
  const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return entries.flatMap(([key, inner]) => [[...path, key], ...pathsOf(inner, [...path, key])]);
}
