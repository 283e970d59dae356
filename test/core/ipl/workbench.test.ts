import { expect, test } from "bun:test";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readObjectSources } from "../../../core/ipl/workbench.ts";

test("object files are read in the order of their paths, with checksums, and nothing else is", async () => {
  const folder = await mkdtemp(join(tmpdir(), "beds-sources-"));
  try {
    const root = join(folder, "db", "app");
    await mkdir(join(root, "tables", "deep"), { recursive: true });
    await mkdir(join(root, "procedures"), { recursive: true });
    await writeFile(join(root, "tables", "b.sql"), "b");
    await writeFile(join(root, "tables", "deep", "a.json"), "{}");
    await writeFile(join(root, "procedures", "c.sql"), "c");
    await writeFile(join(root, "procedures", ".hidden.sql"), "no");
    await writeFile(join(root, "procedures", "c.sql.verify"), "no");
    await writeFile(join(root, "notes.md"), "no");
    const sources = await readObjectSources(folder, "app");
    expect(sources.map(({ path, text }) => [path, text])).toEqual([
      ["db/app/procedures/c.sql", "c"],
      ["db/app/tables/b.sql", "b"],
      ["db/app/tables/deep/a.json", "{}"],
    ]);
    // printf c | sha256sum
    expect(sources[0]?.checksum).toBe(
      "2e7d2c03a9507ae265ecf5b5356885a53393a2029d241394997265a1a25aefc6",
    );
    expect(await readObjectSources(folder, "other")).toEqual([]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
