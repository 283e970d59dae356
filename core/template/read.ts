import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { BedsError } from "../contract/errors.ts";
import { Findings } from "../contract/findings.ts";
import type { Template } from "../contract/template.ts";
import { parseTemplate } from "./parse.ts";
import { buildRegistry, type TemplateRegistry } from "./registry.ts";

/**
 * Reads `*.toml` of a folder, not of the folders in it (`db/` holds the DBA's sources), in the
 * order of their names.
 *
 * Throws `Findings` with the faults of all files together: BEDS-T011 when the folder or a file
 * cannot be read, else what `parseTemplate` and `buildRegistry` find. The one place of this folder
 * that touches the disk.
 */
export async function readTemplates(folder: string): Promise<TemplateRegistry> {
  const templates: Template[] = [];
  const errors: BedsError[] = [];
  for (const name of await listTemplates(folder)) {
    const file = join(folder, name);
    try {
      templates.push(parseTemplate(await readText(file), file));
    } catch (thrown) {
      if (!(thrown instanceof Findings)) throw thrown;
      errors.push(...thrown.errors);
    }
  }
  try {
    const registry = buildRegistry(templates);
    if (errors.length === 0) return registry;
  } catch (thrown) {
    if (!(thrown instanceof Findings)) throw thrown;
    errors.push(...thrown.errors);
  }
  throw new Findings(errors);
}

async function listTemplates(folder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory() && /^[^.].*\.toml$/.test(entry.name))
      .map(({ name }) => name)
      .sort();
  } catch (thrown) {
    throw unreadable(folder, thrown);
  }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (thrown) {
    throw unreadable(file, thrown);
  }
}

function unreadable(path: string, cause: unknown): Findings {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new Findings([new BedsError("BEDS-T011", { detail: `${path}: ${reason}`, cause })]);
}
