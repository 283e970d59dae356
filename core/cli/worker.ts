import { BedsError } from "../contract/errors.ts";
import { runWorker } from "../ipl/worker.ts";
import type { Invocation } from "./command.ts";
import { nodeOptions } from "./node-options.ts";

/**
 * `beds worker --index n`: one worker process. Errors: BEDS-U003 when it is not told which worker
 * it is.
 */
export async function worker(invocation: Invocation): Promise<number> {
  const index = invocation.options.integer("index", { min: 0, max: 4096 });
  if (index === undefined) {
    throw new BedsError("BEDS-U003", {
      detail: "beds worker wants --index <n>",
      hint: "start the node with `beds run`, which starts its workers",
    });
  }
  return await runWorker(await nodeOptions(invocation), index);
}
