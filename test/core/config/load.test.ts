import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { chmod, mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { type LoadedConfig, loadConfig } from "../../../core/config/load.ts";
import { configRows } from "../../../core/config/rows.ts";
import { renderError } from "../../../core/observe/error-text.ts";

const root = join(import.meta.dir, "../../..");
const fixtures = join(root, "test/fixtures/config");
const optionsSchema = v.strictObject({
  environment: v.record(v.string(), v.string()),
  flags: v.record(v.string(), v.string()),
});
const nothing = { environment: {}, flags: {} };

/**
 * A fixture is a folder with `beds.toml`, perhaps environment files and options, and what is
 * expected.
 */
describe("fixtures", () => {
  for (const name of readdirSync(fixtures).sort()) {
    test(name, async () => {
      const expected = Bun.file(join(fixtures, name, "expected.txt"));
      const said = await outcome(name);
      if (process.env["BEDS_RECORD"] === "1") await Bun.write(expected, said);
      expect(said).toBe(await expected.text());
    });
  }
});

/** What is in force beyond the defaults, or the findings as a person sees them. */
async function outcome(name: string): Promise<string> {
  const folder = join(fixtures, name);
  const file = Bun.file(join(folder, "options.json"));
  const options = (await file.exists()) ? v.parse(optionsSchema, await file.json()) : nothing;
  try {
    const loaded = await loadConfig({ ...options, folder });
    const rows = configRows(loaded).filter(({ origin }) => origin !== "default");
    return rows.map(({ path, value, origin }) => `${path} = ${value}  # ${origin}\n`).join("");
  } catch (thrown) {
    return `${renderError(thrown, { color: false })}\n`;
  }
}

describe("the base file", () => {
  test("is looked for in the order of the wiki", async () => {
    const folder = await mkdtemp(join(tmpdir(), "beds-config-"));
    await mkdir(join(folder, "config"));
    const load = async (options: object): Promise<string> => {
      return (await loadConfig({ ...nothing, ...options, folder })).config.node.name;
    };
    await writeFile(join(folder, "named.toml"), '[node]\nname = "named"');
    await writeFile(join(folder, "variable.toml"), '[node]\nname = "variable"');
    expect(load({})).rejects.toThrow("there is no beds.toml and no config/beds.toml in");
    await writeFile(join(folder, "config/beds.toml"), '[node]\nname = "config"');
    expect(await load({})).toBe("config");
    await writeFile(join(folder, "beds.toml"), '[node]\nname = "here"');
    expect(await load({})).toBe("here");
    const environment = { BEDS_CONFIG: "variable.toml" };
    expect(await load({ environment })).toBe("variable");
    expect(await load({ environment, file: "named.toml" })).toBe("named");
    expect(load({ environment, file: "absent.toml" })).rejects.toThrow("BEDS-C001");
  });

  test("a folder in its place is a finding", async () => {
    const folder = await mkdtemp(join(tmpdir(), "beds-config-"));
    await mkdir(join(folder, "beds.toml"));
    expect(loadConfig({ ...nothing, folder, file: "beds.toml" })).rejects.toThrow("BEDS-C001");
  });

  test("BEDS_ENV is dev, qa or prod", async () => {
    const folder = join(fixtures, "environment-file");
    const load = (BEDS_ENV: string) => loadConfig({ flags: {}, environment: { BEDS_ENV }, folder });
    expect(load("prd")).rejects.toThrow("did you mean 'prod'?");
    expect((await load("")).environmentName).toBe("dev");
    expect((await load("")).envFile).toBeUndefined();
    expect(load("prod")).rejects.toThrow("BEDS-C003");
  });
});

describe("what is loaded", () => {
  test("is frozen to its leaves", async () => {
    const { config } = await checkedIn({});
    const thawed: string[] = [];
    const visit = (value: unknown, path: string): void => {
      if (typeof value !== "object" || value === null) return;
      if (!Object.isFrozen(value)) thawed.push(path);
      for (const [key, inner] of Object.entries(value)) visit(inner, `${path}.${key}`);
    };
    visit(config, "config");
    expect(thawed).toEqual([]);
  });

  test("two loads share nothing that one of them could change", async () => {
    const [one, other] = [await checkedIn({}), await checkedIn({})];
    expect(one.config.plugins.paths).not.toBe(other.config.plugins.paths);
  });

  test("the node is called like its host, without dots, unless it says so", async () => {
    const { config } = await checkedIn({});
    expect(config.node.name).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(hostname().startsWith(config.node.name.split("-")[0] ?? "?")).toBe(true);
  });

  test("a database is called like its section unless it says so", async () => {
    const { config } = await checkedIn({ "databases.docs.database": "papers" });
    expect(config.databases["app"]?.database).toBe("app");
    expect(config.databases["docs"]?.database).toBe("papers");
  });
});

describe("the files that are checked in", () => {
  test("config/beds.toml is complete by itself and holds no secret", async () => {
    const loaded = await checkedIn({});
    expect(loaded.config.broker_services.app_server.brokers).toEqual({ rBroker: 8, wBroker: 8 });
    expect(loaded.config.principals["app1"]?.roles).toEqual(["app"]);
    const secrets = configRows(loaded).filter(({ path }) => path.endsWith(".pass"));
    expect(
      secrets.map(({ value }) => value).filter((value) => !/^(""|\*\*\* \(env:)/.test(value)),
    ).toEqual([]);
    expect(existsSync(join(loaded.directory, loaded.config.templates.path))).toBe(true);
  });

  for (const name of ["dev", "prod"]) {
    test(`env_${name}.example.toml fits on top of it`, async () => {
      const folder = await mkdtemp(join(tmpdir(), "beds-config-"));
      for (const file of ["beds.toml", `env_${name}.example.toml`]) {
        const text = await Bun.file(join(root, "config", file)).text();
        await writeFile(join(folder, file.replace(".example", "")), text);
      }
      const environment = {
        BEDS_ENV: name,
        BEDS_NODE: "p1",
        BEDS_RABBITMQ_HOST: "mq",
        BEDS_MARIADB_HOST: "sql",
        BEDS_MONGODB_HOST: "docs",
      };
      const { config } = await loadConfig({ environment, flags: {}, folder });
      expect(config.node.name).toBe(name === "dev" ? "dev1" : "p1");
      expect(config.databases["docs"]?.master.replica_set).toBe("beds");
    });
  }
});

/**
 * `config/beds.toml` alone, without the environment file that a local stack may have written beside
 * it.
 */
async function checkedIn(flags: Readonly<Record<string, string>>): Promise<LoadedConfig> {
  const folder = await mkdtemp(join(tmpdir(), "beds-config-"));
  await mkdir(join(folder, "config"));
  await mkdir(join(folder, "templates"));
  const text = await Bun.file(join(root, "config/beds.toml")).text();
  await writeFile(join(folder, "config/beds.toml"), text);
  await chmod(join(folder, "config/beds.toml"), 0o444);
  return await loadConfig({ environment: {}, flags, folder });
}
