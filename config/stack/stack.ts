/**
 * The private local servers of one checkout: RabbitMQ, MariaDB (primary and secondary), MongoDB.
 *
 * As a library: `startStack` for tests, the demo and benchmarks. As a program:
 * `stack.ts start|stop|status|destroy`. What is running stays running until `stop`; a second
 * start finds it in well under a second. `BEDS_STACK=external` starts nothing, for those who have
 * servers of their own (`compose.yaml`, another machine).
 */
import { rmSync } from "node:fs";
import { writeContainerFiles } from "./container.ts";
import { removeEnvironment, writeEnvironment } from "./environment.ts";
import { messageOf, StackError } from "./failure.ts";
import { checkoutLayout, HOST, type Layout, makeFolders, rememberedPortBase } from "./layout.ts";
import { withLock } from "./lock.ts";
import { mariadbRecipe, mariadbSecondaryRecipe } from "./mariadb.ts";
import { mongodbRecipe } from "./mongodb.ts";
import { Packages } from "./package.ts";
import { rabbitmqRecipe } from "./rabbitmq.ts";
import { makeSecrets } from "./secret.ts";
import { type LocalServer, ManagedServer, type ServerName } from "./server.ts";
import { stopwatch } from "./wait.ts";

export type { LocalServer, ServerName } from "./server.ts";

export interface LocalStack {
  /** By name; empty when the servers are external. */
  readonly servers: ReadonlyMap<string, LocalServer>;
  /** The names of those that were not running before. */
  readonly startedHere: readonly string[];
  /** Why a server is not there, by name; only with `partial`. */
  readonly missing: ReadonlyMap<string, string>;
  /** Stops only what this call started. */
  stop(): Promise<void>;
}

export interface StackOptions {
  /** Takes one short progress line at a time, without a line end. */
  report(line: string): void;
  /** Go on with the servers that can be had, instead of failing when one cannot. */
  readonly partial?: boolean;
}

export interface ServerStatus {
  readonly name: ServerName;
  readonly host: string;
  readonly port: number;
  readonly pid: number | null;
  readonly ready: boolean;
}

/**
 * Brings up all servers, installing what is missing, and writes `config/env_dev.toml`.
 * Throws a `StackError` that names each server that could not be started; the others stay up.
 */
export async function startStack(options: StackOptions): Promise<LocalStack> {
  const layout = checkoutLayout();
  const { report } = options;
  if (process.env["BEDS_STACK"] === "external") {
    makeFolders(layout);
    makeSecrets(layout);
    writeContainerFiles(layout);
    writeEnvironment(layout);
    report("stack: BEDS_STACK=external, so nothing is started here");
    return { servers: new Map(), startedHere: [], missing: new Map(), async stop() {} };
  }
  requireLinux();
  return await withLock(layout, report, () => start(layout, options));
}

/** Stops every server of this checkout. */
export async function stopStack(options: StackOptions): Promise<void> {
  const layout = runningLayout();
  await withLock(layout, options.report, () => stop(layout, options));
}

/** Stops every server and removes their data, logs, passwords and the written configuration. */
export async function destroyStack(options: StackOptions): Promise<void> {
  const layout = runningLayout();
  await withLock(layout, options.report, async () => {
    await stop(layout, options);
    rmSync(layout.home, { recursive: true, force: true });
    removeEnvironment(layout);
  });
  options.report("stack: removed");
}

/** What runs now. */
export async function stackStatus(): Promise<readonly ServerStatus[]> {
  const servers = managedServers(runningLayout(), () => {});
  return await Promise.all(
    servers.map(async (server) => ({
      name: server.name,
      host: HOST,
      port: server.port,
      pid: server.pid(),
      ready: await server.ready(),
    })),
  );
}

async function start(layout: Layout, options: StackOptions): Promise<LocalStack> {
  const clock = stopwatch();
  const { report } = options;
  requireSamePorts(layout);
  makeFolders(layout);
  makeSecrets(layout);
  const servers = managedServers(layout, report);
  const startedHere: ManagedServer[] = [];
  const missing = new Map<string, string>();
  const bringUp = async (server: ManagedServer): Promise<void> => {
    try {
      if (await server.bringUp()) startedHere.push(server);
    } catch (cause) {
      missing.set(server.name, messageOf(cause));
      if (options.partial) report(`stack: without ${server.name}: ${messageOf(cause)}`);
    }
  };
  const [rabbitmq, mariadb, secondary, mongodb] = servers;
  await Promise.all([
    bringUp(rabbitmq),
    bringUp(mariadb).then(async () => {
      // The secondary has its data and accounts from the primary.
      const reason = missing.get(mariadb.name);
      if (reason === undefined) await bringUp(secondary);
      else missing.set(secondary.name, "it needs the primary");
    }),
    bringUp(mongodb),
  ]);
  writeEnvironment(layout);
  if (missing.size > 0 && !options.partial) {
    const reasons = [...missing].map(([name, reason]) => `${name}: ${reason}`);
    throw new StackError(`the stack is not complete\n${reasons.join("\n")}`);
  }
  if (startedHere.length > 0) report(`stack: ready (${clock()})`);
  return {
    servers: new Map(servers.filter((s) => !missing.has(s.name)).map((s) => [s.name, s])),
    startedHere: startedHere.map((server) => server.name),
    missing,
    async stop() {
      await withLock(layout, report, async () => {
        await Promise.all(startedHere.splice(0).map((server) => server.bringDown()));
      });
    },
  };
}

async function stop(layout: Layout, options: StackOptions): Promise<void> {
  const servers = managedServers(layout, options.report);
  const running = servers.filter((server) => server.pid() !== null);
  if (running.length === 0) options.report("stack: nothing is running");
  await Promise.all(servers.map((server) => server.bringDown()));
}

function managedServers(
  layout: Layout,
  report: (line: string) => void,
): [ManagedServer, ManagedServer, ManagedServer, ManagedServer] {
  const packages = new Packages(layout, report);
  return [
    new ManagedServer(layout, rabbitmqRecipe(layout, packages, report), report),
    new ManagedServer(layout, mariadbRecipe(layout, packages), report),
    new ManagedServer(layout, mariadbSecondaryRecipe(layout, packages), report),
    new ManagedServer(layout, mongodbRecipe(layout, packages), report),
  ];
}

/** The layout of what may be running: the ports of the last start, whatever is asked for now. */
function runningLayout(): Layout {
  return checkoutLayout({});
}

/** Other ports than the running servers' would leave them behind, out of reach. */
function requireSamePorts(layout: Layout): void {
  const before = rememberedPortBase(layout.home);
  if (before === null || before === layout.portBase) return;
  const running = managedServers(runningLayout(), () => {}).filter((s) => s.pid() !== null);
  if (running.length === 0) return;
  throw new StackError(
    `this checkout's stack runs with port base ${before}, not ${layout.portBase}; ` +
      "stop it first: npm run stack -- stop",
  );
}

function requireLinux(): void {
  if (process.platform === "linux") return;
  throw new StackError(
    "the local servers are made for Linux; elsewhere use config/stack/compose.yaml " +
      "with BEDS_STACK=external",
  );
}

if (import.meta.main) {
  const { runCommand } = await import("./command.ts");
  process.exitCode = await runCommand(process.argv.slice(2));
}
