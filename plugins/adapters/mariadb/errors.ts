import { BedsError, type ErrorCode } from "../../../core/contract/index.ts";
import { businessCode, serverCode } from "./error-codes.ts";

/** What a failed statement was part of. */
export interface FailureContext {
  /** The database, for people: `app`. */
  readonly database: string;
  /** It ran in a READ ONLY session. */
  readonly read: boolean;
  /** COMMIT had been sent: a lost connection leaves the outcome unknown. */
  readonly committing: boolean;
}

/** The connection went away, or we ended it, before the server answered. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";
}

/**
 * The BEDS error for whatever the driver threw. Values never get into it: texts of the server that
 * quote them are replaced by the name of the column or key. Called by `calls.ts` for every failed
 * statement.
 */
export function statementError(thrown: unknown, context: FailureContext): BedsError {
  const error = translate(thrown, context);
  if (!context.committing) return error;
  // The server refused the COMMIT itself (a deadlock of Galera, read_only): then it has rolled
  // back.
  if (error.class === "CONFLICT" || (error.code === "BEDS-D001" && !isLost(thrown))) return error;
  return new BedsError("BEDS-D004", { detail: error.detail, cause: error });
}

/**
 * The BEDS error for a connection that could not be opened: BEDS-D001, or BEDS-D008 for the
 * account.
 */
export function accessError(thrown: unknown, database: string): BedsError {
  if (thrown instanceof BedsError) return thrown;
  const { errno, text } = factsOf(thrown);
  const code = refusedAccount.has(errno) ? "BEDS-D008" : "BEDS-D001";
  return new BedsError(code, { detail: `database ${database}: ${text}`, cause: thrown });
}

/**
 * Whether the connection is gone or going: nothing more can be said on it, and the server rolls
 * back.
 */
export function isLost(thrown: unknown): boolean {
  const { errno, code, fatal } = factsOf(thrown);
  if (thrown instanceof ConnectionLost || lostNumbers.has(errno)) return true;
  return errno === 0 && (fatal || lostWords.test(code));
}

/** The server's number and text of an error, for the workbench, whose input is no secret. */
export function serverText(thrown: unknown): { readonly errno: number; readonly text: string } {
  const { errno, text } = factsOf(thrown);
  return { errno, text };
}

interface ErrorFacts {
  /** The server's number; 0 for an error of the driver or the socket. */
  readonly errno: number;
  readonly state: string;
  readonly code: string;
  readonly text: string;
  readonly fatal: boolean;
}

/**
 * 1044, 1045, 1698 access denied · 1130 host not allowed · 1820, 1862 password expired · 4151
 * account locked.
 */
const refusedAccount = new Set([1044, 1045, 1130, 1698, 1820, 1862, 4151]);

/**
 * 1053 shutdown · 1077, 1080 closing · 1152…1161 aborted · 1184 · 1927 killed · 4031 idle too long.
 */
const lostNumbers = new Set([
  1053, 1077, 1080, 1152, 1156, 1157, 1158, 1159, 1160, 1161, 1184, 1927, 2002, 2003, 2006, 2013,
  4031,
]);
const lostWords = /^(E[A-Z]+|PROTOCOL_.*)$/;

function translate(thrown: unknown, context: FailureContext): BedsError {
  if (thrown instanceof BedsError) return thrown;
  const facts = factsOf(thrown);
  const where = `database ${context.database}`;
  if (isLost(thrown)) {
    return new BedsError("BEDS-D001", { detail: `${where}: ${facts.text}`, cause: thrown });
  }
  if (facts.errno === 0) {
    // Not the server and not the socket: the driver or the adapter is at fault. Its text may quote
    // a value.
    return new BedsError("BEDS-B001", { detail: `${where}: ${masked(facts.text)}`, cause: thrown });
  }
  if (facts.state.startsWith("45")) {
    return new BedsError(businessCode(facts.state.slice(2)), { detail: facts.text });
  }
  const code = serverCode(facts.errno, context.read);
  const number = `error ${facts.errno} (${facts.state})`;
  if (code === undefined) {
    const cause = new Error(`${number}: ${masked(facts.text)}`);
    return new BedsError("BEDS-B001", { detail: `${where}: ${number}`, cause });
  }
  return new BedsError(code, { detail: `${detailOf(code, facts)} [${number}]` });
}

/** What a person may read: the names in the server's text, and no value that it quotes. */
function detailOf(code: ErrorCode, { errno, text }: ErrorFacts): string {
  if (code === "BEDS-D006")
    return `key ${lastName(text, /.*for key [`'](.+?)[`']$/s) ?? "unknown"}`;
  if (code !== "BEDS-D007") return quotesValues.has(errno) ? masked(text) : text;
  const column = lastName(text, /.*column [`'](.+?)[`']( at row|$| cannot)/is);
  if (column !== undefined) return `column ${column}`;
  const constraint = lastName(text, /constraint [`'](.+?)[`']/is);
  return constraint === undefined ? masked(text) : `constraint ${constraint}`;
}

/**
 * 1064 quotes the statement from where it fails: with dynamic SQL that can be a value. 1644 is an
 * object's own.
 */
const quotesValues = new Set([1064, 1644]);

function lastName(text: string, pattern: RegExp): string | undefined {
  // The server puts an empty database and table before a parameter's name: ``.``.`p_usr_email`.
  return pattern.exec(text)?.[1]?.replaceAll("`", "").replace(/^\.+/, "");
}

/** Everything from the first quote to the last one may come from a caller. */
function masked(text: string): string {
  return text.replace(/'.*'/s, "'…'").replace(/".*"/s, '"…"');
}

function factsOf(thrown: unknown): ErrorFacts {
  if (typeof thrown !== "object" || thrown === null) {
    return { errno: 0, state: "", code: "", text: String(thrown), fatal: false };
  }
  const errno: unknown = Reflect.get(thrown, "errno");
  const state: unknown = Reflect.get(thrown, "sqlState");
  const text: unknown = Reflect.get(thrown, "sqlMessage") ?? Reflect.get(thrown, "message");
  const fromServer = typeof state === "string" && typeof errno === "number";
  return {
    errno: fromServer ? errno : 0,
    state: fromServer ? state : "",
    code: String(Reflect.get(thrown, "code") ?? ""),
    text: String(text ?? ""),
    fatal: Reflect.get(thrown, "fatal") === true,
  };
}
