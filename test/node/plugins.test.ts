import { describe, expect, test } from "bun:test";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { openClient } from "../helpers/client.ts";
import { makeProject, type Project } from "../helpers/project.ts";

const fixtures = join(import.meta.dir, "..", "fixtures");

/**
 * A project with the fixture plugins in `plugins/`, of which `files` are named in its
 * configuration.
 */
async function projectWith(files: readonly string[], more = ""): Promise<Project> {
  const paths = files.map((file) => `"plugins/${file}"`).join(", ");
  const project = await makeProject(`[plugins]\npaths = [${paths}]\n${more}`);
  await cp(join(fixtures, "plugins"), join(project.folder, "plugins"), { recursive: true });
  return project;
}

describe("third-party plugins in the compiled program", () => {
  test("a broker plugin is loaded with its options and serves requests", async () => {
    const settings = `[plugins.options.echoBroker]\nmark = "?"\n[broker_services.app_server.brokers]\nechoBroker = 2`;
    await using project = await projectWith(["echo-broker.ts"], settings);
    await cp(join(fixtures, "templates", "echo.toml"), join(project.folder, "templates/echo.toml"));
    const listed = await project.beds("list", "plugins");
    expect(listed.out).toContain("echoBroker");
    const node = await project.start();
    try {
      await using client = await openClient();
      const answer = await client.ask("echo", "Echo.say", { text: "hello" });
      expect(answer.result?.rows).toEqual([{ ech_text: "HELLO?", ech_principal: "app1" }]);
      const refused = await client.ask("echo", "Echo.say", { text: "x".repeat(101) });
      expect(refused.error?.code).toBe("BEDS-M022");
    } finally {
      expect(await node.stop()).toBe(0);
    }
  });

  const bad: readonly (readonly [file: string, code: string, reason: string])[] = [
    ["wrong-version.js", "BEDS-P003", "contract 99"],
    ["missing-field.js", "BEDS-P004", "summary, create"],
    ["throws.js", "BEDS-P001", "this plugin is not at home"],
    ["plain-object.js", "BEDS-P002", "of type object"],
    ["create-throws.js", "BEDS-P005", "not today"],
    ["no-such-file.ts", "BEDS-P001", "no such file"],
  ];
  for (const [file, code, reason] of bad) {
    test(`${file} is refused with ${code}, its file and the reason`, async () => {
      await using project = await projectWith([file]);
      const ran = await project.beds("check", "--offline");
      expect(ran.code).toBe(1);
      expect(ran.out).toContain(code);
      expect(ran.out).toContain(`plugins/${file}`);
      expect(ran.out).toContain(reason);
    });
  }

  test("the same plugin twice is refused with BEDS-P006", async () => {
    await using project = await projectWith(["echo-broker.ts", "echo-broker.ts"]);
    const ran = await project.beds("check", "--offline");
    expect([ran.code, ran.out.includes("BEDS-P006")]).toEqual([1, true]);
  });

  test("options that do not fit the plugin's schema are refused with BEDS-P007", async () => {
    await using project = await projectWith(
      ["echo-broker.ts"],
      "[plugins.options.echoBroker]\nmork = 1",
    );
    const ran = await project.beds("check", "--offline");
    expect([ran.code, ran.out.includes("BEDS-P007")]).toEqual([1, true]);
  });
});
