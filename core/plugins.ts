import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { BedsError } from "./contract/errors.ts";
import { Plugin, type PluginKind, type PluginProducts } from "./contract/plugin.ts";
import { suggestion } from "./contract/suggest.ts";

/** A plugin and where it came from: `built in`, or the path of its file. */
export interface RegisteredPlugin {
  readonly plugin: Plugin;
  readonly origin: string;
}

/** The plugins of a process, looked up by kind and name. Frozen once built. */
export class PluginRegistry {
  readonly all: readonly RegisteredPlugin[];
  readonly #options: Readonly<Record<string, unknown>>;

  /**
   * In: the plugins in the order of registration, and the `[plugins.options]` section. Errors:
   * BEDS-P006 for two plugins of one kind and name, BEDS-C008 for options of a plugin that is not
   * there.
   */
  constructor(all: readonly RegisteredPlugin[], options: Readonly<Record<string, unknown>>) {
    this.all = Object.freeze([...all]);
    this.#options = options;
    refuseTwins(this.all);
    for (const name of Object.keys(options)) {
      if (this.all.some(({ plugin }) => plugin.name === name)) continue;
      const names = this.all.map(({ plugin }) => plugin.name);
      const detail = `plugins.options.${name}: no plugin has this name${suggestion(name, names)}`;
      throw new BedsError("BEDS-C008", { detail });
    }
  }

  names(kind: PluginKind): readonly string[] {
    return this.all.filter(({ plugin }) => plugin.kind === kind).map(({ plugin }) => plugin.name);
  }

  /**
   * Makes the product of a plugin with its configured options. Errors: BEDS-C008 when there is no
   * such plugin, BEDS-P005 or BEDS-P007 from the plugin, with its file in the detail. Called at
   * boot.
   */
  async create<K extends PluginKind>(kind: K, name: string): Promise<PluginProducts[K]> {
    const found = this.all.find(({ plugin }) => plugin.kind === kind && plugin.name === name);
    if (found === undefined || !isOfKind(found.plugin, kind)) {
      const detail = `no ${kind} plugin is called '${name}'${suggestion(name, this.names(kind))}`;
      throw new BedsError("BEDS-C008", { detail });
    }
    try {
      return await found.plugin.create(this.#options[name] ?? {});
    } catch (thrown) {
      throw inFile(found.origin, BedsError.from(thrown));
    }
  }
}

/**
 * Builds the registry out of the built-in list and the third-party files that the configuration
 * names. Paths are relative to `folder`, the configuration's own. Errors: BEDS-P001 … P006, each
 * with the file.
 */
export async function loadPlugins(
  builtIn: readonly Plugin[],
  settings: {
    readonly paths: readonly string[];
    readonly options: Readonly<Record<string, unknown>>;
  },
  folder: string,
): Promise<PluginRegistry> {
  const registered: RegisteredPlugin[] = builtIn.map((plugin) => ({ plugin, origin: "built in" }));
  if (settings.paths.length > 0) offerContract();
  for (const path of settings.paths) {
    const file = resolve(folder, path);
    registered.push({ plugin: await importPlugin(file, path), origin: path });
  }
  return new PluginRegistry(registered, settings.options);
}

/**
 * Makes `@beds/sdk` and `valibot` importable for plugin files that lie outside this program. They
 * get the very modules that the core uses, so that a plugin made with them is recognised by
 * `instanceof`.
 */
function offerContract(): void {
  Bun.plugin({
    name: "beds-sdk",
    setup(build) {
      build.module("@beds/sdk", async () => ({
        exports: { ...(await import("./contract/index.ts")) },
        loader: "object",
      }));
      build.module("valibot", async () => ({
        exports: { ...(await import("./contract/index.ts")).v },
        loader: "object",
      }));
    },
  });
}

async function importPlugin(file: string, path: string): Promise<Plugin> {
  if (!(await Bun.file(file).exists())) {
    throw new BedsError("BEDS-P001", { detail: `${path}: there is no such file` });
  }
  let exported: unknown;
  try {
    const module: { readonly default?: unknown } = await import(pathToFileURL(file).href);
    exported = module.default;
  } catch (thrown) {
    if (thrown instanceof BedsError) throw inFile(path, thrown);
    throw new BedsError("BEDS-P001", { detail: `${path}: ${String(thrown)}`, cause: thrown });
  }
  if (exported instanceof Plugin) return exported;
  throw new BedsError("BEDS-P002", {
    detail: `${path}: the default export is ${kindOf(exported)}`,
  });
}

function refuseTwins(all: readonly RegisteredPlugin[]): void {
  const seen = new Map<string, string>();
  for (const { plugin, origin } of all) {
    const key = `${plugin.kind} '${plugin.name}'`;
    const first = seen.get(key);
    if (first !== undefined) {
      throw new BedsError("BEDS-P006", { detail: `${key}: ${first} and ${origin}` });
    }
    seen.set(key, origin);
  }
}

function isOfKind<K extends PluginKind>(plugin: Plugin, kind: K): plugin is Plugin<K> {
  return plugin.kind === kind;
}

function inFile(origin: string, error: BedsError): BedsError {
  const facts = { detail: `${origin}: ${error.detail}`, hint: error.hint, cause: error };
  return new BedsError(error.code, facts);
}

function kindOf(value: unknown): string {
  if (value === undefined) return "missing";
  return value === null ? "null" : `of type ${typeof value}`;
}
