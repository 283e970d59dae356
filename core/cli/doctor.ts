import type { BedsError } from "../contract/errors.ts";
import { type Examination, examineNode } from "../ipl/doctor.ts";
import { exitCodes } from "../ipl/exit-code.ts";
import { errorJson } from "../observe/error-text.ts";
import { printable } from "../observe/printable.ts";
import type { Invocation } from "./command.ts";
import { nodeOptions } from "./node-options.ts";

/**
 * `beds doctor`: one concern a line, the remedy under each failure. Out: 1 when something failed.
 */
export async function doctor(invocation: Invocation): Promise<number> {
  const { output, stop } = invocation;
  const all: Examination[] = [];
  for await (const examination of examineNode(await nodeOptions(invocation), stop)) {
    all.push(examination);
    if (output.json) continue;
    output.data(examinationText(examination, output.colorsData));
    await output.flush();
  }
  const count = (outcome: Examination["outcome"]) =>
    all.filter((examination) => examination.outcome === outcome).length;
  const failed = count("fail");
  if (output.json) {
    output.document({ ok: failed === 0, examinations: all.map(examinationJson) });
  } else {
    output.say(`${count("pass")} passed, ${failed} failed, ${count("skip")} skipped`);
  }
  return failed === 0 ? exitCodes.ok : exitCodes.findings;
}

/** `pass  rabbitmq app_server  127.0.0.1:5672 answers (3 ms)`, and what is wrong below it. Pure. */
export function examinationText(examination: Examination, color: boolean): string {
  const { concern, outcome, detail, ms, errors } = examination;
  const word = color ? `${colors[outcome]}${outcome}\u001b[0m` : outcome;
  const time = outcome === "skip" ? "" : `(${ms.toFixed(0)} ms)`;
  const found = [printable(detail), time].filter((part) => part !== "").join(" ");
  const line = `${word}  ${concern.padEnd(concernWidth)}  ${found}`;
  return [line, ...errors.flatMap(errorLines)].join("\n");
}

const concernWidth = 28;
const colors = { pass: "\u001b[32m", fail: "\u001b[1;31m", skip: "\u001b[33m" } as const;

function errorLines({ code, message, detail, hint, where }: BedsError): readonly string[] {
  const place = where === undefined ? "" : ` (${where.file}:${where.line})`;
  const text = detail === "" ? message : `${message}: ${detail}`;
  return [`      ${code}: ${printable(text)}${place}`, `      remedy: ${printable(hint)}`];
}

function examinationJson({ concern, outcome, ms, detail, errors }: Examination) {
  return {
    concern,
    outcome,
    ms: Math.round(ms),
    detail,
    errors: errors.flatMap((error) => errorJson(error)),
  };
}
