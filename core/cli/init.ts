import { mkdir, readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { BedsError } from "../contract/errors.ts";
import type { Invocation } from "./command.ts";
import { starterFiles } from "./starter.ts";

/**
 * `beds init [folder]`: writes a configuration, templates and database objects into a folder that
 * is empty or not there yet. Errors: BEDS-U005 when something is in it; then nothing is written.
 */
export async function init({ words, output }: Invocation): Promise<number> {
  const folder = words[0] ?? ".";
  await refuseUsedFolder(folder);
  const files = starterFiles();
  for (const { path, text } of files) {
    const target = join(folder, path);
    await mkdir(dirname(target), { recursive: true });
    // `wx`: whatever came into being since the folder was looked at is not written over.
    await writeFile(target, text, { flag: "wx" });
  }
  const paths = files.map(({ path }) => join(folder, path));
  if (output.json) {
    output.document({ folder, files: paths });
    return 0;
  }
  for (const path of paths) output.data(path);
  const enter = folder === "." ? "" : `cd ${folder}, `;
  output.say(`made ${files.length} files`);
  output.say(
    `next: ${enter}copy env_dev.example.toml to env_dev.toml, say where your servers are,`,
  );
  output.say("      then run `beds doctor`, `beds db apply` and `beds run`");
  return 0;
}

async function refuseUsedFolder(folder: string): Promise<void> {
  let entries: readonly string[];
  try {
    entries = await readdir(folder);
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT") return;
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new BedsError("BEDS-U003", { detail: `${folder}: ${reason}`, cause: thrown });
  }
  const [first] = entries;
  if (first === undefined) return;
  throw new BedsError("BEDS-U005", { detail: `${folder} is not empty: it has ${first}` });
}
