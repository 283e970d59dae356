import { readFile } from "node:fs/promises";
import { openConnection } from "../amqp/index.ts";
import type { LoadedConfig } from "../config/load.ts";
import type { BrokerServiceName } from "../config/schema.ts";
import { expandSecrets } from "../config/secrets.ts";
import type { AdapterDriver } from "../contract/adapter.ts";
import { BedsError } from "../contract/errors.ts";
import { Findings } from "../contract/findings.ts";
import { loadPlugins } from "../plugins.ts";
import { checkNode } from "./check.ts";
import { databaseTarget } from "./database.ts";
import { localLanes, serviceNames } from "./instances.ts";
import { loadConfiguration, loadDomains, type LoadedNode, type NodeOptions } from "./load.ts";
import { endpointsOf } from "./parent.ts";
import { type Account, connectionOptions } from "./rabbitmq.ts";
import { type Endpoint, reach } from "./reach.ts";
import { Steps } from "./steps.ts";

/** What was found out about one concern. */
export interface Examination {
  /** `database app master login` */
  readonly concern: string;
  readonly outcome: "pass" | "fail" | "skip";
  readonly ms: number;
  /** What was found, or why nothing was looked at. */
  readonly detail: string;
  /** Empty unless it failed. Each error's hint is its remedy. */
  readonly errors: readonly BedsError[];
}

/**
 * Tests everything that a node needs, one concern after the other, each yielded as soon as it is
 * known. Never throws for what it finds. What another concern's failure makes impossible is skipped
 * and says so. Servers are asked all at once, so that those that are down do not add up. Called by
 * `beds doctor`.
 */
export async function* examineNode(
  options: NodeOptions,
  signal: AbortSignal,
): AsyncGenerator<Examination> {
  let loaded: LoadedConfig | undefined;
  yield await examine("configuration", async () => {
    loaded = await loadConfiguration(options, quietSteps());
    return `${loaded.file}, ${loaded.environmentName}`;
  });
  if (loaded === undefined) {
    yield skipped("everything else", "there is no configuration to go by");
    return;
  }
  const { config } = loaded;
  yield await examine("secrets", async () => {
    expandSecrets(config);
    return "the node's are readable";
  });
  yield* examineDomains(loaded, options, signal);
  yield logExamination(options.environment);
}

async function* examineDomains(
  loaded: LoadedConfig,
  options: NodeOptions,
  signal: AbortSignal,
): AsyncGenerator<Examination> {
  const drivers = new Map<string, AdapterDriver>();
  const plugins = await examine("plugins", async () => {
    const found = await loadPlugins(options.builtIn, loaded.config.plugins, loaded.directory);
    for (const [name, { adapter }] of Object.entries(loaded.config.databases)) {
      drivers.set(name, await found.create("adapter", adapter));
    }
    return `${found.all.length} plugins`;
  });
  yield plugins;
  let node: LoadedNode | undefined;
  if (plugins.outcome === "pass") {
    yield await examine("templates", async () => {
      node = await loadDomains(loaded, options, quietSteps());
      return `${node.registry.all.length} templates`;
    });
  } else {
    yield skipped("templates", "the plugins must be right first");
  }
  const asked = [
    ...endpointsOf(loaded.config).map(examineReach),
    ...examineServices(loaded, signal),
    ...examineDatabases(loaded, drivers, signal),
  ];
  const silent = new Set<string>();
  for (const asking of asked) {
    const examination = await asking;
    if (examination.outcome !== "pass") silent.add(examination.concern);
    yield examination;
  }
  if (node === undefined) {
    yield skipped("objects and grants", "the templates must be right first");
    yield skipped("open files", "the templates must be right first");
    return;
  }
  const answering = [...drivers].filter(([name]) => !silent.has(loginConcern(name, "master")));
  yield await examineDrift({ ...node, drivers: new Map(answering) }, drivers.size, signal);
  yield await examineOpenFiles(node);
}

/** RabbitMQ of every local service, and of the client's: that it lets the accounts in. */
function examineServices(loaded: LoadedConfig, signal: AbortSignal): Promise<Examination>[] {
  const { client, broker_services: services } = loaded.config;
  const local = serviceNames.filter((name) => services[name].is_local);
  const examinations = local.map((service) => {
    return loggedIn(`rabbitmq ${service} login`, loaded, service, services[service], signal);
  });
  const service = serviceNames.find((name) => name === client.service);
  const concern = "rabbitmq client login";
  if (client.user === "" || service === undefined) {
    const reason = service === undefined ? `no service '${client.service}'` : "no [client] account";
    return [...examinations, Promise.resolve(skipped(concern, reason))];
  }
  return [...examinations, loggedIn(concern, loaded, service, client, signal)];
}

function loggedIn(
  concern: string,
  loaded: LoadedConfig,
  service: BrokerServiceName,
  account: Account,
  signal: AbortSignal,
): Promise<Examination> {
  return examine(concern, async () => {
    const options = connectionOptions(loaded, service, "doctor", account);
    const connection = await openConnection(options, signal);
    await connection.close();
    return `${account.user} at ${connection.place}`;
  });
}

const roles = ["master", "secondary", "dba"] as const;

/**
 * Logs in to every server of every database, and to the master with the DBA's account where it is
 * configured.
 */
function examineDatabases(
  { config }: LoadedConfig,
  drivers: ReadonlyMap<string, AdapterDriver>,
  signal: AbortSignal,
): Promise<Examination>[] {
  return Object.entries(config.databases).flatMap(([name, section]) => {
    const configured = roles.filter((role) => section[role] !== undefined);
    return configured.map((role) => {
      const concern = loginConcern(name, role);
      const driver = drivers.get(name);
      if (driver === undefined) return Promise.resolve(skipped(concern, "it has no adapter"));
      return examine(concern, async () => {
        const target = databaseTarget(config, name, { connections: 1, dba: role === "dba" });
        const server = target[role] ?? target.master;
        const adapter = driver.open({ ...target, master: server, secondary: null });
        try {
          await adapter.check(signal);
        } finally {
          await adapter.close();
        }
        return `${server.user} at ${server.host}:${server.port}`;
      });
    });
  });
}

function loginConcern(database: string, role: (typeof roles)[number]): string {
  return `database ${database} ${role} login`;
}

function examineReach(endpoint: Endpoint): Promise<Examination> {
  return examine(endpoint.name, async () => {
    await reach(endpoint);
    return `${endpoint.host}:${endpoint.port} answers`;
  });
}

/**
 * In: the node with those databases that answer, since asking the others again would only take
 * their time limits once more, and how many databases there are.
 */
async function examineDrift(
  node: LoadedNode,
  databases: number,
  signal: AbortSignal,
): Promise<Examination> {
  const examination = await examine("objects and grants", async () => {
    const errors = await checkNode(node, { offline: false }, signal);
    if (errors.length > 0) throw new Findings(errors);
    return `templates and ${node.drivers.size} databases agree`;
  });
  if (node.drivers.size === databases || examination.outcome === "fail") return examination;
  return skipped(examination.concern, "a database does not answer");
}

/**
 * What a worker has open besides its connections: standard streams, sockets to its parent,
 * libraries, logs.
 */
const otherFiles = 64;

function examineOpenFiles({ loaded, brokers }: LoadedNode): Promise<Examination> {
  return examine("open files", async () => {
    const limits = await readFile("/proc/self/limits", "utf8").catch(() => "");
    const allowed = /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1];
    if (allowed === undefined) return "the limit is not known on this system";
    const instances = localLanes(loaded.config, brokers, 0).reduce(
      (sum, lane) => sum + lane.instances,
      0,
    );
    const needed = otherFiles + 2 * instances;
    const detail = `a worker needs about ${needed}, the limit is ${allowed}`;
    if (allowed === "unlimited" || Number(allowed) >= needed) return detail;
    const hint = "raise it: LimitNOFILE= under systemd, `ulimit -n` in a shell";
    throw new BedsError("BEDS-N005", { detail, hint });
  });
}

/** Where the log goes, which surprises people more often than it should. */
function logExamination(environment: NodeOptions["environment"]): Examination {
  const hasJournal = (environment["JOURNAL_STREAM"] ?? "") !== "";
  const detail = hasJournal
    ? "standard error is the systemd journal"
    : "standard error, no journal";
  return { concern: "log", outcome: "pass", ms: 0, detail, errors: [] };
}

async function examine(concern: string, work: () => Promise<string>): Promise<Examination> {
  const started = performance.now();
  try {
    const detail = await work();
    return { concern, outcome: "pass", ms: performance.now() - started, detail, errors: [] };
  } catch (thrown) {
    const errors = thrown instanceof Findings ? thrown.errors : [BedsError.from(thrown)];
    const detail = errors.length === 1 ? "" : `${errors.length} findings`;
    return { concern, outcome: "fail", ms: performance.now() - started, detail, errors };
  }
}

function skipped(concern: string, detail: string): Examination {
  return { concern, outcome: "skip", ms: 0, detail, errors: [] };
}

function quietSteps(): Steps {
  return new Steps(() => performance.now());
}
