import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { commandReference } from "../../../core/cli/command-reference.ts";
import { commands } from "../../../core/cli/commands.ts";
import { errorReference } from "../../../core/cli/error-reference.ts";
import { helpFor } from "../../../core/cli/help.ts";
import { commonOptions } from "../../../core/cli/options.ts";
import { parseLine } from "../../../core/cli/parse.ts";
import { catalogue } from "../../../core/contract/catalogue/index.ts";
import { BedsError } from "../../../core/contract/errors.ts";
import { readTemplates } from "../../../core/template/read.ts";

const shown = commands.filter(({ group }) => group !== undefined);

describe("help", () => {
  test("begins with an example, for all and for each", () => {
    for (const words of [[], ...shown.map(({ name }) => name.split(" "))]) {
      expect(helpFor(words)).toMatch(/^Example: beds /);
    }
  });

  test("of a command has its options, then those of every command, then the wiki page", () => {
    const text = helpFor(["call"]);
    const places = ["--timeout", "--config", "More: wiki/Wire-Protocol.md"].map((word) =>
      text.indexOf(word),
    );
    expect(places.every((place) => place > 0)).toBe(true);
    expect(places).toEqual(places.toSorted((one, other) => one - other));
  });

  test("of the beginning of a command lists what begins so", () => {
    const text = helpFor(["db"]);
    expect(text).toContain("db plan");
    expect(text).not.toContain("doctor ");
  });

  test("lists every command that people type, and no other", () => {
    const text = helpFor([]);
    for (const { name } of shown) expect(text).toContain(`\n  ${name} `);
    expect(text).not.toContain("worker");
  });

  test("of nothing that there is suggests", () => {
    expect(() => helpFor(["db", "aply"])).toThrow(BedsError);
  });
});

describe("the table of commands", () => {
  test("has examples that its own parser accepts", () => {
    for (const { name, examples } of commands) {
      for (const example of examples) {
        const own = example.replace(/^echo '\{\}' \| /, "");
        const args = [...own.matchAll(/'([^']*)'|(\S+)/g)].map(
          ([, quoted, plain]) => quoted ?? plain ?? "",
        );
        expect(args.shift()).toBe("beds");
        expect(parseLine(args, commands).command?.name).toBe(name);
      }
    }
  });

  test("has examples of operations that the templates have", async () => {
    const folder = join(import.meta.dir, "..", "..", "..", "templates");
    const { byName } = await readTemplates(folder);
    const called = commands.flatMap(({ examples }) =>
      examples.flatMap((example) => [...example.matchAll(/beds call (\w+)\.(\w+)/g)]),
    );
    expect(called.length).toBeGreaterThan(0);
    for (const [, template = "", op = ""] of called) {
      expect(byName.get(template)?.operations.has(op)).toBe(true);
    }
  });

  test("has no name twice, and none that is the beginning of another", () => {
    const names = commands.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) {
      expect(names.filter((other) => other.startsWith(`${name} `))).toEqual([]);
    }
  });

  test("has no option that hides one of every command", () => {
    for (const { options } of commands) {
      const common = commonOptions.map(({ name }) => name);
      expect(options.filter(({ name }) => common.includes(name))).toEqual([]);
    }
  });

  test("loads a function for each", async () => {
    for (const { load } of commands) expect(typeof (await load())).toBe("function");
  });
});

describe("generated pages", () => {
  test("the page of errors has one row for each code", () => {
    const rows = [...errorReference().matchAll(/^\| `(BEDS-[A-Z]\d{3})` \|/gm)].map(
      ([, code]) => code,
    );
    expect(rows.toSorted()).toEqual(Object.keys(catalogue).toSorted());
  });

  test("every letter of a code is explained", () => {
    const headings = [...errorReference().matchAll(/^## ([A-Z]): (.+)$/gm)];
    expect(headings.filter(([, letter, subject]) => letter === subject)).toEqual([]);
  });

  test("the page of commands has every command and every option that people type", () => {
    const page = commandReference();
    for (const { name, options } of shown) {
      expect(page).toContain(`### beds ${name}\n`);
      for (const option of options) expect(page).toContain(`--${option.name}`);
    }
    expect(page).not.toContain("beds worker");
  });
});
