import { type Command, groups, type OptionRule } from "./command.ts";
import { commonOptions } from "./options.ts";

/** What `beds` and `beds help` say: an example, then every command under its heading. Pure. */
export function overviewText(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  const sections = groups.flatMap((group) => {
    const members = commands.filter((command) => command.group === group);
    if (members.length === 0) return [];
    const lines = members.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
    return [[group, ...lines].join("\n")];
  });
  return [
    "Example: beds init shop && cd shop && beds doctor",
    "BEDS, the Back End Data System: applications reach their databases by message alone.",
    ...sections,
    "`beds help <command>` explains one command; wiki/Commands.md has them all.",
  ].join("\n\n");
}

/**
 * What `beds help <command>` says: examples first, own options before those of every command. Pure.
 */
export function commandText(command: Command): string {
  const { name, words, examples, options, summary, notes, page } = command;
  const [first, ...more] = examples;
  const usage = ["beds", name, words.usage, "[options]"].filter((word) => word !== "").join(" ");
  const own = shownOptions(options);
  const common = shownOptions(commonOptions);
  const width = Math.max(...[...own, ...common].map((rule) => optionUsage(rule).length));
  const list = (rules: readonly OptionRule[]) =>
    rules.map((rule) => `  ${optionUsage(rule).padEnd(width)}  ${rule.summary}`);
  return [
    [`Example: ${first}`, ...more.map((example) => `         ${example}`)].join("\n"),
    `${usage}\n  ${summary}`,
    ...(notes === undefined ? [] : [notes.join("\n")]),
    ...(own.length === 0 ? [] : [["Options", ...list(own)].join("\n")]),
    ["Options of every command", ...list(common)].join("\n"),
    `More: ${page}`,
  ].join("\n\n");
}

/** The options that people are told about. */
export function shownOptions(rules: readonly OptionRule[]): readonly OptionRule[] {
  return rules.filter(({ hidden }) => hidden !== true);
}

/** `--config <file>`, `-h, --help`. */
export function optionUsage({ name, short, value }: OptionRule): string {
  const dashed = short === undefined ? `--${name}` : `-${short}, --${name}`;
  return value === undefined ? dashed : `${dashed} ${value}`;
}
