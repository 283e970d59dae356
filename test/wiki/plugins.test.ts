import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Node } from "../../config/stack/node.ts";
import { pluginKinds } from "../../core/contract/plugin.ts";
import { contractVersion } from "../../core/contract/version.ts";
import { makeProject, type Project } from "../helpers/project.ts";
import { TestQueues } from "../helpers/rabbitmq.ts";
import { blocksOf, commandsOf, isAsShown, readPage } from "./page.ts";

/** `wiki/Plugins.md`: its example is loaded by the compiled program and answers. */
const page = readPage("Plugins.md");
const blocks = blocksOf(page);
let project: Project;
let node: Node;

beforeAll(async () => {
  project = await makeProject();
  for (const { marks, text } of blocks) {
    const file = marks.get("file");
    if (file === undefined) continue;
    const path = join(project.folder, file);
    const before = marks.has("append") ? await readFile(path, "utf8") : "";
    await project.write(file, before + text);
  }
  await project.beds("db", "apply");
  node = await project.start();
}, 120_000);

afterAll(async () => {
  await node?.stop();
  await project?.[Symbol.asyncDispose]();
  const queues = await TestQueues.open();
  await queues.delete("beds.diceBroker");
  await queues.close();
});

describe("the example of the plugins page", () => {
  test("is listed with its file, its queue and its key", async () => {
    const plugins = await project.beds("list", "plugins");
    expect(plugins.out).toMatch(/^diceBroker\s+broker\s+plugins\/dice\.ts\s/m);
    const brokers = await project.beds("list", "brokers");
    expect(brokers.out).toMatch(/^diceBroker\s.*beds\.diceBroker\s+dice$/m);
  });

  test("answers as the page shows", async () => {
    const [shown] = blocks.filter(({ language }) => language === "console").flatMap(commandsOf);
    expect(shown?.command).toBe(`beds call Dice.throw '{"count":2}'`);
    const { code, out, err } = await project.beds("call", "Dice.throw", '{"count":2}');
    expect([code, isAsShown(out + err, shown?.shown ?? "")]).toEqual([0, true]);
  });

  test("gets its options from the configuration, and only what was checked", async () => {
    const { out } = await project.beds("call", "Dice.throw", '{"count":100}', "--json");
    const dice: number[] = JSON.parse(out).result.rows.map((row: { die: number }) => row.die);
    expect(dice.length).toBe(100);
    // With the default of six sides this is as good as impossible, and with twenty the reverse.
    expect(Math.max(...dice)).toBeGreaterThan(6);
    expect(Math.max(...dice)).toBeLessThanOrEqual(20);
    const refused = await project.beds("call", "Dice.throw", '{"count":101}');
    expect([refused.code, refused.err.includes("BEDS-M022")]).toEqual([65, true]);
  });

  test("with options that its schema does not know is refused with BEDS-P007", async () => {
    const words = ["--set", "plugins.options.diceBroker.sites=3"];
    const { code, out } = await project.beds("check", "--offline", ...words);
    expect([code, out.includes("BEDS-P007"), out.includes("plugins/dice.ts")]).toEqual([
      1,
      true,
      true,
    ]);
  });
});

describe("the plugins page", () => {
  test("names the version of the contract and every kind of plugin", () => {
    expect(page).toContain(`the version of it is ${contractVersion}.`);
    const rows = [...page.matchAll(/^\| `(\w+)` +\| `\w+` \(\[core\/contract/gm)];
    expect(rows.map((row) => row[1] ?? "").toSorted()).toEqual([...pluginKinds].toSorted());
  });
});
