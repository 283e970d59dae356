import { BedsError } from "../../../core/contract/index.ts";

/**
 * A word, a quoted name (without its backticks), a string, or one other character, outside
 * comments.
 */
export interface SqlToken {
  readonly kind: "word" | "name" | "string" | "symbol";
  readonly text: string;
  /** Where it begins and ends in the statement's text. */
  readonly start: number;
  readonly end: number;
}

export interface SqlStatement {
  /** From the first token to the last, comments in between included, delimiter excluded. */
  readonly text: string;
  /** The 1-based line of the file on which it begins. */
  readonly line: number;
  readonly tokens: readonly SqlToken[];
}

/**
 * Splits an SQL file into statements as the server's own client does: at the delimiter, which a
 * line `DELIMITER //` changes, but not within strings, quoted names and comments. One thing it does
 * better: a routine needs no DELIMITER when it is the last statement of its file. Errors: BEDS-W001
 * with the line for what does not end, and for executable comments, which hide statements in
 * comments. Called by the workbench, once a file.
 */
export function splitStatements(path: string, text: string): readonly SqlStatement[] {
  const scanner = new Scanner(path, text);
  while (scanner.step());
  return scanner.statements;
}

/** A name whose first letters the sticky patterns below match at a position. */
const patterns = {
  space: /\s+/y,
  delimiter: /delimiter[ \t]+(\S+)[^\n]*/iy,
  comment: /(#|--(?=\s|$))[^\n]*/y,
  word: /[\p{L}\p{N}_$]+/uy,
} as const;

class Scanner {
  readonly statements: SqlStatement[] = [];
  readonly #path: string;
  readonly #text: string;
  #at = 0;
  #delimiter = ";";
  #tokens: SqlToken[] = [];

  constructor(path: string, text: string) {
    this.#path = path;
    this.#text = text;
  }

  /** Takes the next piece of the text; false at its end. */
  step(): boolean {
    if (this.#at >= this.#text.length) {
      this.#finish();
      return false;
    }
    if (this.#skip(patterns.space) || this.#changeDelimiter() || this.#skip(patterns.comment)) {
      return true;
    }
    if (this.#text.startsWith("/*", this.#at)) return this.#blockComment();
    if (this.#text.startsWith(this.#delimiter, this.#at) && !this.#isOpenRoutine()) {
      this.#finish();
      this.#at += this.#delimiter.length;
      return true;
    }
    const first = this.#text.charAt(this.#at);
    if (first === "`") return this.#quoted("name", first);
    if (first === "'" || first === '"') return this.#quoted("string", first);
    const word = this.#match(patterns.word)?.[0];
    return this.#push(
      word === undefined ? "symbol" : "word",
      word ?? first,
      (word ?? first).length,
    );
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#text);
  }

  #skip(pattern: RegExp): boolean {
    const length = this.#match(pattern)?.[0].length ?? 0;
    this.#at += length;
    return length > 0;
  }

  /**
   * Only between statements and at the beginning of a line, so that a column may be called
   * `delimiter`.
   */
  #changeDelimiter(): boolean {
    const before = this.#text.slice(this.#text.lastIndexOf("\n", this.#at - 1) + 1, this.#at);
    if (this.#tokens.length > 0 || before.trim() !== "") return false;
    const match = this.#match(patterns.delimiter);
    if (match === null) return false;
    this.#delimiter = match[1] ?? ";";
    this.#at += match[0].length;
    return true;
  }

  #blockComment(): boolean {
    if (/^\/\*M?!/.test(this.#text.slice(this.#at, this.#at + 4))) {
      throw this.#error(this.#at, "comments that the server executes (/*! … */) are not allowed");
    }
    const end = this.#text.indexOf("*/", this.#at + 2);
    if (end < 0) throw this.#error(this.#at, "a comment does not end");
    this.#at = end + 2;
    return true;
  }

  /** A doubled quote stands for itself; in strings a backslash takes the next character along. */
  #quoted(kind: "name" | "string", quote: string): boolean {
    let end = this.#at + 1;
    for (; end < this.#text.length; end += 1) {
      const letter = this.#text.charAt(end);
      if (letter === "\\" && kind === "string") end += 1;
      else if (letter !== quote) continue;
      else if (this.#text.charAt(end + 1) === quote) end += 1;
      else {
        const inner = this.#text.slice(this.#at + 1, end).replaceAll(quote + quote, quote);
        return this.#push(kind, inner, end + 1 - this.#at);
      }
    }
    const what = kind === "name" ? "a quoted name" : "a string";
    throw this.#error(this.#at, `${what} does not end`);
  }

  #push(kind: SqlToken["kind"], text: string, length: number): boolean {
    this.#tokens.push({ kind, text, start: this.#at, end: this.#at + length });
    this.#at += length;
    return true;
  }

  /** CREATE PROCEDURE or FUNCTION without a DELIMITER: its body has semicolons of its own. */
  #isOpenRoutine(): boolean {
    if (this.#delimiter !== ";") return false;
    const bracket = this.#tokens.findIndex((token) => token.text === "(");
    const head = this.#tokens.slice(0, Math.max(0, bracket)).filter((t) => t.kind === "word");
    const words = head.map((token) => token.text.toUpperCase());
    return words[0] === "CREATE" && (words.includes("PROCEDURE") || words.includes("FUNCTION"));
  }

  #finish(): void {
    const tokens = this.#tokens;
    this.#tokens = [];
    while (tokens.at(-1)?.text === ";" && tokens.at(-1)?.kind === "symbol") tokens.pop();
    const [first] = tokens;
    const last = tokens.at(-1);
    if (first === undefined || last === undefined) return;
    const shifted = tokens.map((token) => ({
      ...token,
      start: token.start - first.start,
      end: token.end - first.start,
    }));
    const text = this.#text.slice(first.start, last.end);
    this.statements.push({ text, line: this.#lineOf(first.start), tokens: shifted });
  }

  #lineOf(at: number): number {
    return this.#text.slice(0, at).split("\n").length;
  }

  #error(at: number, detail: string): BedsError {
    const column = at - this.#text.lastIndexOf("\n", at - 1);
    return new BedsError("BEDS-W001", {
      detail,
      where: { file: this.#path, line: this.#lineOf(at), column },
    });
  }
}
