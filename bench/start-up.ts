import { join } from "node:path";
import { binary, build } from "../config/stack/build.ts";
import { Node } from "../config/stack/node.ts";
import { say } from "../config/stack/say.ts";
import { startStack } from "../config/stack/stack.ts";

const root = join(import.meta.dir, "..");

/**
 * How long the compiled program takes to start: `beds version` from exec to its end, and a node
 * from exec to the log line that says ready, with servers up. Medians in milliseconds; nothing is
 * gated, because absolute times are the machine's as much as the program's.
 */
async function main(): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const servers = await startStack({ report: say });
  stack.defer(() => servers.stop());
  await build(say);
  await run("db", "apply");
  const versions: number[] = [];
  for (let round = 0; round < 20; round++) versions.push(await run("version"));
  const nodes: number[] = [];
  for (let round = 0; round < 7; round++) nodes.push(await startNode());
  console.log(`beds version, 20 starts:     ${summary(versions)}`);
  console.log(`node ready after exec, 7:    ${summary(nodes)}`);
}

/** Out: milliseconds from exec to the end of a command. */
async function run(...words: readonly string[]): Promise<number> {
  const started = performance.now();
  const ran = Bun.spawn([binary, ...words], { cwd: root, stdio: ["ignore", "ignore", "ignore"] });
  if ((await ran.exited) !== 0) throw new Error(`beds ${words.join(" ")} failed`);
  return performance.now() - started;
}

async function startNode(): Promise<number> {
  const node = await Node.start(binary, root, AbortSignal.timeout(60_000), () => undefined);
  await node.stop();
  return node.readyMs;
}

function summary(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => (sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(1);
  return `median ${at(0.5)} ms, least ${at(0)}, most ${at(1)}`;
}

await main();
