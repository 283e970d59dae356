import { BedsError, type ErrorCode } from "../../../core/contract/index.ts";
import { serverCode } from "./error-codes.ts";
import { isDocument, isList } from "./node.ts";

/** What the server said, without the values that its own text quotes. */
export class ServerRefusal extends Error {
  override readonly name = "ServerRefusal";
  readonly number: number;

  constructor(number: number, text: string) {
    super(text);
    this.number = number;
  }
}

/** What a failed command was part of. */
export interface FailureContext {
  /** The database, for people: `docs`. */
  readonly database: string;
  /** A command that changes nothing, so that its outcome never matters. */
  readonly read: boolean;
  /** Whether the server can have received the command. */
  readonly sent: boolean;
}

/**
 * The BEDS error for whatever the driver threw. The server's texts quote the whole command, values
 * included, so that only its number, its name and the names of keys and fields get into the detail.
 */
export function commandFailure(thrown: unknown, context: FailureContext): BedsError {
  if (thrown instanceof BedsError) return thrown;
  const { database, read, sent } = context;
  const where = `database ${database}`;
  const code: unknown = Reflect.get(Object(thrown), "code");
  if (nameOf(thrown) === "MongoWriteConcernError") return unknownOutcome(where, thrown);
  if (typeof code === "number") return serverFailure(thrown, code, context);
  if (!unsent.has(nameOf(thrown)) && !isNetwork(thrown)) {
    const detail = `${where}: ${nameOf(thrown)}`;
    return new BedsError("BEDS-B001", { detail, cause: thrown });
  }
  const mayHaveRun = !read && sent && isNetwork(thrown) && !isBeforeSending(thrown);
  if (mayHaveRun) return unknownOutcome(where, thrown);
  return new BedsError("BEDS-D001", { detail: `${where}: ${reasonOf(thrown)}`, cause: thrown });
}

/**
 * Whether a command may be sent once more: it never left, or it was a read whose connection was
 * lost.
 */
export function mayAskAgain(thrown: unknown, read: boolean): boolean {
  if (nameOf(thrown) === "MongoPoolClearedError") return true;
  return isNetwork(thrown) && (read || isBeforeSending(thrown));
}

/**
 * What is wrong although the server said `ok`: `writeErrors` and `writeConcernError` are part of an
 * answer and throw nothing by themselves. Errors: the first one, as a BedsError.
 */
export function refuseWriteErrors(reply: unknown, context: FailureContext): void {
  if (!isDocument(reply)) return;
  const errors = reply["writeErrors"];
  if (isList(errors) && errors.length > 0) {
    throw serverFailure(errors[0], serverNumber(errors[0]), context);
  }
  const concern = reply["writeConcernError"];
  if (concern === undefined) return;
  // The effect is there, and may still be rolled back: it is not yet on a majority.
  const detail = `database ${context.database}: ${serverName(concern)}`;
  throw new BedsError("BEDS-D004", { detail });
}

/** The server's number, name and text of an error, for the workbench, whose input is no secret. */
export function serverText(thrown: unknown): string {
  const text: unknown = Reflect.get(Object(thrown), "message");
  return `${String(text)} [${serverName(thrown)}]`;
}

/** The server's number of an error; 0 for an error of the driver. */
export function serverNumber(thrown: unknown): number {
  const code: unknown = Reflect.get(Object(thrown), "code");
  return typeof code === "number" ? code : 0;
}

/** What the driver throws before it has sent anything. */
const unsent: ReadonlySet<string> = new Set([
  "MongoServerSelectionError",
  "MongoTopologyClosedError",
  "MongoWaitQueueTimeoutError",
  "MongoPoolClearedError",
  "MongoPoolClosedError",
  "MongoServerClosedError",
  "MongoNotConnectedError",
  "MongoClientClosedError",
]);

const networkNames: ReadonlySet<string> = new Set([
  "ConnectionLost",
  "MongoNetworkError",
  "MongoNetworkTimeoutError",
  "PoolClearedOnNetworkError",
]);

function isNetwork(thrown: unknown): boolean {
  return networkNames.has(nameOf(thrown));
}

function nameOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.name : typeof thrown;
}

/** The driver marks what failed while a connection was made, before any command was sent on it. */
function isBeforeSending(thrown: unknown): boolean {
  const labels: unknown = Reflect.get(Object(thrown), "errorLabels");
  return isList(labels) && labels.some((label) => establishing.has(String(label)));
}

const establishing: ReadonlySet<string> = new Set(["HandshakeError", "SystemOverloadedError"]);

/** A text of the driver about servers and sockets; it has no values in it. */
function reasonOf(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return text === "" ? nameOf(thrown) : text;
}

function unknownOutcome(where: string, thrown: unknown): BedsError {
  return new BedsError("BEDS-D004", { detail: `${where}: ${nameOf(thrown)}`, cause: thrown });
}

function serverFailure(thrown: unknown, number: number, context: FailureContext): BedsError {
  const name = serverName(thrown);
  const where = `database ${context.database}`;
  const code = serverCode(number, context.read) ?? "BEDS-B001";
  const named = namesIn(code, thrown);
  const detail = named === "" ? `${where}: ${name}` : `${named} [${name}]`;
  return new BedsError(code, { detail, cause: new ServerRefusal(number, name) });
}

function serverName(error: unknown): string {
  const number = serverNumber(error);
  const name: unknown = Reflect.get(Object(error), "codeName");
  return typeof name === "string" ? `error ${number}, ${name}` : `error ${number}`;
}

/** The keys of a duplicate, or the fields that a validator refused. */
function namesIn(code: ErrorCode, error: unknown): string {
  if (code === "BEDS-D006") {
    const pattern: unknown = Reflect.get(Object(error), "keyPattern");
    return isDocument(pattern) ? `key ${Object.keys(pattern).join(", ")}` : "";
  }
  if (code !== "BEDS-D007") return "";
  const fields = new Set<string>();
  collectNames(Reflect.get(Object(error), "errInfo"), fields);
  return fields.size === 0 ? "" : `fields ${[...fields].join(", ")}`;
}

/**
 * Field names in the server's account of a failed validation, which quotes the values beside them.
 */
function collectNames(node: unknown, fields: Set<string>): void {
  if (isList(node)) {
    for (const inner of node) collectNames(inner, fields);
    return;
  }
  if (!isDocument(node)) return;
  for (const [key, inner] of Object.entries(node)) {
    if (key === "propertyName" && typeof inner === "string") fields.add(inner);
    else if (key === "missingProperties" && isList(inner)) {
      for (const name of inner) fields.add(String(name));
    } else if (reasons.has(key)) collectNames(inner, fields);
  }
}

/** The parts of the account that lead to names; what else is there may be a caller's value. */
const reasons: ReadonlySet<string> = new Set([
  "details",
  "schemaRulesNotSatisfied",
  "propertiesNotSatisfied",
]);
