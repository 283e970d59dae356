import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Node } from "../../config/stack/node.ts";
import type { Answer } from "../../core/contract/message.ts";
import { openClient, type TestClient } from "../helpers/client.ts";
import { makeProject, type Project } from "../helpers/project.ts";

let project: Project;
let node: Node;
let client: TestClient;
const log: string[] = [];

beforeAll(async () => {
  project = await makeProject();
  expect((await project.beds("db", "apply")).code).toBe(0);
  node = await project.start(log);
  client = await openClient();
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
  expect(await node.stop()).toBe(0);
  await project[Symbol.asyncDispose]();
});

const fetch = (args: unknown) =>
  JSON.stringify({ v: 1, template: "ExampleRel", op: "fetch_by_id", args });
const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);

/** What a sender may do wrong, and the documented error (wiki/Errors.md). */
const cases: readonly (readonly [name: string, body: string | Uint8Array, code: string])[] = [
  ["not JSON", "hello", "BEDS-M001"],
  ["nothing at all", "", "BEDS-M001"],
  ["not UTF-8", Uint8Array.of(0x7b, 0xff, 0xfe, 0x7d), "BEDS-M004"],
  ["a list", "[]", "BEDS-M012"],
  ["no version", "{}", "BEDS-M010"],
  ["another version", fetch({ id: "1" }).replace('"v":1', '"v":2'), "BEDS-M010"],
  ["an unknown key", fetch({ id: "1" }).replace('"v":1', '"v":1,"sql":"x"'), "BEDS-M011"],
  [
    "__proto__ in the envelope",
    fetch({ id: "1" }).replace('"v":1', '"v":1,"__proto__":{"a":1}'),
    "BEDS-M011",
  ],
  [
    "__proto__ in args",
    '{"v":1,"template":"ExampleRel","op":"fetch_by_id","args":{"id":"1","__proto__":{"a":1}}}',
    "BEDS-M021",
  ],
  [
    "args of the wrong type",
    '{"v":1,"template":"ExampleRel","op":"fetch_by_id","args":[1]}',
    "BEDS-M012",
  ],
  ["an unknown template", fetch({}).replace("ExampleRel", "ExampleRal"), "BEDS-R001"],
  ["an unknown operation", fetch({}).replace("fetch_by_id", "fetch_by_di"), "BEDS-R002"],
  ["a missing argument", fetch({}), "BEDS-M020"],
  ["an unknown argument", fetch({ id: "1", name: "x" }), "BEDS-M021"],
  ["a number for a bigint", fetch({ id: 1 }), "BEDS-M022"],
  ["an object for a value", fetch({ id: { $gt: "" } }), "BEDS-M022"],
  ["$where", fetch({ $where: "1" }), "BEDS-M020"],
  ["SQL in a string", fetch({ id: "1; DROP TABLE exr_item" }), "BEDS-M022"],
  [
    "60 levels deep",
    `{"v":1,"template":"ExampleRel","op":"x","args":{"a":${nested(60)}}}`,
    "BEDS-M003",
  ],
  ["50,000 levels deep", nested(50_000), "BEDS-M003"],
  ["2 MiB", fetch({ id: "1".repeat(2 * 1024 * 1024) }), "BEDS-M002"],
  [
    "a deadline that has passed",
    fetch({ id: "1" }).replace('"v":1', '"v":1,"meta":{"deadline":1}'),
    "BEDS-E001",
  ],
];

describe("bad input gets its documented error and the node lives", () => {
  for (const [name, body, code] of cases) {
    test(`${name}: ${code}`, async () => {
      const answer = await client.send("rel.read", body);
      expect(outcome(answer)).toEqual({ status: "error", code, result: null });
      expect(answer.error?.message).not.toBe("");
      expect(answer.error?.hint).not.toBe("");
    });
  }

  test("the wrong routing key is told the right one", async () => {
    const answer = await client.send("rec.read", fetch({ id: "1" }));
    expect(answer.error?.code).toBe("BEDS-R003");
    expect(answer.error?.detail).toContain("rel.read");
  });

  test("a routing key that no queue takes is answered too", async () => {
    const answer = await client.send("nobody", fetch({ id: "1" }));
    expect(answer.error?.code).toBe("BEDS-R003");
    expect(answer.error?.detail).toContain("rel.read");
  });

  test("an account without the role is denied, and told nothing else", async () => {
    await using reader = await openClient("app2");
    const answer = await reader.ask("rel.write", "ExampleRel.remove", { id: "1" });
    expect(answer.error).toMatchObject({ code: "BEDS-A001", class: "DENIED", detail: "" });
  });

  test("SQL in a string is stored as it is", async () => {
    const name = `'); DROP TABLE exr_item; -- ${Date.now()}`;
    const sku = `q${Date.now()}`;
    const args = { sku, name, kind: "tool", price: "1.00" };
    const made = await client.ask("rel.write", "ExampleRel.create", args);
    expect(made.error).toBeNull();
    const id = made.result?.rows[0]?.["exr_id"];
    const read = await client.ask("rel.read", "ExampleRel.fetch_by_id", { id });
    expect(read.result?.rows[0]?.["exr_name"]).toBe(name);
  });

  test("after all of it no worker has died and nothing was left unanswered", async () => {
    const answer = await client.send("rel.read", fetch({ id: "999999999" }));
    expect(answer.error?.code).toBe("BEDS-D404");
    expect(log.filter((line) => line.includes('"change":"died"'))).toEqual([]);
    expect(log.filter((line) => line.includes("BEDS-B001"))).toEqual([]);
  });
});

function outcome({ status, error, result }: Answer) {
  return { status, code: error?.code, result };
}
