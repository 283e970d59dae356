import { join } from "node:path";
import { binary, build } from "./build.ts";
import { Node } from "./node.ts";
import { say } from "./say.ts";
import { startStack } from "./stack.ts";

const root = join(import.meta.dir, "..", "..");
const once = process.argv.includes("--once");

/**
 * `npm start`: servers, build, objects, node, and two real requests, each answered through RabbitMQ
 * by the compiled program. It then keeps the node running until Ctrl-C, or ends at once with
 * `--once`. What it started, it stops.
 */
async function main(): Promise<number> {
  const stop = new AbortController();
  process.on("SIGINT", () => stop.abort());
  process.on("SIGTERM", () => stop.abort());
  await using cleanup = new AsyncDisposableStack();
  const servers = await startStack({ report: say });
  cleanup.defer(() => servers.stop());
  if (stop.signal.aborted) return 130;
  await build(say);
  if (!(await beds("db", "apply"))) return 1;
  const pretty = ["--set", 'plugins.options.console.format="pretty"'];
  const node = await Node.start(binary, root, stop.signal, say, pretty);
  cleanup.defer(async () => void (await node.stop()));
  say(`node: ready ${node.readyMs.toFixed(0)} ms after exec`);
  if (!(await showRequests())) return 1;
  if (once || stop.signal.aborted) return 0;
  say(whatNext);
  const stopped = new Promise<null>((done) => {
    stop.signal.addEventListener("abort", () => done(null));
  });
  const died = await Promise.race([node.exited, stopped]);
  if (died !== null) {
    say(`start: the node ended by itself with exit code ${died}; its last lines stand above`);
    return died === 0 ? 1 : died;
  }
  say("\nstart: draining the node and stopping what was started here");
  return 0;
}

/** Two requests to each database: a record is created, then read back by its key. */
async function showRequests(): Promise<boolean> {
  const record = { name: "A first record", kind: "tool", price: "9.90", stock: 3 };
  const sku = `demo-${Date.now()}`;
  const made = await call("ExampleRel.create", { sku, ...record });
  const id = made?.result?.rows[0]?.["exr_id"];
  if (id === undefined || (await call("ExampleRel.fetch_by_id", { id })) === null) return false;
  // In MongoDB the caller chooses key and time, because a command has no expressions of its own.
  const key = { id: Bun.randomUUIDv7(), created_at: new Date().toISOString() };
  if ((await call("ExampleRec.create", { ...key, sku, ...record })) === null) return false;
  return (await call("ExampleRec.fetch_by_id", { id: key.id })) !== null;
}

/** As much of an answer (wiki/Wire-Protocol.md) as is shown. */
interface Answered {
  readonly event_id: string;
  readonly parent_id: string;
  readonly result: { readonly rows: readonly Readonly<Record<string, unknown>>[] } | null;
  readonly timing: { readonly queue_ms: number; readonly exec_ms: number };
}

/**
 * Sends a request as a person would and shows its answer. Out: the answer; null when it failed,
 * which was shown.
 */
async function call(operation: string, args: object): Promise<Answered | null> {
  const data = JSON.stringify(args);
  say(`\n$ dist/beds call ${operation} '${data}'`);
  const started = performance.now();
  const ran = Bun.spawn([binary, "call", operation, data, "--json"], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const out = await new Response(ran.stdout).text();
  if ((await ran.exited) !== 0) {
    console.log(out.trimEnd());
    return null;
  }
  const answer: Answered = JSON.parse(out);
  for (const row of answer.result?.rows ?? []) console.log(JSON.stringify(row));
  const { queue_ms: queueMs, exec_ms: execMs } = answer.timing;
  const allMs = (performance.now() - started).toFixed(0);
  say(`request ${answer.parent_id}\nanswer  ${answer.event_id}`);
  say(
    `${execMs} ms in the database, ${queueMs} ms on the way, ${allMs} ms with the command's start`,
  );
  return answer;
}

const whatNext = `
The node keeps running. In another terminal, try:
  dist/beds list ops                      what can be called
  dist/beds check                         compare templates with the databases
  dist/beds doctor                        one line for every concern
  wiki/Tutorial.md                        add a domain of your own with one file
Ctrl-C drains the node and stops the servers that were started here.`;

/** Runs a command of the compiled program with its output shown. Out: whether it succeeded. */
async function beds(...words: readonly string[]): Promise<boolean> {
  const ran = Bun.spawn([binary, ...words], { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  return (await ran.exited) === 0;
}

process.exitCode = await main();
