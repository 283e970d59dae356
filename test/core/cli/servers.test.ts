import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { makeProject, type Project } from "../../helpers/project.ts";

/** The commands that speak to servers, as the compiled program, against the local ones. */
let project: Project;

beforeAll(async () => {
  project = await makeProject();
  const { code, err } = await project.beds("db", "apply");
  if (code !== 0) throw new Error(err);
}, 120_000);

afterAll(async () => {
  await project[Symbol.asyncDispose]();
});

describe("beds db", () => {
  test("has nothing to do a second time, and plans nothing", async () => {
    const again = await project.beds("db", "apply");
    expect({ code: again.code, out: again.out }).toEqual({ code: 0, out: "" });
    expect(again.err).toContain("nothing to do: app (");
    const plan = await project.beds("db", "plan", "--json");
    expect(plan.code).toBe(0);
    expect(JSON.parse(plan.out)).toMatchObject({
      databases: [
        { database: "app", changes: [] },
        { database: "docs", changes: [] },
      ],
    });
  });

  test("plans a new object and does not make it", async () => {
    const path = "templates/db/app/functions/zz_cli.sql";
    await using own = await makeProject();
    await own.write(path, "CREATE FUNCTION zz_cli() RETURNS INT DETERMINISTIC RETURN 1;\n");
    for (const _ of [1, 2]) {
      const { code, out, err } = await own.beds("db", "plan", "app");
      expect(code).toBe(1);
      expect(out).toMatch(/^app: create function zz_cli .*zz_cli\.sql/m);
      expect(err).toContain("`beds db apply`");
    }
  });

  test("names a database that is not configured, and one without a DBA", async () => {
    const stranger = await project.beds("db", "plan", "ap");
    expect(stranger.code).toBe(78);
    expect(stranger.err).toContain("did you mean 'app'?");
    await using own = await makeProject();
    const file = join(own.folder, "env_dev.toml");
    const text = await readFile(file, "utf8");
    await own.write("env_dev.toml", text.replace(/\[databases\.app\.dba\][^[]*/, ""));
    const { code, err } = await own.beds("db", "apply");
    expect(code).toBe(78);
    expect(err).toContain("error[BEDS-W004]");
    expect(err).toContain("[databases.app.dba]");
  });

  test("warns of a folder that no database reads", async () => {
    await using own = await makeProject();
    await own.write("templates/db/ap/tables/x.sql", "");
    const { err } = await own.beds("db", "plan", "app");
    expect(err).toContain("warning: db/ap beside the templates belongs to no configured database");
  });
});

describe("beds doctor", () => {
  test("passes what is well, one concern a line", async () => {
    const { out } = await project.beds("doctor");
    const lines = out.split("\n");
    for (const concern of [
      "configuration",
      "secrets",
      "plugins",
      "templates",
      "rabbitmq app_server",
      "rabbitmq app_server login",
      "rabbitmq client login",
      "database app master login",
      "database app secondary login",
      "database app dba login",
      "database docs master login",
      "database docs dba login",
      "open files",
    ]) {
      expect(lines.filter((line) => line.startsWith(`pass  ${concern}  `))).toHaveLength(1);
    }
  });

  test("fails what is not, with the remedy below, and goes on", async () => {
    const words = [
      "--set",
      "broker_services.app_server.port=1",
      "--set",
      "databases.docs.master.port=1",
    ];
    const { code, out } = await project.beds("doctor", ...words);
    expect(code).toBe(1);
    expect(out).toMatch(/^fail  rabbitmq app_server .*\n +BEDS-Q001: .*\n +remedy: \S/m);
    expect(out).toMatch(/^fail  database docs master login .*\n +BEDS-D001: .*\n +remedy: \S/m);
    expect(out).toMatch(/^pass  database app master login /m);
    const json = await project.beds("doctor", "--json", ...words);
    expect(json.code).toBe(1);
    expect(JSON.parse(json.out)).toMatchObject({ ok: false });
  });

  test("does not stop at a template or a configuration that is wrong", async () => {
    await using own = await makeProject();
    await own.write("templates/broken.toml", "name = 7\n");
    const broken = await own.beds("doctor");
    expect(broken.code).toBe(1);
    expect(broken.out).toMatch(/^fail  templates /m);
    expect(broken.out).toMatch(/^pass  database app master login /m);
    expect(broken.out).toMatch(/^skip  objects and grants /m);
    const none = await own.beds("doctor", "--config", "none.toml");
    expect(none.code).toBe(1);
    expect(none.out).toMatch(/^fail  configuration /m);
  });
});

describe("beds call", () => {
  test("is answered by a node, and its exit code says how", async () => {
    const node = await project.start();
    try {
      const made = await project.beds("call", "ExampleRel.count");
      expect(made.code).toBe(0);
      expect(made.out.trimEnd().split("\n")).toHaveLength(2);
      expect(made.err).toMatch(
        /1 row\n[\d.]+ ms \(queue .*\), key rel\.read, event app1\.dev\.[0-9a-f-]{36}\n/,
      );

      const json = await project.beds("call", "ExampleRel.count", "--json");
      expect(json.err).toBe("");
      expect(JSON.parse(json.out)).toMatchObject({ v: 1, status: "ok", error: null });

      const missing = await project.beds("call", "ExampleRel.fetch_by_id", '{"id":"999999999"}');
      expect({ code: missing.code, out: missing.out }).toEqual({ code: 1, out: "" });
      expect(missing.err).toContain("error[BEDS-D404]");

      const wrong = await project.beds("call", "ExampleRel.fetch_by_id", '{"di":"0"}', "--json");
      expect(wrong.code).toBe(65);
      expect(JSON.parse(wrong.out)).toMatchObject({ status: "error", error: { class: "INVALID" } });

      const key = await project.beds("call", "ExampleRel.count", "--key", "rel.write");
      expect(key.code).toBe(65);
      expect(key.err).toContain("error[BEDS-R003]");

      const late = await project.beds("call", "ExampleRel.count", "--meta", "deadline=1");
      expect(late.code).toBe(75);
      expect(late.err).toContain("error[BEDS-E001]");

      const item = '{"sku":"x","name":"x","kind":"book","price":"1.00"}';
      const denied = await project.beds("call", "ExampleRel.create", item, ...(await asReader()));
      expect(denied.code).toBe(77);
      expect(denied.err).toContain("error[BEDS-A001]");
    } finally {
      await node.stop();
    }
  }, 90_000);

  test("fails at once when RabbitMQ is not there or does not know the account", async () => {
    const gone = await project.beds(
      "call",
      "ExampleRel.count",
      "--set",
      "broker_services.app_server.port=1",
    );
    expect(gone.code).toBe(69);
    expect(gone.err).toContain("error[BEDS-Q001]");
    const stranger = await project.beds("call", "ExampleRel.count", "--set", "client.user=nobody");
    expect(stranger.code).toBe(69);
    expect(stranger.err).toContain("error[BEDS-Q002]");
  });

  test("suggests operations of the local templates", async () => {
    const { code, err } = await project.beds("call", "ExampleRel.cuont");
    expect(code).toBe(65);
    expect(err).toContain("did you mean 'count'?");
  });
});

describe("beds run", () => {
  test("drains at the first Ctrl-C", async () => {
    const node = await project.start();
    process.kill(node.pid, "SIGINT");
    expect(await node.exited).toBe(0);
  }, 60_000);

  test("ends at the second Ctrl-C, even when its workers do not", async () => {
    const log: string[] = [];
    const node = await project.start(log);
    const workers = [...log.join("\n").matchAll(/"pid":(\d+),"change":"started"/g)];
    expect(workers).toHaveLength(2);
    // A process that is stopped can do nothing but be killed.
    for (const [, pid] of workers) process.kill(Number(pid), "SIGSTOP");
    process.kill(node.pid, "SIGINT");
    const early = await Promise.race([node.exited, Bun.sleep(500).then(() => "still there")]);
    expect(early).toBe("still there");
    process.kill(node.pid, "SIGINT");
    expect(await node.exited).toBe(130);
    for (const [, pid] of workers) expect(() => process.kill(Number(pid), 0)).toThrow();
  }, 60_000);
});

/** app2 has the role `reader` alone. */
async function asReader(): Promise<readonly string[]> {
  const text = await readFile(join(project.folder, "env_dev.toml"), "utf8");
  const secret = /file:([^"]*)\/app1"/.exec(text)?.[1] ?? "";
  return ["--set", "client.user=app2", "--set", `client.pass="file:${secret}/app2"`];
}
