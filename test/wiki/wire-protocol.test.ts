import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, rmSync } from "node:fs";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import type { Node } from "../../config/stack/node.ts";
import { checkoutLayout, HOST } from "../../config/stack/layout.ts";
import { run } from "../../config/stack/run.ts";
import { secret } from "../../config/stack/secret.ts";
import { makeProject, type Project } from "../helpers/project.ts";
import { blocksOf, readPage } from "./page.ts";

/**
 * `wiki/Wire-Protocol.md`: its Python program runs as it stands against a node, and once more for
 * each mistake of which the page says what it looks like. Python and pika share no code with BEDS,
 * so that they believe nothing it believes.
 */
const layout = checkoutLayout();
const packages = join(layout.home, "python");
const pika = /pip install (pika==[\d.]+)/.exec(readPage("Wire-Protocol.md"))?.[1] ?? "";
const programs = blocksOf(readPage("Wire-Protocol.md")).filter(
  (each) => each.language === "python",
);
const program = programs[0]?.text ?? "";
let project: Project;
let node: Node;

beforeAll(async () => {
  await installPika();
  project = await makeProject();
  const applied = await project.beds("db", "apply");
  expect([applied.code, applied.err]).toEqual([0, expect.not.stringContaining("error[")]);
  node = await project.start();
}, 180_000);

afterAll(async () => {
  await node?.stop();
  await project?.[Symbol.asyncDispose]();
});

describe("the program of the wire protocol", () => {
  test("there is one, and it needs what the page says", () => {
    expect(programs.length).toBe(1);
    expect(pika).toBe("pika==1.3.2");
  });

  test("creates an item, reads it back and prints both answers", async () => {
    const { code, answers, output } = await python(program);
    expect([code, output]).toEqual([0, expect.not.stringContaining("Traceback")]);
    const [created, fetched] = answers;
    expect(answers.length).toBe(2);
    expect(created).toMatchObject({ v: 1, depth: 1, status: "ok", error: null, replayed: false });
    expect(created?.parent_id).toMatch(/^app1\.dev\.[0-9a-f-]{36}$/);
    expect(created?.result?.rows[0]).toMatchObject({ exr_version: 1 });
    expect(fetched?.result?.rows).toMatchObject([{ exr_name: "Hammer", exr_price: "19.90" }]);
  });

  test("works as well with direct reply-to", async () => {
    const changed = changes(
      [`f"beds.reply.{account}.{uuid.uuid4().hex}"`, `"amq.rabbitmq.reply-to"`],
      [`self.channel.queue_declare(self.reply_queue, exclusive=True, auto_delete=True)`, "pass"],
    );
    const { code, answers } = await python(changed);
    expect([code, answers.map(({ status }) => status)]).toEqual([0, ["ok", "ok"]]);
  });
});

describe("what the page says can go wrong", () => {
  const answered: readonly (readonly [name: string, code: string, ...Change])[] = [
    ["the wrong key", "BEDS-R003", `call("rel.write"`, `call("rel.read"`],
    ["a key that no queue takes", "BEDS-R003", `call("rel.write"`, `call("nobody"`],
    ["an unknown template", "BEDS-R001", `"ExampleRel", "create"`, `"Exempel", "create"`],
    ["an unknown operation", "BEDS-R002", `"ExampleRel", "create"`, `"ExampleRel", "make"`],
    ["an unknown key", "BEDS-M011", `{"v": 1,`, `{"v": 1, "extra": 1,`],
    ["another version", "BEDS-M010", `{"v": 1,`, `{"v": 2,`],
    ["a missing argument", "BEDS-M020", `"sku": sku, `, ``],
    ["a number for a decimal", "BEDS-M022", `"19.90"`, `19.90`],
    ["no JSON", "BEDS-M001", `json.dumps(request)`, `"{"`],
    [
      "a deadline that has passed",
      "BEDS-E001",
      `"args": args}`,
      `"args": args, "meta": {"deadline": 1}}`,
    ],
  ];
  for (const [name, code, from, to] of answered) {
    test(`${name} is answered with ${code}`, async () => {
      const { answers, output } = await python(changes([from, to]));
      expect([answers[0]?.error?.code, output]).toEqual([code, expect.any(String)]);
      expect(answers[0]?.parent_id).toMatch(/^app1\.dev\./);
    });
  }

  test("the wrong key is told the right one", async () => {
    const { answers } = await python(changes([`call("rel.write"`, `call("rel.read"`]));
    expect(answers[0]?.error?.detail).toContain("rel.write");
  });

  test("without user-id the request is denied, where it can be answered at all", async () => {
    const changed = changes(
      [`user_id=account,`, ""],
      [`f"beds.reply.{account}.{uuid.uuid4().hex}"`, `"amq.rabbitmq.reply-to"`],
      [`self.channel.queue_declare(self.reply_queue, exclusive=True, auto_delete=True)`, "pass"],
    );
    const { answers } = await python(changed);
    expect(answers[0]?.error).toMatchObject({ code: "BEDS-A001", detail: "" });
  });

  test("a role that the operation does not accept is denied", async () => {
    const { answers } = await python(program, "app2");
    expect(answers[0]?.error).toMatchObject({ code: "BEDS-A001", detail: "" });
  });

  const refused: readonly (readonly [name: string, says: RegExp, ...Change])[] = [
    [
      "another's user-id: 406",
      /ChannelClosedByBroker: \(406,/,
      "user_id=account",
      `user_id="app2"`,
    ],
    [
      "a key that it may not use: 403",
      /ChannelClosedByBroker: \(403,/,
      `"rel.write"`,
      `"no.way.in"`,
    ],
    [
      "no such exchange: 404",
      /ChannelClosedByBroker: \(404,/,
      `"beds.events"`,
      `"beds.reply.app1.x"`,
    ],
    [
      "a reply queue of another: 403",
      /ChannelClosedByBroker: \(403,/,
      `beds.reply.{account}`,
      `beds.reply.app2`,
    ],
  ];
  for (const [name, says, from, to] of refused) {
    test(`${name}, and RabbitMQ closes the channel`, async () => {
      const { code, output } = await python(changes([from, to]));
      expect(code).not.toBe(0);
      expect(output).toMatch(says);
    });
  }

  test("an address that is not the sender's own is not answered", async () => {
    const changed = changes(
      [`reply_to=self.reply_queue`, `reply_to="beds.wBroker.rel"`],
      ["wait_seconds = 10", "wait_seconds = 2"],
    );
    const { output } = await python(changed);
    expect(output).toContain("no answer to app1.dev.");
  });
});

type Change = readonly [from: string, to: string];

/** What the test looks at in an answer; whatever else it has is the business of `test/core`. */
interface PrintedAnswer {
  readonly status: string;
  readonly parent_id: string;
  readonly result: { readonly rows: readonly object[] } | null;
  readonly error: { readonly code: string; readonly detail: string } | null;
}

/** The page's program with one mistake; a text that is not there would test nothing. */
function changes(...pairs: readonly Change[]): string {
  return pairs.reduce((text, [from, to]) => {
    expect(text).toContain(from);
    return text.replace(from, to);
  }, program);
}

/** Runs a Python text as an application would, with one of the stack's client accounts. */
async function python(text: string, account: "app1" | "app2" = "app1") {
  const env = {
    PYTHONPATH: packages,
    BEDS_HOST: HOST,
    BEDS_PORT: String(layout.ports.amqp),
    BEDS_VHOST: "beds",
    BEDS_USER: account,
    BEDS_PASS: secret(layout, account),
    BEDS_ENV: "dev",
  };
  const { code, output } = await run(["python3", "-c", text], { env });
  const lines = output.split("\n").filter((line) => line.startsWith("{"));
  const answers = lines.map((line): PrintedAnswer => JSON.parse(line));
  return { code, output, answers };
}

/** Once for a checkout. A rename at the end, so that a folder of the final name is always whole. */
async function installPika(): Promise<void> {
  if (existsSync(join(packages, "pika"))) return;
  const partial = `${packages}.${process.pid}.partial`;
  const pip = ["python3", "-m", "pip", "--disable-pip-version-check", "install", "--no-deps"];
  const { code, output } = await run([...pip, "--target", partial, pika]);
  if (code !== 0) {
    throw new Error(
      `the wire guide's program needs Python's pip to install ${pika}, and that failed; ` +
        `install it (Debian: apt-get install python3-pip):\n${output}`,
    );
  }
  rmSync(packages, { recursive: true, force: true });
  await rename(partial, packages);
}
