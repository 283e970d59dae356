import { cp } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Node } from "../../config/stack/node.ts";
import { startStack } from "../../config/stack/stack.ts";
import type { Answer } from "../../core/contract/message.ts";
import { openClient, type TestClient } from "../helpers/client.ts";
import { asDba } from "../helpers/dba.ts";
import { childrenOf } from "../helpers/processes.ts";
import { makeProject, type Project } from "../helpers/project.ts";

const fixtures = join(import.meta.dir, "..", "fixtures", "marks");

let project: Project;
let node: Node;
let client: TestClient;

beforeAll(async () => {
  project = await makeProject();
  for (const file of ["marks_rel.toml", "marks_rec.toml"]) {
    await cp(join(fixtures, file), join(project.folder, "templates", file));
  }
  await cp(join(fixtures, "db"), join(project.folder, "templates/db"), { recursive: true });
  const applied = await project.beds("db", "apply");
  expect([applied.code, applied.err]).toEqual([0, expect.not.stringContaining("error[")]);
  node = await project.start();
  client = await openClient();
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
  expect(await node.stop()).toBe(0);
  for (const name of ["mka_add", "mka_refuse", "mka_count"]) {
    await asDba(
      `REVOKE EXECUTE ON PROCEDURE app.${name} FROM 'beds_run'@'%'`,
      `DROP PROCEDURE app.${name}`,
    );
  }
  await asDba("DROP TABLE app.mka_mark");
  // The role of the runtime account goes back to what the product's own templates need.
  await using clean = await makeProject();
  expect((await clean.beds("db", "apply")).code).toBe(0);
  await project[Symbol.asyncDispose]();
});

const classes = [
  ["rel", "MarksRel"],
  ["rec", "MarksRec"],
] as const;

/** Adds a mark under a key. */
async function add(kind: "rel" | "rec", mark: string, key: string, op = "add"): Promise<Answer> {
  const template = kind === "rel" ? "MarksRel" : "MarksRec";
  const meta = { idempotency_key: key };
  const body = JSON.stringify({ v: 1, template, op, args: { mark }, meta });
  return await client.send(`${kind}.write`, body, 3000);
}

/** How often a mark took effect. */
async function effects(kind: "rel" | "rec", mark: string): Promise<number> {
  const template = kind === "rel" ? "MarksRel" : "MarksRec";
  const answer = await client.ask(`${kind}.read`, `${template}.count`, { mark });
  const rows = answer.result?.rows ?? [];
  return kind === "rec" ? rows.length : Number(rows[0]?.["found"]);
}

describe("a mutation takes effect once for its key", () => {
  for (const [kind, template] of classes) {
    test(`${template}: asked twice, the second answer is the first one's`, async () => {
      const mark = crypto.randomUUID();
      const first = await add(kind, mark, mark);
      const second = await add(kind, mark, mark);
      expect([first.status, first.replayed]).toEqual(["ok", false]);
      expect([second.status, second.replayed]).toEqual(["ok", true]);
      expect(second.result).toEqual(first.result);
      expect(second.event_id).not.toBe(first.event_id);
      expect(await effects(kind, mark)).toBe(1);
    });

    test(`${template}: 40 at a time, one takes effect`, async () => {
      const mark = crypto.randomUUID();
      const answers = await Promise.all(Array.from({ length: 40 }, () => add(kind, mark, mark)));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set(["ok"]));
      expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
      expect(await effects(kind, mark)).toBe(1);
    });

    test(`${template}: the same key with other arguments is BEDS-K001`, async () => {
      const mark = crypto.randomUUID();
      await add(kind, mark, mark);
      const other = await add(kind, `${mark}b`, mark);
      expect(other.error).toMatchObject({ code: "BEDS-K001", class: "INVALID" });
      expect(await effects(kind, `${mark}b`)).toBe(0);
    });

    test(`${template}: without a key the event id is the key`, async () => {
      const mark = crypto.randomUUID();
      const event = `app1.dev.${Bun.randomUUIDv7()}`;
      const body = JSON.stringify({ v: 1, event_id: event, template, op: "add", args: { mark } });
      const first = await client.send(`${kind}.write`, body);
      const second = await client.send(`${kind}.write`, body);
      expect([first.replayed, second.replayed]).toEqual([false, true]);
      expect(await effects(kind, mark)).toBe(1);
    });
  }

  test("MarksRel: an object's refusal leaves no effect and is the answer for good", async () => {
    const mark = crypto.randomUUID();
    const first = await add("rel", mark, mark, "refuse");
    const second = await add("rel", mark, mark, "refuse");
    expect(first.error).toMatchObject({ code: "BEDS-D409", class: "BUSINESS" });
    expect(second.error).toEqual(first.error);
    expect([first.replayed, second.replayed]).toEqual([false, true]);
    expect(await effects("rel", mark)).toBe(0);
  });
});

test("workers killed under load: every write that was sent until answered took effect once", async () => {
  const marks = classes.flatMap(([kind]) =>
    Array.from({ length: 400 }, () => ({ kind, mark: crypto.randomUUID() })),
  );
  const queue = [...marks];
  let resent = 0;
  const sender = async () => {
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      resent += (await addUntilAnswered(next.kind, next.mark)) - 1;
    }
  };
  const senders = Array.from({ length: 24 }, sender);
  let kills = 0;
  const killer = (async () => {
    while (queue.length > 0 && kills < 8) {
      await Bun.sleep(250);
      const [victim] = childrenOf(node.pid);
      if (victim === undefined) continue;
      process.kill(victim, "SIGKILL");
      kills++;
    }
  })();
  await Promise.all([...senders, killer]);
  const wrong: string[] = [];
  for (const { kind, mark } of marks) {
    const count = await effects(kind, mark);
    if (count !== 1) wrong.push(`${kind} ${mark}: ${count}`);
  }
  console.log(`${marks.length} writes, ${kills} workers killed, ${resent} sent again`);
  expect(wrong).toEqual([]);
  expect(kills).toBeGreaterThan(0);
}, 120_000);

test("servers killed under load: what was answered stays done once, on both databases", async () => {
  const stack = await startStack({ report: () => undefined });
  const marks: { readonly kind: "rel" | "rec"; readonly mark: string }[] = [];
  let isGoing = true;
  let resent = 0;
  const sender = async (kind: "rel" | "rec") => {
    while (isGoing) {
      const mark = crypto.randomUUID();
      resent += (await addUntilAnswered(kind, mark)) - 1;
      marks.push({ kind, mark });
    }
  };
  const senders = Array.from({ length: 8 }, (_, at) => sender(at % 2 === 0 ? "rel" : "rec"));
  // RabbitMQ last: a quorum queue that was declared a moment ago does not survive a kill.
  const victims = ["mariadb", "mongodb", "mariadb", "mongodb", "rabbitmq"] as const;
  for (const name of victims) {
    await Bun.sleep(2000);
    const server = stack.servers.get(name);
    if (server === undefined) throw new Error(`the stack has no ${name}`);
    server.kill();
    await Bun.sleep(500);
    await server.start();
  }
  await Bun.sleep(2000);
  isGoing = false;
  await Promise.all(senders);
  const wrong: string[] = [];
  for (const { kind, mark } of marks) {
    const count = await effects(kind, mark);
    if (count !== 1) wrong.push(`${kind} ${mark}: ${count}`);
  }
  console.log(`${marks.length} writes, ${victims.length} servers killed, ${resent} sent again`);
  expect(wrong).toEqual([]);
  expect(marks.length).toBeGreaterThan(100);
}, 180_000);

/**
 * Sends a write with one key again and again until it is answered ok. Out: how often it was sent.
 */
async function addUntilAnswered(kind: "rel" | "rec", mark: string): Promise<number> {
  for (let sent = 1; sent < 300; sent++) {
    const answer = await add(kind, mark, mark).catch(() => null);
    if (answer?.status === "ok") return sent;
    // Without RabbitMQ the refusal comes at once.
    await Bun.sleep(100);
  }
  throw new Error(`${mark} was never answered`);
}
