import { expandSecrets } from "../config/secrets.ts";
import { BedsError } from "../contract/errors.ts";
import type { Config } from "../config/schema.ts";
import { aborted } from "../scheduler/aborted.ts";
import type { BudgetLimits } from "../scheduler/restart-budget.ts";
import { type StartFailure, Supervisor } from "../scheduler/supervisor.ts";
import { workerStarter } from "../scheduler/worker-process.ts";
import { localLanes, serviceNames } from "./instances.ts";
import { loadDomains, loadConfiguration, type NodeOptions } from "./load.ts";
import { openLog } from "./logging.ts";
import { type Endpoint, reach } from "./reach.ts";
import { Steps } from "./steps.ts";

/**
 * Runs a node until `stop` is aborted: loads, reaches, starts the workers, keeps them running,
 * drains them. `kill` ends it at once. `command` is the command line of a worker. Out: the exit
 * code by sysexits, 0 after a drain. Errors: what the first steps throw, before there is a log; the
 * caller shows them.
 */
export async function runNode(
  options: NodeOptions,
  command: readonly string[],
  stop: AbortSignal,
  kill: AbortSignal,
): Promise<number> {
  await using resources = new AsyncDisposableStack();
  const steps = new Steps(() => performance.now());
  const loaded = await loadConfiguration(options, steps);
  const { config, environmentName } = loaded;
  await steps.run("secrets", () => expandSecrets(config));
  const node = await loadDomains(loaded, options, steps);
  if (localLanes(config, node.brokers, 0).length === 0) throw new BedsError("BEDS-C009");
  const log = await steps.run("logging", () => openLog(node));
  resources.defer(() => log.close());
  steps.logTo(log.observe);
  await reachAll(config, environmentName === "prod", steps);
  const supervisor = new Supervisor({
    workers: config.node.workers,
    start: workerStarter(command),
    budget: budgetOf(config),
    hangMs: config.node.hang_ms,
    drainMs: config.node.drain_ms + drainGraceMs,
    now: () => performance.now(),
    observe: steps.observe,
  });
  kill.addEventListener("abort", () => supervisor.kill());
  const failure = await Promise.race([startWorkers(supervisor, steps), aborted(stop)]);
  if (failure) {
    supervisor.kill();
    await supervisor.drain();
    return failure.exitCode;
  }
  await aborted(stop);
  await supervisor.drain();
  return 0;
}

/** Out: null once every worker consumes, or why the node never became ready, which is logged. */
async function startWorkers(supervisor: Supervisor, steps: Steps): Promise<StartFailure | null> {
  const started = supervisor.start();
  try {
    await steps.run("workers", async () => {
      const failure = await started;
      if (failure !== null) throw failure.error;
    });
  } catch (thrown) {
    const error = BedsError.from(thrown);
    steps.observe({ kind: "problem", severity: "error", during: "start", error });
  }
  return await started;
}

/** A worker's own limit comes first; this is for one that does not keep it. */
const drainGraceMs = 2000;

/** Opens and closes a connection to every server that the node needs; all at once. */
async function reachAll(config: Config, isFatal: boolean, steps: Steps): Promise<void> {
  try {
    await steps.run("reach", async (say) => {
      const endpoints = endpointsOf(config).filter(({ isNeeded }) => isNeeded);
      await Promise.all(endpoints.map(reach));
      say(endpoints.map(({ name }) => name).join(", "));
    });
  } catch (thrown) {
    if (isFatal) throw thrown;
    steps.skip("reach", BedsError.from(thrown));
  }
}

/**
 * Every server that the configuration names for this node; a node can start without those that it
 * only may use.
 */
export function endpointsOf(config: Config): readonly Endpoint[] {
  const services = serviceNames.flatMap((name): Endpoint[] => {
    const {
      is_local: isLocal,
      host,
      port,
      connect_timeout_ms: timeoutMs,
    } = config.broker_services[name];
    const endpoint = { name: `rabbitmq ${name}`, host, port, timeoutMs, isNeeded: true };
    return isLocal ? [{ ...endpoint, code: "BEDS-Q001" }] : [];
  });
  const databases = Object.entries(config.databases).flatMap(([name, section]): Endpoint[] => {
    const { master, secondary, connect_timeout_ms: timeoutMs } = section;
    const servers = secondary === undefined ? { master } : { master, secondary };
    return Object.entries(servers).map(([role, { host, port }]) => {
      const isNeeded = role === "master";
      const endpoint = { name: `database ${name} ${role}`, host, port, timeoutMs, isNeeded };
      return { ...endpoint, code: "BEDS-D001" };
    });
  });
  return [...services, ...databases];
}

function budgetOf(config: Config): BudgetLimits {
  const { restarts, per_ms: perMs, slow_ms: slowMs } = config.node.restart_budget;
  return { restarts, perMs, slowMs };
}
