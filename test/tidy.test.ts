import { describe, expect, test } from "bun:test";
import { dirname, join, normalize } from "node:path";
import { catalogue } from "../core/contract/catalogue/index.ts";
import { longFunctions } from "./helpers/function-size.ts";

const root = join(import.meta.dir, "..");
const sources = [...new Bun.Glob("{core,plugins,config,bench,test}/**/*.{ts,mjs}").scanSync(root)]
  .map((path) => normalize(path))
  .filter((path) => !path.startsWith("test/fixtures/"))
  .sort();
const product = sources.filter((path) => /^(core|plugins)\//.test(path));

/**
 * What each room of core may import besides itself (wiki/Architecture.md). Contract is open to all.
 */
const imports: Readonly<Record<string, readonly string[]>> = {
  "core/contract": [],
  "core/message": [],
  "core/template": [],
  "core/config": [],
  "core/observe": [],
  "core/amqp": [],
  "core/plugins.ts": [],
  "core/capability": ["core/message", "core/template", "core/observe", "core/amqp"],
  "core/reliability": ["core/message", "core/template", "core/observe", "core/amqp"],
  "core/pipeline.ts": ["core/message", "core/template", "core/amqp", "core/reliability"],
  "core/scheduler": [
    "core/message",
    "core/template",
    "core/amqp",
    "core/reliability",
    "core/pipeline.ts",
  ],
  "core/ipl": [
    "core/message",
    "core/template",
    "core/config",
    "core/observe",
    "core/amqp",
    "core/plugins.ts",
    "core/reliability",
    "core/pipeline.ts",
    "core/scheduler",
  ],
  "core/cli": [
    "core/ipl",
    "core/config",
    "core/observe",
    "core/template",
    "core/amqp",
    "core/message",
    "core/plugins.ts",
  ],
  "core/main.ts": ["core/cli", "plugins/index.ts"],
};

describe("the import law", () => {
  for (const path of product) {
    test(path, async () => {
      expect((await brokenImports(path)).join("\n")).toBe("");
    });
  }

  test("only core/amqp imports the AMQP client", async () => {
    const importers = await whoImports(/^@cloudamqp\/amqp-client/);
    const product = importers.filter((path) => isProduct(path));
    expect(product.filter((path) => !path.startsWith("core/amqp/"))).toEqual([]);
    expect(importers.length).toBeGreaterThan(0);
  });

  test("only main imports the list of built-in plugins", async () => {
    const importers = (await whoImports(/\/plugins\/index\.ts$/)).filter((path) => isProduct(path));
    expect(importers).toEqual(["core/main.ts"]);
  });
});

describe("sizes", () => {
  test("no product file has more than 300 lines", async () => {
    const long: string[] = [];
    for (const path of product) {
      const lines = (await read(path)).split("\n").length - 1;
      if (lines > 300) long.push(`${path}: ${lines}`);
    }
    expect(long).toEqual([]);
  });

  test("no product function has more than 70 lines", async () => {
    const long: string[] = [];
    for (const path of product) {
      for (const found of longFunctions(await read(path), 70)) {
        long.push(`${path}:${found.line} ${found.lines} lines`);
      }
    }
    expect(long).toEqual([]);
  });

  test("no comment of the product is wider than 100 columns", async () => {
    const wide: string[] = [];
    for (const path of product) {
      for (const [at, line] of (await read(path)).split("\n").entries()) {
        const isComment = /^\s*(\/\*\*|\*|\/\/) /.test(line);
        if (isComment && line.length > 100) wide.push(`${path}:${at + 1}`);
      }
    }
    expect(wide).toEqual([]);
  });

  test("the measure of functions sees a long one", () => {
    const body = "  a();\n".repeat(80);
    expect(longFunctions(`function f() {\n${body}}\n`, 70)).toEqual([{ line: 1, lines: 82 }]);
    expect(longFunctions(`function f() {\n  a();\n}\n`, 70)).toEqual([]);
  });
});

describe("nothing is left over", () => {
  test("no product file is dead", async () => {
    const reached = new Set<string>();
    const todo = ["core/main.ts"];
    for (let path = todo.pop(); path !== undefined; path = todo.pop()) {
      if (reached.has(path)) continue;
      reached.add(path);
      for (const target of await localImports(path)) todo.push(target);
    }
    expect(product.filter((path) => !reached.has(path))).toEqual([]);
  });

  test("every plugin in the folder is in the static list", async () => {
    const all = await localImports("plugins/index.ts");
    const list = all.filter((path) => path.startsWith("plugins/"));
    const files = [...new Bun.Glob("plugins/{brokers,loggers,gateways}/*.ts").scanSync(root)];
    const folders = [...new Bun.Glob("plugins/adapters/*/index.ts").scanSync(root)];
    expect([...list].sort()).toEqual([...files, ...folders].sort());
  });

  test("every error code has a row in the wiki, and the reverse", async () => {
    const wiki = await read("wiki/Errors.md");
    const rows = [...wiki.matchAll(/^\| `(BEDS-[A-Z]\d{3})`/gm)].map((match) => match[1] ?? "");
    const known: readonly string[] = Object.keys(catalogue);
    expect(rows.toSorted()).toEqual(known.toSorted());
  });

  test("every error code is used by the product", async () => {
    const text = (
      await Promise.all(
        product.filter((path) => !path.includes("contract/catalogue/")).map((path) => read(path)),
      )
    ).join("\n");
    const unused = Object.keys(catalogue).filter((code) => !text.includes(`"${code}"`));
    expect(unused).toEqual([]);
  });
});

describe("habits", () => {
  const habits: readonly (readonly [name: string, pattern: RegExp])[] = [
    ["no any", /(:|<|as) any\b/],
    ["no non-null assertion", /[\w\])]!(\.|;|,|\)|\[)/],
    ["no module reaches for process.exit", /process\.exit\(/],
    ["no bun:sqlite", /bun:sqlite/],
    ["no unfinished marks", /\b(TODO|FIXME|XXX)\b/],
  ];
  for (const [name, pattern] of habits) {
    test(name, async () => {
      const guilty: string[] = [];
      for (const path of product) {
        if (path === "core/main.ts") continue;
        const lines = withoutComments(await read(path)).split("\n");
        const at = lines.findIndex((line) => pattern.test(line));
        if (at >= 0) guilty.push(`${path}:${at + 1} ${lines[at]?.trim()}`);
      }
      expect(guilty).toEqual([]);
    });
  }
});

describe("tools", () => {
  const bun = join(root, "node_modules/.bin/bun");
  const tools = [
    ["types are sound", ["check", "--no-script", "--no-pretty"]],
    ["files are formatted", ["fmt", "--no-script", "--check"]],
  ] as const;
  for (const [name, words] of tools) {
    test(name, () => {
      const ran = Bun.spawnSync([bun, ...words], { cwd: root });
      const said = ran.exitCode === 0 ? "" : `${ran.stdout}\n${ran.stderr}`;
      expect(said).toBe("");
    });
  }
});

function isProduct(path: string): boolean {
  return product.includes(path);
}

async function read(path: string): Promise<string> {
  return await Bun.file(join(root, path)).text();
}

/** Comments may speak of anything; strings stay, which is as it should be. */
function withoutComments(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, (found) => found.replace(/[^\n]/g, ""))
    .replace(/\/\/ .*$/gm, "");
}

async function specifiers(path: string): Promise<readonly string[]> {
  const text = withoutComments(await read(path));
  const found = text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g);
  return [...found].map((match) => match[1] ?? "");
}

async function localImports(path: string): Promise<readonly string[]> {
  const local = (await specifiers(path)).filter((specifier) => specifier.startsWith("."));
  return local
    .map((specifier) => normalize(join(dirname(path), specifier)))
    .filter((target) => /\.(ts|mjs)$/.test(target));
}

async function whoImports(pattern: RegExp): Promise<readonly string[]> {
  const found: string[] = [];
  for (const path of sources) {
    if ((await specifiers(path)).some((specifier) => pattern.test(specifier))) found.push(path);
  }
  return found;
}

function room(path: string): string | undefined {
  return Object.keys(imports).find(
    (name) => path === name || path.startsWith(`${name}/`) || path === `${name}.ts`,
  );
}

async function brokenImports(path: string): Promise<readonly string[]> {
  const broken: string[] = [];
  for (const target of await localImports(path)) {
    if (path.startsWith("plugins/")) {
      const own = path.split("/").slice(0, 3).join("/");
      const allowed = target === "core/contract/index.ts" || target.startsWith(`${own}/`);
      if (!allowed && path !== "plugins/index.ts") broken.push(`${path} imports ${target}`);
      continue;
    }
    const from = room(path);
    const to = target.startsWith("plugins/") ? target : room(target);
    if (from === undefined || to === undefined) broken.push(`${path} → ${target}: no such room`);
    else if (from !== to && to !== "core/contract" && !imports[from]?.includes(to)) {
      broken.push(`${path} imports ${target}`);
    }
  }
  return broken;
}
