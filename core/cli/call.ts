import { BedsError, type ErrorCode, findCatalogueEntry } from "../contract/errors.ts";
import type { Answer, AnswerError } from "../contract/message.ts";
import { callOperation, type CallOutcome } from "../ipl/call.ts";
import { exitCodeOf, exitCodes } from "../ipl/exit-code.ts";
import { renderError } from "../observe/error-text.ts";
import { readArguments, readMeta } from "./call-arguments.ts";
import type { Invocation } from "./command.ts";
import { counted } from "./counted.ts";
import { nodeOptions } from "./node-options.ts";
import type { Output } from "./output.ts";

/**
 * `beds call <Template.operation>`: one request, and its answer. Out: 0, or a code by the class of
 * the error.
 */
export async function call(invocation: Invocation): Promise<number> {
  const { words, options, output, stop } = invocation;
  const [name = "", json] = words;
  const { template, op } = readName(name);
  const request = {
    template,
    op,
    args: await readArguments(json, options.value("data")),
    meta: readMeta(options.pairs("meta")),
    timeoutMs: options.integer("timeout", { min: 1, max: 3_600_000 }),
    routingKey: options.value("key"),
  };
  const outcome = await callOperation(await nodeOptions(invocation), request, stop);
  const { answer } = outcome;
  if (output.json) output.document(answer);
  else showOutcome(outcome, output);
  return answer.error === null ? exitCodes.ok : exitCodeOf(answer.error);
}

function readName(name: string): { readonly template: string; readonly op: string } {
  const [, template, op] = /^([^.]+)\.([^.]+)$/.exec(name) ?? [];
  if (template !== undefined && op !== undefined) return { template, op };
  const detail = `'${name}' is not of the form Template.operation`;
  throw new BedsError("BEDS-U003", {
    detail,
    hint: "run `beds list ops` for those that there are",
  });
}

function showOutcome({ answer, eventId, routingKey, ms }: CallOutcome, output: Output): void {
  if (answer.error !== null) output.say(answerErrorText(answer.error, output.colorsMessages));
  else showResult(answer, output);
  const { queue_ms: queueMs, exec_ms: execMs } = answer.timing;
  const times = `${ms.toFixed(1)} ms (queue ${queueMs}, database ${execMs})`;
  output.say(`${times}, key ${routingKey}, event ${eventId}`);
}

function showResult({ result, ticket, replayed }: Answer, output: Output): void {
  if (ticket !== null) output.data(ticket);
  if (result === null) return;
  const columns = [...new Set(result.rows.flatMap((row) => Object.keys(row)))];
  if (columns.length > 0) {
    output.table({ columns, rows: result.rows.map((row) => columns.map((name) => row[name])) });
  }
  const facts = [
    counted(result.rows.length, "row"),
    ...(result.version === null ? [] : [`version ${result.version}`]),
    ...(result.next === null ? [] : [`next page ${result.next}`]),
    ...(replayed ? ["replayed: it had been done before"] : []),
  ];
  output.say(facts.join(", "));
}

/**
 * An error of an answer looks like one of our own. A code that only a newer node knows is shown as
 * it came.
 */
function answerErrorText(error: AnswerError, color: boolean): string {
  const { code, detail, hint } = error;
  const shown = isKnown(code)
    ? new BedsError(code, { detail, hint })
    : new BedsError("BEDS-B001", { detail: `${code}: ${error.message}: ${detail}`, hint });
  return renderError(shown, { color });
}

function isKnown(code: string): code is ErrorCode {
  return findCatalogueEntry(code) !== undefined;
}
