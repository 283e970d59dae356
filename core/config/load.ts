import { hostname } from "node:os";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import { BedsError, type SourceLocation } from "../contract/errors.ts";
import { Findings } from "../contract/findings.ts";
import { suggestion } from "../contract/suggest.ts";
import { checkTables, type CheckedConfig } from "./check.ts";
import { expandTables } from "./expand.ts";
import {
  decidingLayer,
  environmentLayer,
  environmentValues,
  fileLayer,
  flagLayer,
  type Layer,
  mergeLayers,
} from "./layers.ts";
import { Report } from "./report.ts";
import { type Config, schemaVersion } from "./schema.ts";
import { Secret } from "./secret.ts";

export const environmentNames = ["dev", "qa", "prod"] as const;
export type EnvironmentName = (typeof environmentNames)[number];

export interface LoadOptions {
  /** What `--config` says; absent: BEDS_CONFIG, then `./beds.toml`, then `./config/beds.toml`. */
  readonly file?: string | undefined;
  /** The process' environment. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `--set a.b=c`, as `{"a.b": "c"}`. */
  readonly flags: Readonly<Record<string, string>>;
  /** The working folder, by default the process' own. */
  readonly folder?: string;
}

export interface LoadedConfig {
  readonly config: Config;
  /** Where the value of a key path was said: `config/env_dev.toml:3:1`, …, `default`. */
  originOf(path: readonly string[]): string;
  /** The same as a place that a person can open; undefined where it was not said in a file. */
  whereOf(path: readonly string[]): SourceLocation | undefined;
  readonly environmentName: EnvironmentName;
  /** The base file, as an absolute path. */
  readonly file: string;
  /** The folder of the base file, from which relative paths of the configuration start. */
  readonly directory: string;
  /** `env_dev.toml` beside the base file; undefined when there is none. */
  readonly envFile: string | undefined;
}

/**
 * Reads the configuration of a process: defaults < base file < environment file < environment <
 * flags (wiki/Configuration.md). Only keys that are present override, because tables are merged
 * before any default is filled in.
 *
 * Errors: always `Findings`, with everything that is wrong: BEDS-C001 … C005, C007, C008. Secrets
 * are not read here (`expandSecrets`). Called once by each process and by each command.
 */
export async function loadConfig(options: LoadOptions): Promise<LoadedConfig> {
  const environmentName = readEnvironmentName(options.environment);
  const folder = options.folder ?? process.cwd();
  const file = await findFile(options, folder);
  const directory = dirname(file);
  const envFile = join(directory, `env_${environmentName}.toml`);
  const hasEnvFile = await Bun.file(envFile).exists();
  const layers = await readLayers(hasEnvFile ? [file, envFile] : [file], folder, options);
  const report = new Report(layers);
  const merged = mergeLayers(layers);
  refuseOtherVersion(merged["schema_version"], report);
  const source = { environment: options.environment, directory };
  const config = checkTables(expandTables(merged, source, report), report);
  report.throwIfAny();
  if (config === undefined) throw new BedsError("BEDS-B001", { detail: "a finding has no text" });
  return Object.freeze({
    config: frozen(withNames(config)),
    originOf: (path: readonly string[]) => {
      return decidingLayer(layers, path)?.place(path, "key").text ?? "default";
    },
    whereOf: (path: readonly string[]) => decidingLayer(layers, path)?.place(path, "key").where,
    environmentName,
    file,
    directory,
    envFile: hasEnvFile ? envFile : undefined,
  });
}

function readEnvironmentName(environment: LoadOptions["environment"]): EnvironmentName {
  const said = environment["BEDS_ENV"] ?? "";
  const found = environmentNames.find((name) => name === (said === "" ? "dev" : said));
  if (found !== undefined) return found;
  const detail = `BEDS_ENV = ${JSON.stringify(said)}${suggestion(said, environmentNames)}`;
  throw new Findings([new BedsError("BEDS-C004", { detail, hint: "set it to dev, qa or prod" })]);
}

/** Out: an absolute path of a file that exists. */
async function findFile(options: LoadOptions, folder: string): Promise<string> {
  const named = options.file ?? options.environment["BEDS_CONFIG"] ?? "";
  const candidates = named === "" ? ["beds.toml", "config/beds.toml"] : [named];
  for (const candidate of candidates) {
    const file = resolve(folder, candidate);
    if (await Bun.file(file).exists()) return file;
  }
  const detail = `there is no ${candidates.join(" and no ")} in ${folder}`;
  throw new Findings([
    named === "" || !isAbsolute(named)
      ? new BedsError("BEDS-C001", { detail })
      : new BedsError("BEDS-C001", { detail: `there is no ${named}` }),
  ]);
}

async function readLayers(
  files: readonly string[],
  folder: string,
  options: LoadOptions,
): Promise<readonly Layer[]> {
  const layers: Layer[] = [];
  const errors: BedsError[] = [];
  const attempt = (read: () => Layer): void => {
    try {
      layers.push(read());
    } catch (thrown) {
      if (!(thrown instanceof BedsError)) throw thrown;
      errors.push(thrown);
    }
  };
  for (const file of files) {
    const text = await readText(file);
    attempt(() => fileLayer(text, shownPath(file, folder)));
  }
  const known = mergeLayers(layers);
  for (const [name, value] of environmentValues(options.environment)) {
    attempt(() => environmentLayer(name, value, known));
  }
  for (const [key, value] of Object.entries(options.flags)) {
    attempt(() => flagLayer(key, value));
  }
  if (errors.length > 0) throw new Findings(errors);
  return layers;
}

async function readText(file: string): Promise<string> {
  try {
    return await Bun.file(file).text();
  } catch (thrown) {
    const detail = `${file}: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
    throw new Findings([new BedsError("BEDS-C001", { detail, cause: thrown })]);
  }
}

/** As a person who stands in `folder` would name the file. */
function shownPath(file: string, folder: string): string {
  const path = relative(folder, file);
  return path.startsWith("..") || isAbsolute(path) ? file : path;
}

/** A file of another version would only yield a flood of unknown keys. */
function refuseOtherVersion(said: unknown, report: Report): void {
  if (said === undefined || said === schemaVersion) return;
  const detail = `schema_version = ${String(said)}: this program reads ${schemaVersion}`;
  report.add(["schema_version"], { code: "BEDS-C005", detail });
  report.throwIfAny();
}

/** Fills in the defaults that are names of something else. */
function withNames(config: CheckedConfig): CheckedConfig {
  const databases = Object.entries(config.databases).map(([name, database]) => {
    return [name, { ...database, database: database.database || name }] as const;
  });
  const name = config.node.name === "" ? nodeName(hostname()) : config.node.name;
  return { ...config, node: { ...config.node, name }, databases: Object.fromEntries(databases) };
}

/** The first label of a host's name, made fit for event ids, whose parts are divided by dots. */
function nodeName(host: string): string {
  const [label = ""] = host.split(".");
  return label.replaceAll(/[^A-Za-z0-9_-]/g, "-").slice(0, 63) || "node";
}

function frozen(config: CheckedConfig): Config {
  freezeTree(config);
  return config;
}

function freezeTree(value: unknown): void {
  if (typeof value !== "object" || value === null || value instanceof Secret) return;
  Object.freeze(value);
  for (const inner of Object.values(value)) freezeTree(inner);
}
