import { expandSecrets } from "../config/secrets.ts";
import { BedsError } from "../contract/errors.ts";
import { Findings } from "../contract/findings.ts";
import { linkToParent } from "../scheduler/parent-link.ts";
import { exitCodeFor, exitCodes } from "./exit-code.ts";
import { loadNode, type NodeOptions } from "./load.ts";
import { openLog } from "./logging.ts";
import { Serving } from "./serving.ts";
import { Steps } from "./steps.ts";

/**
 * One worker process from its start to its end: loads what the parent has checked already, brings
 * up its databases and its RabbitMQ, serves until the parent says drain or is gone. Out: the exit
 * code.
 */
export async function runWorker(options: NodeOptions, index: number): Promise<number> {
  await using resources = new AsyncDisposableStack();
  const node = await loadNode(options);
  const { config } = node.loaded;
  const end = Promise.withResolvers<"drain" | "orphaned">();
  const parent = resources.use(
    linkToParent({
      beatMs: config.node.heartbeat_ms,
      onDrain: () => end.resolve("drain"),
      onOrphaned: () => end.resolve("orphaned"),
    }),
  );
  expandSecrets(config);
  const log = await openLog(node, index);
  resources.defer(() => log.close());
  const steps = new Steps(() => performance.now());
  steps.logTo(log.observe);
  const tellReady = (lacks: readonly string[]) => parent.tell({ type: "ready", lacks });
  const serving = new Serving(node, index, steps, tellReady);
  resources.defer(() => serving.close());
  try {
    const started = serving.start();
    // What a worker that is told to end while it starts still meets, nobody need know.
    started.catch(() => undefined);
    const ended = await Promise.race([started.then(() => null), end.promise]);
    if (ended !== null) return exitCodes.ok;
  } catch (thrown) {
    const [error = BedsError.from(thrown)] = thrown instanceof Findings ? thrown.errors : [];
    log.observe({ kind: "problem", severity: "error", during: `worker ${index}`, error });
    const { code, detail } = error;
    parent.tell({ type: "failed", code, detail, exitCode: exitCodeFor(error) });
    return exitCodeFor(error);
  }
  const reason = await end.promise;
  if (reason === "orphaned") {
    const detail = "the parent is gone; draining";
    const { pid } = process;
    log.observe({ kind: "worker", worker: index, pid, change: "orphaned", detail });
  }
  const unfinished = await serving.drain(AbortSignal.timeout(config.node.drain_ms));
  parent.tell({ type: "drained", unfinished });
  return exitCodes.ok;
}
