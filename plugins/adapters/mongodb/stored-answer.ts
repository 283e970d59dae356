import * as v from "valibot";
import {
  BedsError,
  type ErrorCode,
  findCatalogueEntry,
  type MutationOutcome,
  type Row,
} from "../../../core/contract/index.ts";
import { isDocument } from "./node.ts";

/** Bytes of a stored answer: a document ends at 16 MiB, and the key is in it too. */
const mostBytes = 15 * 1024 * 1024;

/** What a mutation is answered: rows, or a BUSINESS error. */
export type MutationAnswer =
  | { readonly rows: readonly Row[]; readonly error: null }
  | { readonly rows: null; readonly error: BedsError };

/**
 * The answer as text: rows have keys that BSON would read in its own way. `{"rows":[…]}` or
 * `{"code":…,"detail":…}`. Errors: BEDS-M030 for more than a document holds.
 */
export function encodeAnswer({ rows, error }: MutationAnswer): string {
  const text = JSON.stringify(error === null ? { rows } : plainError(error));
  if (Buffer.byteLength(text) <= mostBytes) return text;
  const detail = `more than ${mostBytes} bytes cannot be stored with an idempotency key`;
  throw new BedsError("BEDS-M030", { detail });
}

/** Errors: BEDS-B001 for what `encodeAnswer` cannot have written. */
export function decodeAnswer(text: string): MutationAnswer {
  const checked = v.safeParse(answerSchema, parsed(text));
  if (!checked.success) throw unreadable(checked.issues[0].message);
  const answer = checked.output;
  if ("rows" in answer) return { rows: answer.rows, error: null };
  const { code, detail, hint } = answer;
  const error = new BedsError(code, hint === undefined ? { detail } : { detail, hint });
  return { rows: null, error };
}

/** An outcome with that answer. */
export function outcomeOf(answer: MutationAnswer, replayed: boolean): MutationOutcome {
  return { replayed, ...answer };
}

const answerSchema = v.union([
  v.strictObject({ rows: v.array(v.custom<Row>(isDocument)) }),
  v.strictObject({
    code: v.custom<ErrorCode>(isCode, "is no error of this version"),
    detail: v.string(),
    hint: v.optional(v.string()),
  }),
]);

function isCode(code: unknown): boolean {
  return typeof code === "string" && findCatalogueEntry(code) !== undefined;
}

/** The hint only where it is not the catalogue's, which may be worded better later. */
function plainError({ code, detail, hint }: BedsError): JsonError {
  const usual = findCatalogueEntry(code)?.hint;
  return hint === usual ? { code, detail } : { code, detail, hint };
}

interface JsonError {
  readonly code: string;
  readonly detail: string;
  readonly hint?: string;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    throw unreadable(String(thrown));
  }
}

function unreadable(reason: string): BedsError {
  return new BedsError("BEDS-B001", { detail: `a stored answer cannot be read: ${reason}` });
}
