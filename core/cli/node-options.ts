import type { NodeOptions } from "../ipl/load.ts";
import type { Invocation } from "./command.ts";

/**
 * What the command line says about the node, for `core/ipl`. Errors: BEDS-U003 for a `--set`
 * without `=`.
 */
export async function nodeOptions({
  options,
  environment,
  builtIn,
}: Invocation): Promise<NodeOptions> {
  return {
    configFile: options.value("config"),
    flags: options.pairs("set"),
    environment,
    builtIn: await builtIn(),
  };
}

/** The same options as words of a command line, for the workers that a node starts. */
export function configurationWords({ options }: Invocation): readonly string[] {
  const file = options.value("config");
  const named = file === undefined ? [] : [`--config=${file}`];
  return [...named, ...options.all("set").map((pair) => `--set=${pair}`)];
}
