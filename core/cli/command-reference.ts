import { type Command, groups } from "./command.ts";
import { commands } from "./commands.ts";
import { optionUsage, shownOptions } from "./help-text.ts";
import { commonOptions } from "./options.ts";

/** The text of `wiki/Commands.md`, from the table of commands. Pure; `beds docs md` writes it. */
export function commandReference(): string {
  const sections = groups.flatMap((group) => {
    const members = commands.filter((command) => command.group === group);
    return [`## ${group}`, ...members.map(commandSection)];
  });
  return `${[preface, ...sections, commonSection(), exitSection].join("\n\n")}\n`;
}

const preface = `# Commands

<!-- Generated from core/cli/commands.ts by \`beds docs md\`. Do not edit. -->

Data goes to standard output, messages go to standard error, so that \`beds list ops | grep Users\` and \`beds call … >
answer.json\` do what they look like. With \`--json\` standard output carries exactly one JSON document, success or
failure; a failure of the command itself is \`{ "errors": [ … ] }\`. Colours appear on a terminal only, and not at all
with \`NO_COLOR\` or \`--no-color\`. Options may stand before or behind the words of a command, as \`--name value\` or
\`--name=value\`; what stands behind \`--\` is never an option.`;

const exitSection = `## Exit codes

| code | meaning |
|---|---|
| 0 | done |
| 1 | findings (\`check\`, \`doctor\`, \`db plan\`, \`docs md --check\`), or the object refused the request (class BUSINESS) |
| 64 | the command line is wrong (class USAGE) |
| 65 | the data are wrong (classes MALFORMED, INVALID, UNSUPPORTED; object files) |
| 69 | a server or broker is not available (class DEPENDENCY_DOWN; nobody serves the routing key) |
| 70 | a bug (classes BUG, BROKEN_OBJECT) |
| 75 | not now: TIMEOUT, EXPIRED, OVERLOADED, CONFLICT, UNKNOWN_OUTCOME |
| 77 | denied (class DENIED) |
| 78 | configuration, plugins or templates are wrong (class BOOT) |
| 130 | interrupted |`;

function commandSection({ name, words, summary, notes, examples, options, page }: Command): string {
  const usage = ["beds", name, words.usage].filter((word) => word !== "").join(" ");
  const lines = shownOptions(options).map((rule) => `- \`${optionUsage(rule)}\`: ${rule.summary}`);
  const more = page === "wiki/Commands.md" ? [] : [`More: ${linkTo(page)}.`];
  return [
    `### beds ${name}`,
    `\`${usage}\`: ${summary}.`,
    ["```", ...examples, "```"].join("\n"),
    ...(notes === undefined ? [] : [notes.join("\n")]),
    ...(lines.length === 0 ? [] : [lines.join("\n")]),
    ...more,
  ].join("\n\n");
}

function commonSection(): string {
  const lines = shownOptions(commonOptions).map(
    (rule) => `- \`${optionUsage(rule)}\`: ${rule.summary}`,
  );
  return ["## Options of every command", lines.join("\n")].join("\n\n");
}

function linkTo(page: string): string {
  const file = page.replace("wiki/", "");
  return `[${file.replace(".md", "").replaceAll("-", " ")}](${file})`;
}
