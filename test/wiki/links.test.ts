import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import * as v from "valibot";
import { scripts } from "../../package.json";
import { commands } from "../../core/cli/commands.ts";
import { commonOptions } from "../../core/cli/options.ts";
import { configSchema } from "../../core/config/schema.ts";
import { findCatalogueEntry } from "../../core/contract/errors.ts";
import { blocksOf, root } from "./page.ts";

/** What a page names must be there: files, headings, commands, options, scripts, keys, codes. */
const pages = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md"].concat(
  [...new Bun.Glob("wiki/*.md").scanSync(root)].sort(),
);
const texts = new Map<string, string>();
for (const page of pages) texts.set(page, await Bun.file(join(root, page)).text());

for (const page of pages) {
  const text = texts.get(page) ?? "";
  describe(page, () => {
    test("every link leads somewhere", () => {
      expect(linksOf(text).filter((link) => !leadsSomewhere(page, link))).toEqual([]);
    });

    test("every file that it names exists", () => {
      const named = inlineCode(text).filter((code) => pathPattern.test(code));
      expect(named.filter((path) => !isThere(path))).toEqual([]);
    });

    test("every command that it names exists, with its options", () => {
      expect(commandLines(text).filter((line) => !isCommandLine(line))).toEqual([]);
    });

    test("every npm script that it names exists", () => {
      const named = [...text.matchAll(/npm run ([\w:-]+)/g)].map((match) => match[1] ?? "");
      expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
    });

    test("every configuration key that it names exists", () => {
      const named = inlineCode(text).filter((code) => keyPattern.test(code));
      expect(named.filter((key) => !isKey(key))).toEqual([]);
    });

    test("every error code that it names exists", () => {
      const named = [...text.matchAll(/BEDS-[A-Z]\d{3}/g)].map(([code]) => code);
      expect(named.filter((code) => findCatalogueEntry(code) === undefined)).toEqual([]);
    });

    test("it names no file of one machine", () => {
      expect(text.match(/(^|[\s"'(])\/(work|home|root|tmp)\/\S*/g) ?? []).toEqual([]);
    });
  });
}

test("every page of the wiki is reached from Home", () => {
  const reached = new Set<string>();
  const todo = ["wiki/Home.md"];
  for (let page = todo.pop(); page !== undefined; page = todo.pop()) {
    if (reached.has(page)) continue;
    reached.add(page);
    for (const link of linksOf(texts.get(page) ?? "")) {
      const target = normalize(join(dirname(page), link.split("#")[0] ?? ""));
      if (texts.has(target)) todo.push(target);
    }
  }
  const wiki = pages.filter((page) => page.startsWith("wiki/"));
  expect(wiki.filter((page) => !reached.has(page))).toEqual([]);
});

test("Home leads to every page by itself", () => {
  const direct = linksOf(texts.get("wiki/Home.md") ?? "").map((link) => link.split("#")[0]);
  const wiki = pages.filter((page) => page.startsWith("wiki/") && page !== "wiki/Home.md");
  expect(wiki.filter((page) => !direct.includes(relative("wiki", page)))).toEqual([]);
});

const pathPattern = /^(core|plugins|config|templates|test|bench|wiki|\.ci)\/[\w./-]+$/;

/** Files that a page tells its reader to make. */
const made = new Set(
  [...texts.values()].flatMap((text) => {
    return blocksOf(text).flatMap(({ marks }) => marks.get("file") ?? []);
  }),
);

/** Paths of a reader's own project, which look like this checkout's. */
function isThere(path: string): boolean {
  return existsSync(join(root, path)) || made.has(path);
}

const sections = "node|log|limits|templates|plugins|broker_services|databases|client|principals";
const keyPattern = new RegExp(`^(${sections})(\\.[a-z_]+)+$`);

function isKey(key: string): boolean {
  let value: unknown = v.parse(configSchema, {});
  for (const name of key.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return false;
    value = Reflect.get(value, name);
  }
  return true;
}

/** The text without its fenced blocks. */
function prose(text: string): string {
  return text.replace(/^\s*```[\s\S]*?^\s*```$/gm, "");
}

function inlineCode(text: string): readonly string[] {
  return [...prose(text).matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? "");
}

/** Targets of links that are not addresses of the web. */
function linksOf(text: string): readonly string[] {
  const plain = prose(text).replace(/`[^`\n]+`/g, "");
  const found = [...plain.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? "");
  return found.filter((link) => !/^https?:/.test(link));
}

function leadsSomewhere(page: string, link: string): boolean {
  const [path = "", anchor] = link.split("#");
  const target = path === "" ? page : normalize(join(dirname(page), path));
  if (!existsSync(join(root, target))) return false;
  return anchor === undefined || anchorsOf(texts.get(target) ?? "").includes(anchor);
}

/** What headings are called in links: GitHub's rule for plain text. */
function anchorsOf(text: string): readonly string[] {
  return [...prose(text).matchAll(/^#+ (.+)$/gm)].map((match) =>
    (match[1] ?? "")
      .toLowerCase()
      .replace(/[^\w\s-]/g, "")
      .replace(/\s/g, "-"),
  );
}

/** Command lines that begin with `beds `, in the prose, at prompts and in shell blocks. */
function commandLines(text: string): readonly string[] {
  const shells = blocksOf(text).filter(({ language }) => ["console", "sh", ""].includes(language));
  const typed = shells.flatMap((block) => [...block.text.matchAll(/^(?:\$ )?(beds .*)$/gm)]);
  return [...inlineCode(text), ...typed.map((match) => match[1] ?? "")].filter((line) =>
    line.startsWith("beds "),
  );
}

function isCommandLine(line: string): boolean {
  const [one = "", two = ""] = line.split(" ").slice(1);
  const found = commands.find(({ name }) => name === `${one} ${two}` || name === one);
  if (found === undefined) return isGroup(line);
  const known = [...found.options, ...commonOptions].map(({ name }) => name);
  const options = [...line.matchAll(/ --([a-z-]+)/g)].map((match) => match[1] ?? "");
  return options.every((name) => known.includes(name));
}

/** `beds db` stands for all commands that begin so. */
function isGroup(line: string): boolean {
  return commands.some(({ name }) => line === `beds ${name.split(" ")[0]}`);
}
