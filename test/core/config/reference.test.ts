import { describe, expect, test } from "bun:test";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { configurationReference } from "../../../core/config/reference.ts";
import { configSchema } from "../../../core/config/schema.ts";
import { nodeAt, readSchema, type SchemaNode } from "../../../core/config/schema-tree.ts";

const root = readSchema(configSchema);
const page = configurationReference();
/** Without the blanks that align the columns. */
const loose = page.replaceAll(/ {2,}/g, " ");

describe("the schema", () => {
  test("describes every key, and says what it expects", () => {
    const silent = leavesOf(root, []).filter(({ node }) => {
      return node.description === "" || node.expected === "";
    });
    expect(silent.map(({ path }) => path)).toEqual([]);
  });

  test("is read as it is written", () => {
    const facts = ({ shape, expected, required, fallback }: SchemaNode) => {
      return { shape, expected, required, fallback };
    };
    expect(facts(found("node", "workers"))).toEqual({
      shape: "value",
      expected: "an integer from 1 to 64",
      required: false,
      fallback: 2,
    });
    expect(facts(found("databases", "any", "master", "port")).required).toBe(true);
    expect(facts(found("databases", "any", "master", "port")).fallback).toBeUndefined();
    expect(found("databases", "any", "secondary").required).toBe(false);
    expect(found("plugins", "options", "any").shape).toBe("free");
    expect(found("principals").shape).toBe("named");
    expect(found("log", "sinks", "0").expected).toBe("a text that is not empty");
    expect(nodeAt(root, ["node", "nothing", "at", "all"])).toBeUndefined();
  });
});

describe("the page", () => {
  test("has every key with its meaning", () => {
    for (const { path, node } of leavesOf(root, [])) {
      const row = `| \`${path.at(-1)}\` | `;
      expect(page).toContain(node.description);
      if (node.each?.shape !== "value") expect(loose).toContain(row);
    }
  });

  test("has the sections in the schema's order, each once", () => {
    const headings = [...page.matchAll(/^## `\[(.+)\]`$/gm)].map(([, heading]) => heading);
    expect(headings).toEqual([
      "node",
      "node.restart_budget",
      "log",
      "limits",
      "reliability",
      "templates",
      "plugins",
      "broker_services",
      "broker_services.app_server",
      "broker_services.app_server.tls",
      "broker_services.app_server.brokers",
      "databases.<name>",
      "databases.<name>.master",
      "databases.<name>.secondary",
      "databases.<name>.dba",
      "client",
      "principals.<name>",
    ]);
    expect(page).toContain("`admin`, `segundo`, `tercero` have the same keys.");
  });

  test("is formatted as the repository's formatter would", async () => {
    const file = join(await mkdtemp(join(tmpdir(), "beds-reference-")), "Configuration.md");
    await Bun.write(file, page);
    const command = [process.execPath, "fmt", "--no-script", "--print-width=100", "--check", file];
    const { exitCode, stdout } = Bun.spawnSync(command);
    expect([exitCode, stdout.toString()]).toEqual([0, expect.any(String)]);
  });

  test("shows defaults, what is required, and no broken table", () => {
    expect(loose).toContain("| `workers` | integer from 1 to 64 | `2` |");
    expect(loose).toContain("| `adapter` | text that is not empty | **required** |");
    expect(loose).toContain("| `pass` | secret reference | none |");
    const rows = page.split("\n").filter((line) => line.startsWith("| `"));
    const odd = rows.filter(
      (row) => ![3, 5].includes(row.replaceAll("\\|", "").split("|").length - 1),
    );
    expect(odd).toEqual([]);
  });
});

function found(...path: string[]): SchemaNode {
  const node = nodeAt(root, path);
  if (node === undefined) throw new Error(`no ${path.join(".")}`);
  return node;
}

interface Leaf {
  readonly path: readonly string[];
  readonly node: SchemaNode;
}

function leavesOf(node: SchemaNode, path: readonly string[]): Leaf[] {
  if (node.shape === "table") {
    return [...node.entries].flatMap(([key, child]) => leavesOf(child, [...path, key]));
  }
  if (node.shape === "named" && node.each?.shape === "table") {
    return leavesOf(node.each, [...path, "<name>"]);
  }
  return [{ path, node }];
}
