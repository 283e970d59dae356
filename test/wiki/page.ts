import { readFileSync } from "node:fs";
import { join } from "node:path";

export const root = join(import.meta.dir, "..", "..");

/** A fenced block of a page: what stands between two lines of backticks. */
export interface Block {
  /** The first word behind the backticks: `toml`, `console`. */
  readonly language: string;
  /** The words behind it: `file=a.toml` gives `file` its value, `append` an empty one. */
  readonly marks: ReadonlyMap<string, string>;
  readonly text: string;
  /** The line of the page on which the block begins, from 1. */
  readonly line: number;
}

/** A command of a `console` block and the output that the page shows below it. */
export interface Command {
  readonly command: string;
  readonly shown: string;
}

/** The text of a page of the wiki. */
export function readPage(name: string): string {
  return readFileSync(join(root, "wiki", name), "utf8");
}

/** All fenced blocks of a text, in order. */
export function blocksOf(text: string): readonly Block[] {
  const blocks: Block[] = [];
  let open: { info: string; line: number; lines: string[] } | null = null;
  for (const [index, line] of text.split("\n").entries()) {
    const fence = /^\s*```(.*)$/.exec(line);
    if (fence === null) {
      open?.lines.push(line);
    } else if (open === null) {
      open = { info: fence[1] ?? "", line: index + 1, lines: [] };
    } else {
      blocks.push(block(open.info, open.line, open.lines));
      open = null;
    }
  }
  return blocks;
}

/** The commands of a `console` block: lines that begin with `$ `, each with what follows it. */
export function commandsOf({ text }: Block): readonly Command[] {
  const parts = text.split(/^\$ /m).slice(1);
  return parts.map((part) => {
    const end = part.indexOf("\n");
    return { command: part.slice(0, end), shown: part.slice(end + 1) };
  });
}

/**
 * Whether an output is what a page shows: `…` within a line stands for any text, a line that is
 * nothing but `…` for any number of lines. A page that shows nothing says that there is no output.
 */
export function isAsShown(output: string, shown: string): boolean {
  const lines = shown.split("\n").slice(0, -1);
  const pattern = lines.map((line) =>
    line === "…" ? "(?:[^\\n]*\\n)*?" : `${linePattern(line)}\\n`,
  );
  return new RegExp(`^${pattern.join("")}$`).test(output);
}

function linePattern(line: string): string {
  return line
    .split("…")
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
    .join("[^\\n]*");
}

function block(info: string, line: number, lines: readonly string[]): Block {
  const [language = "", ...words] = info.trim().split(/\s+/);
  const marks = words.map((word) => {
    const [name = "", value = ""] = word.split("=");
    return [name, value] as const;
  });
  return { language, marks: new Map(marks), text: lines.map((each) => `${each}\n`).join(""), line };
}
