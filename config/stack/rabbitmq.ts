/**
 * RabbitMQ: Debian's package, run unprivileged from its real scripts (the ones in /usr/sbin
 * change user and use the system's data). Accounts come from a definitions file that the server
 * imports at every start, so that a deleted account is back after a restart. There is no guest:
 * RabbitMQ makes none when it imports definitions.
 */
import { AMQPClient } from "@cloudamqp/amqp-client";
import { chmodSync, existsSync, globSync, mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { StackError } from "./failure.ts";
import { HOST, type Layout } from "./layout.ts";
import type { Packages } from "./package.ts";
import { isListening, requireFreePort } from "./port.ts";
import {
  isAlive,
  launchDetached,
  type Mark,
  markedEnvironment,
  markedProcess,
  sendSignal,
} from "./process.ts";
import { rabbitDefinitions, VHOST } from "./rabbitmq-account.ts";
import { findProgram, run } from "./run.ts";
import { type Account, secret, storedRandom } from "./secret.ts";
import type { Recipe } from "./server.ts";
import { waitUntil, within } from "./wait.ts";

const LABEL = "rabbitmq";
const HANDSHAKE_LIMIT_MS = 3000;
const EPMD_LIMIT_MS = 5000;

/** RabbitMQ's own scripts, wherever the package or tarball put them; the newest first. */
const SCRIPT_PLACES = [
  "/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin",
  "/usr/local/lib/rabbitmq/lib/rabbitmq_server-*/sbin",
  "/opt/rabbitmq/sbin",
  "/opt/rabbitmq_server-*/sbin",
];

export function rabbitmqRecipe(
  layout: Layout,
  packages: Packages,
  report: (line: string) => void,
): Recipe {
  const { ports } = layout;
  return {
    name: "rabbitmq",
    label: LABEL,
    port: ports.amqp,
    otherPorts: [ports.distribution],
    program: /beam|rabbitmq-server/,
    async install() {
      if (!findScripts() || !findEpmd()) await packages.apt("rabbitmq-server");
      if (!findScripts()) throw new StackError("rabbitmq-server is installed, its scripts are not");
    },
    async makeData() {
      // RabbitMQ fills the folder at its first start.
    },
    async command(folder) {
      await startEpmd(layout, report);
      writeConfiguration(layout);
      return {
        argv: [script("rabbitmq-server")],
        env: serverEnvironment(layout, folder),
      };
    },
    async provision() {
      if (await rabbitReady(layout)) return;
      // It has just opened its port, or somebody deleted an account while it ran.
      if (await waitUntil(() => rabbitReady(layout), 1000)) return;
      await importDefinitions(layout);
    },
    ready: () => rabbitReady(layout),
    afterStop: () => stopEpmd(layout),
  };
}

/** Logs in as each account; true when all of them are served. */
async function rabbitReady(layout: Layout): Promise<boolean> {
  const accounts: readonly Account[] = ["beds_run", "app1", "app2", "beds_test"];
  const answers = await Promise.all(accounts.map((account) => canConnect(layout, account)));
  return answers.every(Boolean);
}

async function canConnect(layout: Layout, account: Account): Promise<boolean> {
  const password = secret(layout, account);
  const url = `amqp://${account}:${password}@${HOST}:${layout.ports.amqp}/${VHOST}`;
  const handshake = async (): Promise<boolean> => {
    const connection = await new AMQPClient(url).connect();
    await connection.close();
    return true;
  };
  return await within(handshake(), HANDSHAKE_LIMIT_MS, false);
}

function writeConfiguration(layout: Layout): void {
  const folder = configFolder(layout);
  mkdirSync(join(folder, "home"), { recursive: true, mode: 0o700 });
  const definitions = writeDefinitions(layout);
  writeFileSync(join(folder, "enabled_plugins"), "[].\n");
  const lines = [
    `listeners.tcp.1 = ${HOST}:${layout.ports.amqp}`,
    `load_definitions = ${definitions}`,
    "heartbeat = 30",
    "channel_max = 2047",
    "disk_free_limit.absolute = 500MB",
    "vm_memory_high_watermark.relative = 0.2",
    // The default of 512 MB a segment suits a machine that RabbitMQ has for itself.
    "raft.wal_max_size_bytes = 64000000",
    "log.file = rabbitmq-server.log",
    "log.file.level = info",
    "log.file.rotation.size = 10485760",
    "log.file.rotation.count = 2",
    "log.console = false",
  ];
  writeFileSync(join(folder, "rabbitmq.conf"), `${lines.join("\n")}\n`);
  const cookie = join(folder, "home", ".erlang.cookie");
  if (!existsSync(cookie)) storedRandom(cookie);
  chmodSync(cookie, 0o400);
}

function writeDefinitions(layout: Layout): string {
  const file = join(configFolder(layout), "definitions.json");
  const text = JSON.stringify(rabbitDefinitions(layout), null, 2);
  writeFileSync(file, `${text}\n`, { mode: 0o600 });
  return file;
}

/** Shared by the server and its command-line tools. */
function nodeEnvironment(layout: Layout): Record<string, string> {
  return {
    HOME: join(configFolder(layout), "home"),
    RABBITMQ_NODENAME: "beds@localhost",
    RABBITMQ_CONF_ENV_FILE: "/dev/null",
    ERL_EPMD_PORT: String(layout.ports.epmd),
    ERL_EPMD_ADDRESS: HOST,
  };
}

function serverEnvironment(layout: Layout, folder: string): Record<string, string> {
  const config = configFolder(layout);
  return {
    ...nodeEnvironment(layout),
    RABBITMQ_CONFIG_FILE: join(config, "rabbitmq.conf"),
    RABBITMQ_ADVANCED_CONFIG_FILE: join(config, "advanced.config"),
    RABBITMQ_GENERATED_CONFIG_DIR: join(config, "generated"),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(config, "enabled_plugins"),
    RABBITMQ_MNESIA_BASE: folder,
    RABBITMQ_LOG_BASE: join(layout.home, "logs", "rabbitmq"),
    RABBITMQ_PID_FILE: join(config, "beam.pid"),
    RABBITMQ_DIST_PORT: String(layout.ports.distribution),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: "-kernel inet_dist_use_interface {127,0,0,1}",
    // The script then becomes the Erlang machine instead of waiting for it as a shell, so the
    // process that is started is the server itself.
    RUNNING_UNDER_SYSTEMD: "true",
  };
}

async function importDefinitions(layout: Layout): Promise<void> {
  const file = writeDefinitions(layout);
  const env = { ...nodeEnvironment(layout), ...markedEnvironment({ ...layout, server: "tool" }) };
  const result = await run([script("rabbitmqctl"), "import_definitions", file], { env });
  if (result.code !== 0) throw new StackError(`rabbitmqctl failed: ${result.output.trim()}`);
}

/**
 * The name service of the Erlang node, on a port of its own. It is started here because the node
 * would otherwise start one that is nobody's child and that nobody ends.
 */
async function startEpmd(layout: Layout, report: (line: string) => void): Promise<void> {
  if (markedProcess(epmdMark(layout), epmdPidFile(layout)) !== null) return;
  await requireFreePort(layout.ports.epmd, "epmd (RabbitMQ)", report);
  const program = findEpmd();
  if (!program) throw new StackError("epmd is not there although rabbitmq-server is installed");
  const argv = [program, "-port", String(layout.ports.epmd), "-address", HOST];
  const log = join(layout.home, "logs", "epmd.log");
  const pid = launchDetached(epmdMark(layout), { argv, env: {} }, log, epmdPidFile(layout));
  await waitUntil(() => !isAlive(pid) || isListening(layout.ports.epmd), EPMD_LIMIT_MS);
}

async function stopEpmd(layout: Layout): Promise<void> {
  const pid = markedProcess(epmdMark(layout), epmdPidFile(layout));
  if (pid === null) return;
  sendSignal(pid, "SIGTERM");
  if (!(await waitUntil(() => !isAlive(pid), EPMD_LIMIT_MS))) sendSignal(pid, "SIGKILL");
}

function epmdMark(layout: Layout): Mark {
  return { home: layout.home, server: "epmd", program: /epmd/ };
}

function epmdPidFile(layout: Layout): string {
  return join(layout.home, "run", "epmd.pid");
}

function configFolder(layout: Layout): string {
  return join(layout.home, "etc", "rabbitmq");
}

function script(name: string): string {
  const folder = findScripts();
  if (!folder) throw new StackError("RabbitMQ's scripts are not there");
  return join(folder, name);
}

function findScripts(): string | null {
  const onPath = findProgram("rabbitmq-server");
  // A link into a tarball's sbin is the real script; the packages' wrapper is not.
  const folders = [
    ...SCRIPT_PLACES.flatMap((place) => globSync(place).toSorted().toReversed()),
    ...(onPath ? [dirname(realpathSync(onPath))] : []),
  ];
  return folders.find((folder) => existsSync(join(folder, "rabbitmq-defaults"))) ?? null;
}

function findEpmd(): string | null {
  return findProgram("epmd", ...globSync("/usr/lib/erlang/erts-*/bin/epmd"));
}
