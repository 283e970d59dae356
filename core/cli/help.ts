import { BedsError } from "../contract/errors.ts";
import { suggestion } from "../contract/suggest.ts";
import type { Invocation } from "./command.ts";
import { commands } from "./commands.ts";
import { commandText, overviewText } from "./help-text.ts";

/** `beds help [command]`. Errors: BEDS-U001 when there is no such command. */
export async function help({ words, output }: Invocation): Promise<number> {
  output.data(helpFor(words));
  return 0;
}

/**
 * The help that fits the words: all commands, one, or those that begin with the words. Errors:
 * BEDS-U001.
 */
export function helpFor(words: readonly string[]): string {
  const typed = words.join(" ");
  if (typed === "") return overviewText(commands);
  const found = commands.find(({ name }) => name === typed);
  if (found !== undefined) return commandText(found);
  const family = commands.filter(({ name }) => name.startsWith(`${typed} `));
  if (family.length > 0) return overviewText(family);
  const names = commands.filter(({ group }) => group !== undefined).map(({ name }) => name);
  throw new BedsError("BEDS-U001", { detail: `beds ${typed}${suggestion(typed, names)}` });
}
