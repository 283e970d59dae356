import { join } from "node:path";
import { binary, build } from "./build.ts";
import { Node } from "./node.ts";
import { startStack } from "./stack.ts";

const root = join(import.meta.dir, "..", "..");
const once = process.argv.includes("--once");
const say = (line: string) => console.error(line);

/**
 * `npm start`: servers, build, objects, node, and two real requests, each answered through RabbitMQ by the compiled
 * program. It then keeps the node running until Ctrl-C, or ends at once with `--once`. What it started, it stops.
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
  await Promise.race([
    node.exited,
    new Promise((done) => stop.signal.addEventListener("abort", done)),
  ]);
  say("\nstart: draining the node and stopping what was started here");
  return 0;
}

/** Two requests to each database: a record is created, then read back by the key that the answer gave. */
async function showRequests(): Promise<boolean> {
  for (const { template, key } of examples) {
    const sku = `demo-${Date.now()}`;
    const record = { sku, name: "A first record", kind: "tool", price: "9.90", stock: 3 };
    const made = await call(`${template}.create`, record);
    const id = made?.result?.rows[0]?.[key];
    if (id === undefined) return false;
    if ((await call(`${template}.fetch_by_id`, { id })) === null) return false;
  }
  return true;
}

/** The templates of the example and the field that their `create` answers with. */
const examples = [
  { template: "ExampleRel", key: "exr_id" },
  { template: "ExampleRec", key: "exc_id" },
] as const;

interface Answered {
  readonly result: { readonly rows: readonly Readonly<Record<string, unknown>>[] } | null;
}

/** Sends a request as a person would, and shows what a person would see. Out: the answer; null when it failed. */
async function call(operation: string, args: object): Promise<Answered | null> {
  const words = ["call", operation, JSON.stringify(args)];
  say(`\n$ dist/beds call ${operation} '${words[2]}'`);
  const ran = Bun.spawn([binary, ...words, "--json"], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const out = await new Response(ran.stdout).text();
  console.log(out.trimEnd());
  return (await ran.exited) === 0 ? JSON.parse(out) : null;
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
