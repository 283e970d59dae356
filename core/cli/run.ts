import { runNode } from "../ipl/parent.ts";
import type { Invocation } from "./command.ts";
import { configurationWords, nodeOptions } from "./node-options.ts";

/**
 * `beds run`: the node, until it is told to drain. Its workers are this program with the hidden
 * command `worker`.
 */
export async function run(invocation: Invocation): Promise<number> {
  const { program, stop, kill } = invocation;
  const worker = [...program, "worker", ...configurationWords(invocation)];
  return await runNode(await nodeOptions(invocation), worker, stop, kill);
}
