import { describe, expect, test } from "bun:test";
import { JsonSource } from "../../../../plugins/adapters/mongodb/json-source.ts";
import { readSources } from "../../../../plugins/adapters/mongodb/source.ts";
import { fixtures, productTemplates, readObjectSources, sourceOf } from "./stack.ts";

/** Code, place and detail of what reading one file throws. */
function thrownBy(path: string, text: string): string {
  try {
    readSources([sourceOf(path, text)]);
    return "nothing";
  } catch (thrown) {
    const code: unknown = Reflect.get(Object(thrown), "code");
    const detail: unknown = Reflect.get(Object(thrown), "detail");
    const where: unknown = Reflect.get(Object(thrown), "where");
    const place = ["file", "line", "column"].map((key) => String(Reflect.get(Object(where), key)));
    return `${String(code)} ${place.join(":")} ${String(detail)}`;
  }
}

describe("JSON with its places", () => {
  test("reads what the language's own parser reads", async () => {
    const sources = [
      ...(await readObjectSources(productTemplates)),
      ...(await readObjectSources(fixtures)),
    ];
    expect(sources.length).toBeGreaterThan(20);
    for (const { text, path } of sources) {
      expect(new JsonSource(text, path).value).toEqual(JSON.parse(text));
    }
    const odd = String.raw`{ "": [1.5e-3, -0, "\u00e9\n\"\\\/", {}, []], "a": null, "b": [true, false] }`;
    expect(new JsonSource(odd, "x").value).toEqual(JSON.parse(odd));
  });

  test("knows where everything stands", () => {
    const json = new JsonSource('{\n  "a": [\n    1,\n    { "b": 2 }\n  ]\n}\n', "f.json");
    expect(json.where(["a", 1, "b"])).toEqual({ file: "f.json", line: 4, column: 12 });
    expect(json.where(["a", 1, "nothing"])).toEqual({ file: "f.json", line: 4, column: 5 });
    expect(json.where([])).toEqual({ file: "f.json", line: 1, column: 1 });
  });

  const broken: readonly (readonly [name: string, text: string, said: string])[] = [
    ["nothing", "", "1:1 a value is expected"],
    ["a missing comma", '{\n "a": 1\n "b": 2 }', "3:2 , or } is expected"],
    ["a comma too many", '{ "a": 1, }', "1:11 a key in double quotes"],
    ["single quotes", "{ 'a': 1 }", "1:3 a key in double quotes"],
    ["an open text", '{ "a": "x\n" }', "1:8 a text is not closed"],
    ["no colon", '{ "a" 1 }', "1:7 : is expected"],
    ["a word", "[nil]", "1:2 a value is expected"],
    ["a number with a leading zero", "[01]", "1:3 , or ] is expected"],
    ["something behind the end", "{}\n{}", "2:1 there is something behind the end"],
    ["a comment", "// x\n{}", "1:1 a value is expected"],
    ["a key that stands twice", '{ "a": 1,\n  "a": 2 }', "2:3 the key a stands twice"],
    ["an open list", "[1", "1:3 , or ] is expected"],
    ["too deep a list", "[".repeat(200), "1:102 is nested deeper than 100 levels"],
  ];
  for (const [name, text, said] of broken) {
    test(`${name} is BEDS-W001 at its place`, () => {
      const thrown = thrownBy("db/docs/views/x.json", text);
      expect(thrown.startsWith("BEDS-W001 db/docs/views/x.json:")).toBe(true);
      expect(thrown).toContain(`x.json:${said}`);
    });
  }
});

describe("object files", () => {
  test("come in the order in which they are installed", () => {
    const object = (name: string) =>
      `{ "_id": "${name}", "kind": "find", "on": "v", "command": {} }`;
    const read = readSources([
      sourceOf("db/docs/objects/b.json", object("b")),
      sourceOf("db/docs/views/z.json", '{ "view": "z", "on": "y", "pipeline": [] }'),
      sourceOf("db/docs/objects/a.json", object("a")),
      sourceOf("db/docs/collections/y.json", '{ "collection": "y" }'),
    ]);
    expect(read.map(({ folder, name }) => `${folder} ${name}`)).toEqual([
      "collections y",
      "views z",
      "objects a",
      "objects b",
    ]);
  });

  const wrong: readonly (readonly [name: string, path: string, text: string, said: string])[] = [
    [
      "a name that is not the file's",
      "views/a.json",
      '{ "view": "b", "on": "c", "pipeline": [] }',
      "BEDS-W001 views/a.json:1:11 a: view: view is b",
    ],
    [
      "an id that is not the file's",
      "objects/a.json",
      '{\n  "_id": "b", "kind": "find", "on": "v", "command": {} }',
      "BEDS-W001 objects/a.json:2:10 a: _id: _id is b",
    ],
    [
      "an unknown key",
      "collections/a.json",
      '{ "collection": "a",\n  "validater": {} }',
      "BEDS-W001 collections/a.json:2:16 a: validater: validater is not a known key",
    ],
    [
      "a missing key",
      "views/a.json",
      '{ "view": "a", "pipeline": [] }',
      "BEDS-W001 views/a.json:1:1 a: on: on is missing",
    ],
    [
      "an unknown folder",
      "triggers/a.json",
      "{}",
      "BEDS-W001 triggers/a.json:1:1 a: a file lies in one of the folders",
    ],
    [
      "BEDS's own collection",
      "collections/beds_objects.json",
      '{ "collection": "beds_objects" }',
      "BEDS-W001 collections/beds_objects.json:1:1",
    ],
    ["a file that is no JSON file", "views/a.sql", "SELECT 1", "BEDS-W001 views/a.sql:1:1"],
    [
      "a slot at the wrong place",
      "objects/a.json",
      '{ "_id": "a", "kind": "find", "on": "v",\n  "params": { "s": { "type": "string" } },\n  "command": { "filter": {\n    "x": { "$param": "s" } } } }',
      "BEDS-T020 objects/a.json:4:10 a: command.filter.x",
    ],
    [
      "JavaScript in a view",
      "views/a.json",
      '{ "view": "a", "on": "b",\n  "pipeline": [{ "$match": { "$where": "1" } }] }',
      "BEDS-T020 views/a.json:2:40 a: pipeline.0.$match.$where: $where runs JavaScript",
    ],
    [
      "JavaScript in a validator",
      "collections/a.json",
      '{ "collection": "a", "validator": { "$expr": { "$function": {} } } }',
      "BEDS-T020 collections/a.json:1:61",
    ],
  ];
  for (const [name, path, text, said] of wrong) {
    test(name, () => {
      expect(thrownBy(path, text)).toStartWith(said);
    });
  }
});
