import type { BedsError } from "./errors.ts";
import type { Row } from "./message.ts";
import type { FieldType, ObjectType, Operation, Template } from "./template.ts";

/** How one call is to run. */
export interface CallOptions {
  /** Milliseconds after which the server itself must have stopped the work. */
  readonly timeoutMs: number;
  /** More rows are BEDS-D010. */
  readonly rowCap: number;
}

/**
 * An operation made ready for its database, once, at boot. An adapter extends this class with what
 * it needs (a prepared statement, a compiled command) and recognises its own kind with
 * `instanceof`.
 */
export abstract class Binding {
  readonly template: Template;
  readonly operation: Operation;
  /** The fixed statement, for people: it is shown, never sent. */
  abstract readonly statement: string;

  constructor(template: Template, operation: Operation) {
    this.template = template;
    this.operation = operation;
  }
}

/**
 * The one interface that all dispatch goes through. `values` are the checked arguments in the order
 * of `binding.operation.parameters`, null where an optional one was not sent. Rows come back
 * JSON-ready: decimals and 64-bit integers as strings, times as RFC 3339 in UTC, bytes as base64.
 *
 * Errors: a `BedsError` with a code of the letter D; anything else that is thrown counts as a bug
 * of the adapter. Called once a request, by `core/pipeline.ts`.
 */
export interface NamasteCore {
  createRecord(
    binding: Binding,
    values: readonly unknown[],
    options: CallOptions,
  ): Promise<readonly Row[]>;
  fetchRecords(
    binding: Binding,
    values: readonly unknown[],
    options: CallOptions,
  ): Promise<readonly Row[]>;
  updateRecord(
    binding: Binding,
    values: readonly unknown[],
    options: CallOptions,
  ): Promise<readonly Row[]>;
  deleteRecord(
    binding: Binding,
    values: readonly unknown[],
    options: CallOptions,
  ): Promise<readonly Row[]>;
  callObject(
    binding: Binding,
    values: readonly unknown[],
    options: CallOptions,
  ): Promise<readonly Row[]>;
}

/**
 * What makes a mutation happen at most once: the same key never takes effect twice
 * (wiki/Reliability.md).
 */
export interface MutationKey {
  /**
   * Who does what: principal, template and operation. The same key in another scope is another key.
   */
  readonly scope: string;
  readonly key: string;
  /** SHA-256 of the canonical arguments, hexadecimal. */
  readonly requestHash: string;
  /** Milliseconds since 1970, UTC, until which the key must be remembered. */
  readonly expiresAt: number;
}

/**
 * How a keyed mutation ended, now or when it was first asked for. A BUSINESS error is an answer
 * like another.
 */
export type MutationOutcome = {
  /** The effect was there already; this is the stored answer. */
  readonly replayed: boolean;
} & (
  | { readonly rows: readonly Row[]; readonly error: null }
  | { readonly rows: null; readonly error: BedsError }
);

/** Mutations whose key, effect and answer commit together, or not at all. */
export interface KeyedMutations {
  /**
   * Runs `work` in one transaction with its key. `work` gets a core that is bound to that
   * transaction, and may be run again after a conflict. A BUSINESS error that it throws undoes the
   * effect and becomes the stored answer; every other error undoes everything, the key included.
   *
   * Errors: BEDS-K001 when the key was used for other arguments; D003 after the adapter's own
   * tries; D004 when the outcome of the commit is unknown (asking again with the key tells); else
   * those of `NamasteCore`.
   */
  run(
    key: MutationKey,
    work: (core: NamasteCore) => Promise<readonly Row[]>,
    options: CallOptions,
  ): Promise<MutationOutcome>;
  /** Forgets up to `limit` keys that have expired. Out: how many. Called about once a minute. */
  purge(limit: number): Promise<number>;
}

/** One parameter or column as the database reports it. */
export interface DescribedValue {
  readonly name: string;
  /** The database's own words: `varchar(255)`. */
  readonly declared: string;
  /** The field types that the database's type can hold exactly. */
  readonly accepts: readonly FieldType[];
}

/** A named object as the database reports it. */
export interface DescribedObject {
  readonly name: string;
  readonly type: ObjectType | "table" | "collection";
  /** In order. Empty for a view. */
  readonly parameters: readonly DescribedValue[];
  /** The columns of a view; undefined where the database cannot tell. */
  readonly columns?: readonly DescribedValue[];
  /** Why the object must not be used although it exists; undefined when it may. */
  readonly refusal?: string;
  /**
   * What the runtime account must be allowed to do to use it, in the words of
   * `DatabaseDescription.grants`.
   */
  readonly requires: readonly string[];
}

/** What a database really has and what the runtime account may really do there. */
export interface DatabaseDescription {
  readonly product: string;
  readonly version: string;
  /** How many connections the server accepts in all. */
  readonly maxConnections: number;
  readonly objects: ReadonlyMap<string, DescribedObject>;
  /** One privilege each, in the database's own words: `EXECUTE ON PROCEDURE app.usr_create`. */
  readonly grants: readonly string[];
  /**
   * Grants that every runtime account has and that reach no data (MariaDB's USAGE, reading
   * `beds_objects`).
   */
  readonly harmlessGrants: readonly string[];
  /**
   * BEDS's own objects that the runtime account does not see as this version needs them: `procedure
   * beds_begin`. The remedy is `beds db apply`. Absent or empty: nothing is missing.
   */
  readonly missing?: readonly string[];
}

/** A database as an adapter opens it for one worker. */
export interface Adapter {
  /** Bound to the adapter's connections; each call takes one for its duration. */
  readonly core: NamasteCore;
  /**
   * Absent where the database cannot commit key and effect together; its mutations are then not
   * keyed. Read it after `describe`, which is when an adapter learns what its server can do.
   */
  readonly keyed?: KeyedMutations | undefined;
  /** Reaches and authenticates. Throws BEDS-D001 or BEDS-D008. */
  check(signal: AbortSignal): Promise<void>;
  /** Reads the catalogue of the database with the runtime account. */
  describe(signal: AbortSignal): Promise<DatabaseDescription>;
  /**
   * Makes operations ready; called at boot, after `describe`, for the operations without drift
   * only.
   */
  bind(template: Template, operation: Operation): Promise<Binding>;
  close(): Promise<void>;
}

/**
 * One server of a database. `pass` is plain text here; it comes from a secret and must never be
 * logged.
 */
export interface DatabaseServer {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly pass: string;
  /** MongoDB: the database that holds the account; `admin` unless it says otherwise. */
  readonly authSource?: string;
  /** MongoDB: the name of the replica set; without one the server is addressed directly. */
  readonly replicaSet?: string;
}

/** A `[databases.<name>]` section with its secrets expanded. */
export interface DatabaseTarget {
  readonly name: string;
  /** The database's name on the server. */
  readonly database: string;
  readonly master: DatabaseServer;
  readonly secondary: DatabaseServer | null;
  readonly dba: DatabaseServer | null;
  /** Connections of this worker to this database, at most. */
  readonly connections: number;
  readonly connectTimeoutMs: number;
}

/** One file below `templates/db/<database>/`. */
export interface ObjectSource {
  /** As people name it: relative to the templates folder. */
  readonly path: string;
  readonly text: string;
  /** SHA-256 of the text, hexadecimal. */
  readonly checksum: string;
}

/** What `beds db apply` did or would do with one file or one grant. */
export interface ObjectChange {
  readonly path: string;
  /** `create procedure usr_fetch`, `grant EXECUTE ON …` */
  readonly action: string;
  readonly changed: boolean;
}

/** The DBA's side of a database, opened with the DBA's account by `beds db` alone. */
export interface Workbench {
  /** What `apply` would do, without doing it. */
  plan(
    sources: readonly ObjectSource[],
    templates: readonly Template[],
  ): Promise<readonly ObjectChange[]>;
  /**
   * Installs what is new or changed, in the order that the objects need, then grants the runtime
   * account exactly what the templates' operations need. Errors: BEDS-W001 … W003 with the file and
   * line.
   */
  apply(
    sources: readonly ObjectSource[],
    templates: readonly Template[],
    report: (change: ObjectChange) => void,
  ): Promise<void>;
  close(): Promise<void>;
}

/** What an adapter plugin's `create` returns. */
export interface AdapterDriver {
  readonly class: "rec" | "rel" | "none";
  open(target: DatabaseTarget): Adapter;
  /** Undefined for an adapter without a DBA's side. */
  openWorkbench?(target: DatabaseTarget): Workbench;
}
