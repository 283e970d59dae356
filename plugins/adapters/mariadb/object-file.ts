import { BedsError, type ObjectSource } from "../../../core/contract/index.ts";
import { isName } from "./names.ts";
import { type SqlStatement, splitStatements } from "./sql-statements.ts";

export type ObjectKind = "table" | "alteration" | "function" | "view" | "procedure";

/** One file of `templates/db/<database>/`, understood as far as installing it needs. */
export interface ObjectFile {
  readonly source: ObjectSource;
  readonly kind: ObjectKind;
  /** The object's name; of an alteration, the table's. */
  readonly name: string;
  /**
   * What installs it, in order. It begins on `line` of the file, so that the server's line numbers
   * can be mapped.
   */
  readonly statements: (isMariadb: boolean) => readonly string[];
  readonly line: number;
}

/**
 * Reads the files and puts them into the order in which they are installed: tables, alterations of
 * tables, functions, views, procedures, each by file name. Errors: BEDS-W001 with file and line for
 * a file that is not exactly one such object, named like the file.
 */
export function readObjectFiles(sources: readonly ObjectSource[]): readonly ObjectFile[] {
  const files = sources.map(readObjectFile);
  const seen = new Map<string, string>();
  for (const { kind, name, source } of files) {
    if (kind === "alteration") continue;
    const twin = seen.get(`${kind} ${name}`);
    if (twin !== undefined) throw wrong(source.path, 1, `${twin} already makes ${kind} ${name}`);
    seen.set(`${kind} ${name}`, source.path);
  }
  return files.toSorted(
    (a, b) =>
      kindOrder.indexOf(a.kind) - kindOrder.indexOf(b.kind) ||
      compare(baseName(a.source.path), baseName(b.source.path)),
  );
}

const kindOrder: readonly ObjectKind[] = ["table", "alteration", "function", "view", "procedure"];

const folders: ReadonlyMap<string, readonly ObjectKind[]> = new Map([
  ["tables", ["table", "alteration"]],
  ["functions", ["function"]],
  ["views", ["view"]],
  ["procedures", ["procedure"]],
]);

function readObjectFile(source: ObjectSource): ObjectFile {
  const { path } = source;
  const folder = path.split("/").at(-2) ?? "";
  const allowed = folders.get(folder);
  if (allowed === undefined || !path.endsWith(".sql")) {
    throw wrong(path, 1, `object files are ${[...folders.keys()].join("|")}/<name>.sql`);
  }
  const [statement, second] = splitStatements(path, source.text);
  if (statement === undefined) throw wrong(path, 1, "the file has no statement");
  if (second !== undefined) throw wrong(path, second.line, "the file has more than one statement");
  const head = readHead(path, statement);
  if (!allowed.includes(head.kind)) {
    throw wrong(path, statement.line, `${folder}/ takes ${allowed.join(" and ")} files alone`);
  }
  refuseWrongName(path, statement.line, head);
  const { kind, name } = head;
  const statements = (isMariadb: boolean): readonly string[] =>
    installText(statement, head, isMariadb);
  return { source, kind, name, statements, line: statement.line };
}

/**
 * `usr_create.sql` or `010_usr_create.sql`; `002_usr_add_city.sql` for an alteration of table
 * `usr`.
 */
function refuseWrongName(path: string, line: number, { kind, name }: Head): void {
  const file = baseName(path);
  const rest = file.replace(/^\d+_/, "");
  if (kind !== "alteration") {
    if (rest !== name) throw wrong(path, line, `the file is called ${rest}, its ${kind} ${name}`);
  } else if (rest === file || !rest.startsWith(`${name}_`)) {
    throw wrong(
      path,
      line,
      `call it <number>_${name}_<what it does>.sql: alterations have an order`,
    );
  }
}

interface Head {
  readonly kind: ObjectKind;
  readonly name: string;
  /** Where `OR REPLACE` stands in the statement's text, or where it would stand. */
  readonly replace: { readonly start: number; readonly end: number };
}

/** Reads `CREATE [OR REPLACE] … <kind> <name>` or `ALTER TABLE <name>`. */
function readHead(path: string, statement: SqlStatement): Head {
  const { tokens, line } = statement;
  const word = (at: number): string => {
    const token = tokens[at];
    return token?.kind === "word" ? token.text.toUpperCase() : "";
  };
  const fail = (detail: string): BedsError => wrong(path, line, detail);
  refuseInvoker(statement, path);
  if (word(0) === "ALTER" && word(1) === "TABLE") {
    return { kind: "alteration", name: readName(statement, 2, fail), replace: nowhere };
  }
  if (word(0) !== "CREATE") throw fail("the statement is neither CREATE nor ALTER TABLE");
  const replaces = word(1) === "OR" && word(2) === "REPLACE";
  const at = tokens.findIndex((_, index) => index > 0 && kinds.has(word(index)));
  const kind = kinds.get(word(at));
  if (kind === undefined) throw fail("the statement creates no table, view, procedure or function");
  const between = tokens.slice(replaces ? 3 : 1, at).map((token) => token.text.toUpperCase());
  if (between.some((text, index) => text === "DEFINER" && between[index + 1] === "=")) {
    throw fail("leave DEFINER out: the account that applies the file is the definer");
  }
  if (kind === "table" && (between.length > 0 || replaces)) {
    throw fail("write CREATE TABLE alone: a table is created once and never replaced");
  }
  const conditional = word(at + 1) === "IF" && word(at + 2) === "NOT" && word(at + 3) === "EXISTS";
  if (conditional && kind !== "table") throw fail(`leave IF NOT EXISTS out: a ${kind} is replaced`);
  const first = tokens[0]?.end ?? 0;
  const replace = { start: first, end: replaces ? (tokens[2]?.end ?? first) : first };
  return { kind, name: readName(statement, conditional ? at + 4 : at + 1, fail), replace };
}

const nowhere = { start: 0, end: 0 } as const;

const kinds: ReadonlyMap<string, ObjectKind> = new Map([
  ["TABLE", "table"],
  ["VIEW", "view"],
  ["PROCEDURE", "procedure"],
  ["FUNCTION", "function"],
]);

function readName(
  { tokens }: SqlStatement,
  at: number,
  fail: (detail: string) => BedsError,
): string {
  if (tokens[at + 1]?.text === ".") throw fail("name the object without its database");
  const token = tokens[at];
  if (token === undefined || !(token.kind === "word" || token.kind === "name")) {
    throw fail("the object has no name");
  }
  if (!isName(token.text)) throw fail(`"${token.text}": use letters, digits and _ alone, up to 64`);
  return token.text;
}

/** With the caller's rights an object could do nothing: the runtime account has none. */
function refuseInvoker({ tokens, line }: SqlStatement, path: string): void {
  const words = tokens.map((token) => (token.kind === "word" ? token.text.toUpperCase() : ""));
  const at = words.findIndex(
    (word, index) =>
      word === "SQL" && words[index + 1] === "SECURITY" && words[index + 2] === "INVOKER",
  );
  if (at >= 0) throw wrong(path, line, "leave SQL SECURITY INVOKER out: objects run as definer");
}

/**
 * MariaDB replaces routines in place, which keeps their grants; MySQL has to drop and create them.
 */
function installText(statement: SqlStatement, head: Head, isMariadb: boolean): readonly string[] {
  const { text } = statement;
  const { kind, name, replace } = head;
  if (kind === "table" || kind === "alteration") return [text];
  const kept = text.slice(replace.start, replace.end);
  const [before, after] = [text.slice(0, replace.start), text.slice(replace.end)];
  if (isMariadb || kind === "view") return [`${before}${kept || " OR REPLACE"}${after}`];
  const lines = kept.replace(/[^\n]/g, "");
  return [`DROP ${kind.toUpperCase()} IF EXISTS \`${name}\``, `${before}${lines}${after}`];
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1).replace(/\.sql$/, "");
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function wrong(file: string, line: number, detail: string): BedsError {
  return new BedsError("BEDS-W001", { detail, where: { file, line, column: 1 } });
}
