import * as v from "valibot";
import {
  BedsError,
  findCatalogueEntry,
  type ErrorCode,
  type MutationOutcome,
  type Row,
} from "../../../core/contract/index.ts";
import { answerBytes } from "./key-objects.ts";

/** What a mutation is answered: rows, or a BUSINESS error. */
export type MutationAnswer =
  | { readonly rows: readonly Row[]; readonly error: null }
  | { readonly rows: null; readonly error: BedsError };

/** A row of `beds_key`, as `beds_begin` and `beds_find` return it. */
export interface StoredAnswer {
  readonly requestHash: string;
  /** Who stored it. */
  readonly attempt: string;
  /** JSON. */
  readonly response: string;
}

/** `{"rows":[…]}` or `{"code":…,"detail":…}`. Errors: BEDS-M030 for more than the table holds. */
export function encodeAnswer(answer: MutationAnswer): string {
  const text = JSON.stringify(answer.error === null ? { rows: answer.rows } : plain(answer.error));
  if (Buffer.byteLength(text) <= answerBytes) return text;
  const detail = `more than ${answerBytes} bytes cannot be stored with an idempotency key`;
  throw new BedsError("BEDS-M030", { detail });
}

/**
 * The answer of `stored` to a request with `requestHash`. Errors: BEDS-K001 when the key was used
 * for another request; BEDS-B001 for what `encodeAnswer` cannot have written.
 */
export function storedOutcome(
  stored: StoredAnswer,
  requestHash: string,
  replayed: boolean,
): MutationOutcome {
  if (stored.requestHash !== requestHash) throw new BedsError("BEDS-K001");
  return { replayed, ...decodeAnswer(stored.response) };
}

/** The first row of a reply of `beds_begin` or `beds_find`; null where there is none. */
export function storedAnswer(rows: readonly (readonly unknown[])[]): StoredAnswer | null {
  const [row] = rows;
  if (row === undefined) return null;
  const checked = v.safeParse(rowSchema, row);
  if (!checked.success) throw unreadable(checked.issues[0].message);
  const [requestHash, attempt, response] = checked.output;
  return { requestHash, attempt, response };
}

const rowSchema = v.strictTuple([v.string(), v.string(), v.string()]);

const isRow = (value: unknown): value is Row =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const answerSchema = v.union([
  v.strictObject({ rows: v.array(v.custom<Row>(isRow)) }),
  v.strictObject({
    code: v.custom<ErrorCode>((code) => typeof code === "string" && isCode(code)),
    detail: v.string(),
    hint: v.optional(v.string()),
  }),
]);

function isCode(code: string): boolean {
  return findCatalogueEntry(code) !== undefined;
}

function decodeAnswer(text: string): MutationAnswer {
  const checked = v.safeParse(answerSchema, parsed(text));
  if (!checked.success) throw unreadable(checked.issues[0].message);
  const answer = checked.output;
  if ("rows" in answer) return { rows: answer.rows, error: null };
  const { code, detail, hint } = answer;
  const error = new BedsError(code, hint === undefined ? { detail } : { detail, hint });
  return { rows: null, error };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    throw unreadable(String(thrown));
  }
}

/** The hint only where it is not the catalogue's, which may be worded better later. */
function plain({ code, detail, hint }: BedsError): { [name: string]: string } {
  const usual = findCatalogueEntry(code)?.hint;
  return hint === usual ? { code, detail } : { code, detail, hint };
}

function unreadable(reason: string): BedsError {
  return new BedsError("BEDS-B001", { detail: `a stored answer cannot be read: ${reason}` });
}
