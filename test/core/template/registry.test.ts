import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Findings } from "../../../core/contract/findings.ts";
import type { BedsError, Template } from "../../../core/contract/index.ts";
import { parseTemplate } from "../../../core/template/parse.ts";
import { readTemplates } from "../../../core/template/read.ts";
import { checkReferences, type ReferenceFacts } from "../../../core/template/references.ts";
import { buildRegistry } from "../../../core/template/registry.ts";

function textOf(name: string, tla: string, more = 'class = "none"'): string {
  return `name = "${name}"\ntla = "${tla}"\ndescription = "x"\n${more}\n`;
}

function templateOf(name: string, tla: string, more?: string): Template {
  return parseTemplate(textOf(name, tla, more), `${name}.toml`);
}

async function findingsOf(call: () => unknown): Promise<readonly string[]> {
  try {
    await call();
  } catch (thrown) {
    if (thrown instanceof Findings) return thrown.errors.map(lineOf);
    throw thrown;
  }
  throw new Error("nothing was found");
}

function lineOf({ code, detail, where }: BedsError): string {
  return where === undefined
    ? `${code} ${detail}`
    : `${where.file}:${where.line} ${code} ${detail}`;
}

describe("the registry", () => {
  test("finds templates by name and by TLA", () => {
    const [users, posts] = [templateOf("Users", "usr"), templateOf("Posts", "pst")];
    const registry = buildRegistry([users, posts]);
    expect(registry.all).toEqual([users, posts]);
    expect(registry.byName.get("Users")).toBe(users);
    expect(registry.byTla.get("pst")).toBe(posts);
    expect(registry.byName.get("constructor")).toBeUndefined();
    expect([...registry.byName.keys()]).toEqual(["Users", "Posts"]);
    expect(Object.isFrozen(registry)).toBe(true);
    expect(() =>
      Reflect.apply(Reflect.get(registry.byName, "set"), registry.byName, ["x", users]),
    ).toThrow(TypeError);
  });

  test("names every name and TLA that is taken twice", async () => {
    const twins = [
      templateOf("Users", "usr"),
      parseTemplate(textOf("Users", "abc"), "again.toml"),
      parseTemplate(textOf("Other", "usr"), "other.toml"),
    ];
    expect(await findingsOf(() => buildRegistry(twins))).toEqual([
      "again.toml:1 BEDS-T004 'Users' is taken by Users in Users.toml",
      "other.toml:1 BEDS-T005 'usr' is taken by Users in Users.toml",
    ]);
  });
});

describe("the folder", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "beds-templates-"));
    await mkdir(join(folder, "db"));
    await mkdir(join(folder, "odd.toml"));
    await writeFile(join(folder, "db", "inner.toml"), "not for us");
    await writeFile(join(folder, "notes.md"), "not for us");
    await writeFile(join(folder, ".draft.toml"), "not for us");
    await writeFile(join(folder, "b.toml"), textOf("Users", "usr"));
    await writeFile(join(folder, "a.toml"), textOf("Posts", "pst"));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  test("is read in the order of the names, without the folders in it", async () => {
    const { all } = await readTemplates(folder);
    expect(all.map(({ name }) => name)).toEqual(["Posts", "Users"]);
    expect(all[0]?.where.file).toBe(join(folder, "a.toml"));
  });

  test("with mistakes in several files tells all of them", async () => {
    await writeFile(join(folder, "c.toml"), `${textOf("Users", "usr")}cache = 1\n`);
    await writeFile(join(folder, "d.toml"), textOf("Users", "xyz"));
    await writeFile(join(folder, "e.toml"), "name =");
    const found = await findingsOf(() => readTemplates(folder));
    expect(found.map((line) => line.replace(`${folder}/`, "").slice(0, 18))).toEqual([
      "c.toml:5 BEDS-T002",
      "e.toml:1 BEDS-T001",
      "d.toml:1 BEDS-T004",
    ]);
  });

  test("that is not there is BEDS-T011", async () => {
    const found = await findingsOf(() => readTemplates(join(folder, "nowhere")));
    expect(found).toHaveLength(1);
    expect(found[0]).toContain("BEDS-T011");
    expect(found[0]).toContain("nowhere");
  });

  test("may be empty", async () => {
    expect((await readTemplates(join(folder, "odd.toml"))).all).toEqual([]);
  });
});

describe("references", () => {
  const facts: ReferenceFacts = {
    databases: new Map([
      ["app", "rel"],
      ["docs", "rec"],
    ]),
    brokers: new Map([
      ["rBroker", { service: "app_server", accepts: ["fetch"], classes: ["rec", "rel"] }],
      [
        "wBroker",
        { service: "app_server", accepts: ["create", "update"], classes: ["rec", "rel"] },
      ],
      ["uBroker", { service: "tercero", accepts: ["fetch", "create"], classes: ["rel"] }],
    ]),
  };
  const fetch = '[operations.fetch]\nkind = "fetch"';
  const create = '[operations.create]\nkind = "create"';
  const call = '[operations.run]\nkind = "call"';
  const rel = 'class = "rel"\ndatabase = "app"\n';

  const cases: readonly (readonly [name: string, more: string, found: readonly string[]])[] = [
    ["that lead somewhere", `${rel}${fetch}\n${create}`, []],
    ["of a template without operations", `${rel}read_broker = "nobody"`, []],
    [
      "to a database that is not there",
      `class = "rel"\ndatabase = "apps"\n${fetch}`,
      ["T.toml:1 BEDS-T006 T: database 'apps'; did you mean 'app'?"],
    ],
    [
      "to a database of another class",
      `class = "rel"\ndatabase = "docs"\n${fetch}`,
      ["T.toml:1 BEDS-T008 T is of class rel, its database 'docs' of class rec"],
    ],
    [
      "to a broker that is not there",
      `${rel}read_broker = "rbrker"\n${fetch}`,
      ["T.toml:1 BEDS-T007 T: broker 'rbrker'; did you mean 'rBroker'?"],
    ],
    [
      "to a broker of another service",
      `${rel}read_broker = "uBroker"\n${fetch}`,
      ["T.toml:1 BEDS-T007 T: service app_server has no broker 'uBroker'; tercero has"],
    ],
    [
      "to a broker that does not take the kind",
      `${rel}${call}\n${create}`,
      ["T.toml:6 BEDS-T010 T.run is of kind call; wBroker takes create, update"],
    ],
    [
      "to a broker that does not take the class",
      `class = "none"\n${fetch}`,
      ["T.toml:1 BEDS-T010 T is of class none; rBroker takes rec, rel"],
    ],
    [
      "that are wrong in three ways",
      `class = "rel"\ndatabase = "x"\nservice = "admin"\n${fetch}\n${create}`,
      [
        "T.toml:1 BEDS-T006 T: database 'x'",
        "T.toml:1 BEDS-T007 T: service admin has no broker 'rBroker'; app_server has",
        "T.toml:1 BEDS-T007 T: service admin has no broker 'wBroker'; app_server has",
      ],
    ],
  ];
  for (const [name, more, found] of cases) {
    test(name, () => {
      expect(checkReferences([templateOf("T", "ttt", more)], facts).map(lineOf)).toEqual([
        ...found,
      ]);
    });
  }
});
