import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { starterFiles } from "../../../core/cli/starter.ts";

const root = join(import.meta.dir, "..", "..", "..");
const files = new Map(starterFiles().map(({ path, text }) => [path, text]));

describe("the embedded files", () => {
  test("are all the templates and object sources of this repository, unchanged", async () => {
    const glob = new Bun.Glob("templates/**/*.{toml,sql,json}");
    const real = [...glob.scanSync(root)].toSorted();
    const embedded = [...files.keys()].filter((path) => path.startsWith("templates/"));
    expect(embedded.toSorted()).toEqual(real);
    for (const path of real) {
      expect(files.get(path)).toBe(await Bun.file(join(root, path)).text());
    }
  });

  test("the configuration finds templates and secrets beside itself", () => {
    expect(files.get("beds.toml")).toContain('\npath = "templates"\n');
    const all = [...files.values()].join("\n");
    expect(all).not.toContain("../templates");
    expect(all).not.toContain(".stack");
    expect(all).not.toContain("npm run");
  });
});
