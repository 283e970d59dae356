import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { configurationReference } from "../config/reference.ts";
import { exitCodes } from "../ipl/exit-code.ts";
import type { Invocation } from "./command.ts";
import { commandReference } from "./command-reference.ts";
import { errorReference } from "./error-reference.ts";

/** Where the wiki of a checkout is. */
const wikiFolder = "wiki";

/**
 * `beds docs md`: writes the pages that are generated. With `--check` writes none; out: 1 when one
 * differs.
 */
export async function docs({ options, output }: Invocation): Promise<number> {
  const folder = options.value("out") ?? wikiFolder;
  const different: string[] = [];
  for (const [name, make] of pages) {
    const text = make();
    const file = Bun.file(join(folder, name));
    const isSame = (await file.exists()) && (await file.text()) === text;
    if (!isSame) different.push(join(folder, name));
    if (isSame || options.has("check")) continue;
    await mkdir(folder, { recursive: true });
    await Bun.write(file, text);
  }
  if (output.json) output.document({ pages: pages.size, different });
  if (options.has("check")) {
    for (const path of different) output.say(`${path} differs: run \`beds docs md\``);
    return different.length > 0 ? exitCodes.findings : exitCodes.ok;
  }
  if (!output.json) {
    output.say(
      different.length === 0 ? "the pages are up to date" : `wrote ${different.join(", ")}`,
    );
  }
  return exitCodes.ok;
}

const pages: ReadonlyMap<string, () => string> = new Map([
  ["Commands.md", commandReference],
  ["Configuration.md", configurationReference],
  ["Errors.md", errorReference],
]);
