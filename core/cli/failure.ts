import { exitCodeFor } from "../ipl/exit-code.ts";
import { errorJson, errorsOf, renderError } from "../observe/error-text.ts";
import type { Output } from "./output.ts";

/** Shows what made a command fail, each error in turn. Out: the exit code of the first. */
export function reportFailure(thrown: unknown, output: Output): number {
  if (output.json) output.document({ errors: errorJson(thrown) });
  else output.say(renderError(thrown, { color: output.colorsMessages }));
  return exitCodeFor(errorsOf(thrown)[0]);
}
