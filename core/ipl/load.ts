import { relative, resolve } from "node:path";
import { type LoadedConfig, loadConfig } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import type { AdapterDriver } from "../contract/adapter.ts";
import type { Broker } from "../contract/broker.ts";
import { BedsError } from "../contract/errors.ts";
import { Findings } from "../contract/findings.ts";
import type { Plugin } from "../contract/plugin.ts";
import { suggestion } from "../contract/suggest.ts";
import { loadPlugins, type PluginRegistry } from "../plugins.ts";
import { readTemplates } from "../template/read.ts";
import { type BrokerFacts, checkReferences, type ReferenceFacts } from "../template/references.ts";
import type { TemplateRegistry } from "../template/registry.ts";
import { Steps } from "./steps.ts";

/** What a process is told from outside. Passed along, never global. */
export interface NodeOptions {
  /** From `--config`; undefined: the usual places. */
  readonly configFile: string | undefined;
  /** From `--set path=value`. */
  readonly flags: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly builtIn: readonly Plugin[];
}

/**
 * Everything that a node knows before it speaks to any server. Frozen for the life of the process.
 */
export interface LoadedNode {
  readonly loaded: LoadedConfig;
  readonly plugins: PluginRegistry;
  /** Every broker plugin's product by the plugin's name, whether this node runs it or not. */
  readonly brokers: ReadonlyMap<string, Broker>;
  /** The adapter driver of each configured database, by the database's name. */
  readonly drivers: ReadonlyMap<string, AdapterDriver>;
  readonly registry: TemplateRegistry;
}

/**
 * The first half of the program load: configuration, plugins, templates. Errors: `Findings` or a
 * `BedsError` of class BOOT. Called by every command that needs to know what the node is; speaks to
 * no server.
 */
export async function loadNode(options: NodeOptions): Promise<LoadedNode> {
  const steps = new Steps(() => 0);
  return await loadDomains(await loadConfiguration(options, steps), options, steps);
}

/** The first step. */
export async function loadConfiguration(
  { configFile, environment, flags }: NodeOptions,
  steps: Steps,
): Promise<LoadedConfig> {
  return await steps.run("config", async (say) => {
    const loaded = await loadConfig({ file: configFile, environment, flags });
    say(`${loaded.file}, ${loaded.environmentName}`);
    return loaded;
  });
}

/** Plugins and templates, once the configuration is known. */
export async function loadDomains(
  loaded: LoadedConfig,
  options: NodeOptions,
  steps: Steps,
): Promise<LoadedNode> {
  const { config, directory } = loaded;
  const made = await steps.run("plugins", async (say) => {
    const plugins = await loadPlugins(options.builtIn, config.plugins, directory);
    const brokers = await createBrokers(plugins);
    refuse(checkInstances(config, brokers));
    const drivers = new Map<string, AdapterDriver>();
    for (const [name, database] of Object.entries(config.databases)) {
      drivers.set(name, await plugins.create("adapter", database.adapter));
    }
    say(`${plugins.all.length} plugins`);
    return { plugins, brokers, drivers };
  });
  const registry = await steps.run("templates", async (say) => {
    const found = await readTemplates(templatesFolder(loaded));
    refuse(checkReferences(found.all, referenceFacts(made.brokers, made.drivers)));
    say(`${found.all.length} templates`);
    return found;
  });
  return { loaded, ...made, registry };
}

/** The templates' folder as a person who stands in the working folder would name it. */
export function templatesFolder({ config, directory }: LoadedConfig): string {
  const folder = resolve(directory, config.templates.path);
  const path = relative(process.cwd(), folder);
  return path === "" || path.startsWith("..") ? folder : path;
}

async function createBrokers(plugins: PluginRegistry): Promise<ReadonlyMap<string, Broker>> {
  const brokers = new Map<string, Broker>();
  for (const name of plugins.names("broker")) {
    brokers.set(name, await plugins.create("broker", name));
  }
  return brokers;
}

/** What the configuration's sections say about brokers must fit the plugins that there are. */
function checkInstances(
  config: Config,
  brokers: ReadonlyMap<string, Broker>,
): readonly BedsError[] {
  return Object.entries(config.broker_services).flatMap(([service, { brokers: counts }]) =>
    Object.keys(counts).flatMap((name) => {
      const path = `broker_services.${service}.brokers.${name}`;
      const broker = brokers.get(name);
      if (broker === undefined) {
        const detail = `${path}: no broker has this name${suggestion(name, brokers.keys())}`;
        return [new BedsError("BEDS-C008", { detail })];
      }
      if (broker.service === service) return [];
      const detail = `${path}: the broker belongs to the service ${broker.service}`;
      return [new BedsError("BEDS-C008", { detail })];
    }),
  );
}

function refuse(errors: readonly BedsError[]): void {
  if (errors.length > 0) throw new Findings(errors);
}

function referenceFacts(
  brokers: ReadonlyMap<string, Broker>,
  drivers: ReadonlyMap<string, AdapterDriver>,
): ReferenceFacts {
  const facts = ({ service, accepts, lanes }: Broker): BrokerFacts => ({
    service,
    accepts,
    classes: lanes.map((lane) => lane.class),
  });
  return {
    databases: new Map([...drivers].map(([name, driver]) => [name, driver.class])),
    brokers: new Map([...brokers].map(([name, broker]) => [name, facts(broker)])),
  };
}
