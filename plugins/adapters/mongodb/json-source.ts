import { BedsError, type SourceLocation } from "../../../core/contract/index.ts";
import type { Path } from "./node.ts";

/** Deeper than MongoDB stores. */
const mostLevels = 100;

/**
 * A JSON text with the place of everything in it, so that whatever is wrong later can be shown
 * where it was written; the language's own parser forgets the places. Errors: BEDS-W001 with line
 * and column for what is no JSON, and for a key that stands twice. Called once a file by the
 * workbench.
 */
export class JsonSource {
  readonly value: unknown;
  readonly #text: string;
  readonly #file: string;
  /** Where each value starts, by its path. */
  readonly #places = new Map<string, number>();
  #at = 0;

  constructor(text: string, file: string) {
    this.#text = text;
    this.#file = file;
    this.value = this.#readValue([]);
    this.#skipSpace();
    if (this.#at < text.length) this.#fail("there is something behind the end");
  }

  /** The place of a part; of what is not there, the place of what lacks it. */
  where(path: Path): SourceLocation {
    for (let length = path.length; length >= 0; length--) {
      const offset = this.#places.get(JSON.stringify(path.slice(0, length)));
      if (offset !== undefined) return this.#location(offset);
    }
    return this.#location(0);
  }

  #readValue(path: Path): unknown {
    this.#skipSpace();
    this.#places.set(JSON.stringify(path), this.#at);
    if (path.length > mostLevels) this.#fail(`is nested deeper than ${mostLevels} levels`);
    const first = this.#text[this.#at];
    if (first === "{") return this.#readDocument(path);
    if (first === "[") return this.#readList(path);
    if (first === '"') return this.#readText();
    return this.#readWord();
  }

  #readDocument(path: Path): unknown {
    const entries = new Map<string, unknown>();
    this.#readParts("}", () => {
      if (this.#text[this.#at] !== '"') this.#fail("a key in double quotes is expected");
      const start = this.#at;
      const key = this.#readText();
      if (entries.has(key)) this.#fail(`the key ${key} stands twice`, start);
      this.#skipSpace();
      this.#expect(":");
      entries.set(key, this.#readValue([...path, key]));
    });
    return Object.fromEntries(entries);
  }

  #readList(path: Path): unknown {
    const list: unknown[] = [];
    this.#readParts("]", () => list.push(this.#readValue([...path, list.length])));
    return list;
  }

  /** What stands between brackets, parted by commas. */
  #readParts(end: string, readPart: () => void): void {
    this.#at++;
    this.#skipSpace();
    if (this.#text[this.#at] === end) {
      this.#at++;
      return;
    }
    for (;;) {
      this.#skipSpace();
      readPart();
      this.#skipSpace();
      if (this.#text[this.#at] === end) break;
      this.#expect(",", ` or ${end}`);
    }
    this.#at++;
  }

  #readText(): string {
    const token = this.#match(/"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y);
    if (token === undefined)
      this.#fail("a text is not closed, or has a character it must not have");
    const text: unknown = JSON.parse(token);
    return String(text);
  }

  #readWord(): unknown {
    const token = this.#match(/true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y);
    if (token === undefined) this.#fail("a value is expected");
    const value: unknown = JSON.parse(token);
    return value;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const token = pattern.exec(this.#text)?.[0];
    if (token !== undefined) this.#at += token.length;
    return token;
  }

  #expect(character: string, alternative = ""): void {
    if (this.#text[this.#at] !== character) this.#fail(`${character}${alternative} is expected`);
    this.#at++;
  }

  #skipSpace(): void {
    this.#match(/[ \t\r\n]*/y);
  }

  #location(offset: number): SourceLocation {
    const before = this.#text.slice(0, offset);
    const lineStart = before.lastIndexOf("\n") + 1;
    return { file: this.#file, line: before.split("\n").length, column: offset - lineStart + 1 };
  }

  #fail(detail: string, offset = this.#at): never {
    throw new BedsError("BEDS-W001", { detail, where: this.#location(offset) });
  }
}
