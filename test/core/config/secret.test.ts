import { describe, expect, test } from "bun:test";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { loadConfig, type LoadedConfig } from "../../../core/config/load.ts";
import { parseSecretReference, Secret, type SecretReference } from "../../../core/config/secret.ts";
import { expandSecrets } from "../../../core/config/secrets.ts";
import { errorsOf } from "../../../core/observe/error-text.ts";

const source = { environment: { TOKEN: "hunter2" }, directory: "/" };

describe("a reference", () => {
  const table: readonly (readonly [string, SecretReference | undefined])[] = [
    ["", { kind: "none" }],
    ["file:../a b", { kind: "file", name: "../a b" }],
    ["env:A_1", { kind: "env", name: "A_1" }],
    ["credential:beds.run@1", { kind: "credential", name: "beds.run@1" }],
    ["file:", undefined],
    ["env:", undefined],
    ["env:1A", undefined],
    ["env:A B", undefined],
    ["credential:a/b", undefined],
    ["credential:..", undefined],
    ["vault:x", undefined],
    [" env:A", undefined],
    ["hunter2", undefined],
  ];
  for (const [text, reference] of table) {
    test(JSON.stringify(text), () => {
      expect(parseSecretReference(text)).toEqual(reference);
    });
  }
});

test("a secret cannot be printed, before it is read or after", () => {
  const secret = new Secret({ kind: "env", name: "TOKEN" }, source, "client.pass");
  for (const when of ["before", "after"]) {
    const shown = [
      String(secret),
      `${secret}`,
      JSON.stringify({ secret }),
      inspect({ secret }, { depth: 9, showHidden: true }),
      Bun.inspect({ secret }),
      Object.values(secret)
        .map((value) => JSON.stringify(value))
        .join(" "),
    ];
    for (const text of shown) expect(`${when}: ${text}`).not.toContain("hunter2");
    expect(secret.reveal()).toBe("hunter2");
  }
});

describe("reading", () => {
  test("one line break at the end belongs to the editor", async () => {
    const directory = await mkdtemp(join(tmpdir(), "beds-secret-"));
    for (const [written, read] of [
      ["a b\n", "a b"],
      ["a\r\n", "a"],
      ["a\n\n", "a\n"],
      [" a ", " a "],
    ]) {
      await writeFile(join(directory, "x"), written ?? "");
      const secret = new Secret({ kind: "file", name: "x" }, { environment: {}, directory }, "p");
      expect(secret.reveal()).toBe(read ?? "");
    }
  });

  test("happens once", async () => {
    const directory = await mkdtemp(join(tmpdir(), "beds-secret-"));
    await writeFile(join(directory, "x"), "one");
    const secret = new Secret({ kind: "file", name: "x" }, { environment: {}, directory }, "p");
    expect(secret.reveal()).toBe("one");
    await writeFile(join(directory, "x"), "two");
    expect(secret.reveal()).toBe("one");
  });

  test("a systemd credential lies in its directory", async () => {
    const folder = await mkdtemp(join(tmpdir(), "beds-secret-"));
    await writeFile(join(folder, "beds"), "from systemd");
    const environment = { CREDENTIALS_DIRECTORY: folder };
    const reference = { kind: "credential", name: "beds" } as const;
    expect(new Secret(reference, { environment, directory: "" }, "p").reveal()).toBe(
      "from systemd",
    );
    const outside = new Secret(reference, { environment: {}, directory: "" }, "p");
    expect(() => outside.reveal()).toThrow("a secret cannot be read");
  });

  test("what cannot be read says which key wanted it", async () => {
    const directory = await mkdtemp(join(tmpdir(), "beds-secret-"));
    await writeFile(join(directory, "large"), "x".repeat(70_000));
    const where = { file: "beds.toml", line: 3, column: 8 };
    const failing = [
      [{ kind: "file", name: "absent" }, 'client.pass = "file:absent": there is no such file'],
      [{ kind: "file", name: "." }, 'client.pass = "file:.": EISDIR'],
      [{ kind: "file", name: "large" }, "the file has 70000 bytes"],
      [{ kind: "env", name: "ABSENT" }, "the environment has no ABSENT"],
    ] as const;
    for (const [reference, detail] of failing) {
      const secret = new Secret(reference, { environment: {}, directory }, "client.pass", where);
      const [error] = errorsOf(thrownBy(() => secret.reveal()));
      expect(error?.code).toBe("BEDS-C006");
      expect(error?.detail).toContain(detail);
      expect(error?.where).toEqual(where);
    }
  });
});

describe("expandSecrets", () => {
  const text = `
[broker_services.app_server]
is_local = true
user = "u"
pass = "env:MQ"
[broker_services.admin]
pass = "env:ADMIN"
[databases.app]
adapter = "mariadb"
master = { port = 1, user = "u", pass = "env:MASTER" }
secondary = { port = 1, user = "u", pass = "env:SECONDARY" }
dba = { user = "u", pass = "env:DBA" }
[client]
pass = "env:CLIENT"
`;
  test("reads what a node needs, and nothing else", async () => {
    const { config } = await load(text, { MQ: "1", MASTER: "2", SECONDARY: "3" });
    expandSecrets(config);
    expect(() => config.client.pass.reveal()).toThrow("a secret cannot be read");
  });

  test("names everything that is missing", async () => {
    const { config } = await load(text, {});
    const details = errorsOf(thrownBy(() => expandSecrets(config))).map(({ detail }) => detail);
    expect(details).toEqual([
      'broker_services.app_server.pass = "env:MQ": the environment has no MQ',
      'databases.app.master.pass = "env:MASTER": the environment has no MASTER',
      'databases.app.secondary.pass = "env:SECONDARY": the environment has no SECONDARY',
    ]);
  });
});

async function load(text: string, environment: Record<string, string>): Promise<LoadedConfig> {
  const folder = await mkdtemp(join(tmpdir(), "beds-secret-"));
  await writeFile(join(folder, "beds.toml"), text);
  return await loadConfig({ environment, flags: {}, folder });
}

function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (thrown) {
    return thrown;
  }
  throw new Error("nothing was thrown");
}
