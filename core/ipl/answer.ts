import * as v from "valibot";
import { BedsError } from "../contract/errors.ts";
import type { Answer, Row } from "../contract/message.ts";

/**
 * Reads the body of an answer. Errors: BEDS-M001 when it is not JSON, BEDS-M012 when it is no
 * answer of version 1; whoever sent it is no node of this version.
 */
export function readAnswer(body: Uint8Array): Answer {
  let raw: unknown;
  try {
    raw = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (thrown) {
    throw new BedsError("BEDS-M001", { detail: "the answer is not JSON", cause: thrown });
  }
  const parsed = v.safeParse(answerSchema, raw);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  const path = v.getDotPath(issue) ?? "";
  throw new BedsError("BEDS-M012", { detail: `the answer's ${path}: ${issue.message}` });
}

/** Values that came out of `JSON.parse` are JSON values; only the shape has to be looked at. */
const row = v.custom<Row>(
  (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  "a row must be an object",
);

const answerSchema = v.strictObject({
  v: v.literal(1),
  event_id: v.string(),
  parent_id: v.string(),
  depth: v.number(),
  status: v.picklist(["ok", "accepted", "error"]),
  result: v.nullable(
    v.strictObject({
      rows: v.array(row),
      next: v.nullable(v.string()),
      version: v.nullable(v.number()),
      token: v.nullable(v.string()),
    }),
  ),
  replayed: v.boolean(),
  error: v.nullable(
    v.strictObject({
      code: v.string(),
      class: v.string(),
      message: v.string(),
      detail: v.string(),
      hint: v.string(),
      retryable: v.boolean(),
    }),
  ),
  ticket: v.nullable(v.string()),
  timing: v.strictObject({ queue_ms: v.number(), exec_ms: v.number() }),
});
