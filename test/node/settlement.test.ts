import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import type { Node } from "../../config/stack/node.ts";
import { openClient, type TestClient } from "../helpers/client.ts";
import { takeDeadLetters } from "../helpers/dead-letters.ts";
import { makeProject, type Project } from "../helpers/project.ts";
import { until } from "../helpers/rabbitmq.ts";

const fixtures = join(import.meta.dir, "..", "fixtures");
const settings = `
[node]
workers = 1
[log]
requests = "all"
[plugins]
paths = ["plugins/echo-broker.ts"]
[broker_services.app_server.brokers]
echoBroker = 2
`;

let project: Project;
let node: Node;
let client: TestClient;
const log: string[] = [];

beforeAll(async () => {
  project = await makeProject(settings);
  await cp(join(fixtures, "plugins"), join(project.folder, "plugins"), { recursive: true });
  await cp(join(fixtures, "templates/echo.toml"), join(project.folder, "templates/echo.toml"));
  node = await project.start(log);
  client = await openClient();
  await takeDeadLetters();
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
  expect(await node.stop()).toBe(0);
  await project[Symbol.asyncDispose]();
});

describe("what fails and may be tried again", () => {
  test("waits a second in the retry queue, and is answered to the same caller", async () => {
    const started = performance.now();
    const answer = await client.ask("echo", "Echo.try", { text: "a", failures: 1 }, 10_000);
    expect(answer.result?.rows).toEqual([{ ech_text: "A!", ech_principal: "app1" }]);
    expect(performance.now() - started).toBeGreaterThanOrEqual(1000);
    const tries = () => log.filter((line) => line.includes('"op":"try"'));
    // The answer may be here before the log line, which comes through a pipe.
    await until("both log lines", () => tries().length >= 2);
    const lines = tries();
    expect(lines.map(settledOf)).toEqual([
      ["put off", 0],
      ["answered", 1],
    ]);
  });

  test("is final at once when the next try would come after its deadline", async () => {
    const deadline = Date.now() + 900;
    const body = { v: 1, template: "Echo", op: "try", args: { text: "b", failures: 9 } };
    const answer = await client.send("echo", JSON.stringify({ ...body, meta: { deadline } }));
    expect(answer.error).toMatchObject({ code: "BEDS-B001", class: "BUG", retryable: true });
    const dead = await takeDeadLetters();
    expect(dead).toHaveLength(1);
    expect(JSON.parse(dead[0]?.body ?? "")).toMatchObject(body);
    expect(dead[0]?.headers).toMatchObject({
      "beds-error-code": "BEDS-B001",
      "beds-principal": "app1",
      "beds-exchange": "beds.events",
      "beds-routing-key": "echo",
      "beds-queue": "beds.echoBroker",
    });
  });
});

describe("what is malformed", () => {
  test("is answered and kept with its bytes", async () => {
    const answer = await client.send("rel.read", "{ not JSON");
    expect(answer.error?.code).toBe("BEDS-M001");
    const dead = await takeDeadLetters();
    expect(dead.map(({ body }) => body)).toEqual(["{ not JSON"]);
  });
});

/** What became of a request and how often it had been put off before, by its log line. */
function settledOf(line: string): readonly unknown[] {
  const record: Record<string, unknown> = JSON.parse(line);
  return [record["settled"], record["attempt"]];
}
