/**
 * A key as TOML has it, or the index of an element of an array (of values or of tables), from 0.
 */
export type TomlPath = readonly (string | number)[];

/** 1-based; a column counts UTF-16 units, as editors and JavaScript do. */
export interface TomlPosition {
  readonly line: number;
  readonly column: number;
}

/**
 * Which end of `key = value` is wanted. A table has no value of its own: both are its name in the
 * header.
 */
export type TomlPart = "key" | "value";

/**
 * Where `path` stands in a TOML text. What is not there is looked for one level up, so that a
 * missing key leads to the table that lacks it, and in the end to line 1.
 *
 * The parser gives no positions for what is well-formed but wrong, and every finding must name its
 * place. The text should be valid TOML; for any other text the answer is a guess, and the scan
 * still ends. Pure. Called by the loaders of configuration and templates for each finding.
 */
export function locate(text: string, path: TomlPath, part: TomlPart = "key"): TomlPosition {
  return scanPositions(text)(path, part);
}

/** As `locate`, for many paths of one text: scans once and answers from the index. */
export function scanPositions(text: string): (path: TomlPath, part?: TomlPart) => TomlPosition {
  const places = new TomlScanner(text).places;
  return (path, part = "key") => {
    for (let length = path.length; length > 0; length--) {
      const place = places.get(placeKey(path.slice(0, length)));
      if (place === undefined) continue;
      return positionAt(text, length === path.length && part === "value" ? place.value : place.key);
    }
    return { line: 1, column: 1 };
  };
}

/** Where a key path begins and where its value does, as offsets into the text. */
interface Place {
  readonly key: number;
  readonly value: number;
  /** False for `a` of `[a.b]`: a later `[a]` is the better place. */
  readonly explicit: boolean;
}

interface KeyToken {
  readonly name: string;
  readonly offset: number;
}

/** Walks a TOML text once and notes where every key, table and element stands. */
class TomlScanner {
  readonly places = new Map<string, Place>();
  readonly #text: string;
  /** Tables that `[[name]]` has opened so far, by the key of their path. */
  readonly #tableCounts = new Map<string, number>();
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    let table: TomlPath = [];
    for (this.#skipBlank(); this.#at < text.length; this.#skipBlank()) {
      const before = this.#at;
      if (this.#peek() === "[") table = this.#readHeader();
      else this.#readPair(table);
      // Text that is not TOML must not hold the scan up.
      if (this.#at === before) this.#at++;
    }
  }

  #readHeader(): TomlPath {
    const isArray = this.#text.startsWith("[[", this.#at);
    this.#at += isArray ? 2 : 1;
    const keys = this.#readKeys();
    const path: (string | number)[] = [];
    for (const [index, { name, offset }] of keys.entries()) {
      const isLast = index === keys.length - 1;
      path.push(name);
      this.#note(path, offset, offset, isLast);
      const key = placeKey(path);
      const count = this.#tableCounts.get(key) ?? 0;
      if (isLast && isArray) {
        this.#tableCounts.set(key, count + 1);
        path.push(count);
        this.#note(path, offset, offset, true);
      } else if (count > 0) {
        // `[x.y]` behind `[[x]]` speaks of the x that was opened last.
        path.push(count - 1);
      }
    }
    while (this.#peek() === "]") this.#at++;
    return path;
  }

  #readPair(table: TomlPath): void {
    const keys = this.#readKeys();
    const path = [...table];
    for (const { name, offset } of keys.slice(0, -1)) {
      path.push(name);
      this.#note(path, offset, offset, false);
    }
    this.#skipSpace();
    if (this.#peek() === "=") this.#at++;
    this.#skipSpace();
    const last = keys.at(-1);
    if (last === undefined) return;
    path.push(last.name);
    this.#note(path, last.offset, this.#at, true);
    this.#readValue(path);
  }

  /** Reads `a . "b c" . 'd'`. */
  #readKeys(): KeyToken[] {
    const keys: KeyToken[] = [];
    for (;;) {
      this.#skipSpace();
      const offset = this.#at;
      const quote = this.#peek();
      if (quote === '"' || quote === "'") {
        this.#skipString();
        const inner = this.#text.slice(offset + 1, this.#at - 1);
        keys.push({ name: quote === '"' ? unescaped(inner) : inner, offset });
      } else {
        this.#skipUntil(/[\s.=[\]{},#]/g);
        keys.push({ name: this.#text.slice(offset, this.#at), offset });
      }
      this.#skipSpace();
      if (this.#peek() !== ".") return keys;
      this.#at++;
    }
  }

  #readValue(path: TomlPath): void {
    const first = this.#peek();
    if (first === "[") this.#readArray(path);
    else if (first === "{") this.#readInlineTable(path);
    else if (first === '"' || first === "'") this.#skipString();
    else this.#skipUntil(/[,\]}#\n]/g);
  }

  #readArray(path: TomlPath): void {
    this.#at++;
    let index = 0;
    for (this.#skipBlank(); this.#hasMore("]"); this.#skipBlank()) {
      if (this.#peek() === ",") {
        this.#at++;
        continue;
      }
      const before = this.#at;
      const element = [...path, index++];
      this.#note(element, before, before, true);
      this.#readValue(element);
      if (this.#at === before) this.#at++;
    }
    this.#at++;
  }

  #readInlineTable(path: TomlPath): void {
    this.#at++;
    for (this.#skipBlank(); this.#hasMore("}"); this.#skipBlank()) {
      const before = this.#at;
      if (this.#peek() === ",") this.#at++;
      else this.#readPair(path);
      if (this.#at === before) this.#at++;
    }
    this.#at++;
  }

  #skipString(): void {
    const quote = this.#peek();
    const isLong = this.#text.startsWith(quote.repeat(3), this.#at);
    const end = isLong ? quote.repeat(3) : quote;
    this.#at += end.length;
    while (this.#at < this.#text.length && !this.#text.startsWith(end, this.#at)) {
      this.#at += quote === '"' && this.#peek() === "\\" ? 2 : 1;
    }
    this.#at += end.length;
    // A multi-line string may end in up to two quotes of its own before the closing three.
    for (let own = 0; isLong && own < 2 && this.#peek() === quote; own++) this.#at++;
  }

  #skipBlank(): void {
    for (;;) {
      this.#skipUntil(/\S/g);
      if (this.#peek() !== "#") return;
      this.#skipUntil(/\n/g);
    }
  }

  #skipSpace(): void {
    this.#skipUntil(/[^ \t]/g);
  }

  #skipUntil(stop: RegExp): void {
    stop.lastIndex = this.#at;
    this.#at = stop.exec(this.#text)?.index ?? this.#text.length;
  }

  #hasMore(end: string): boolean {
    return this.#at < this.#text.length && this.#peek() !== end;
  }

  #peek(): string {
    return this.#text.charAt(this.#at);
  }

  #note(path: TomlPath, key: number, value: number, explicit: boolean): void {
    const known = this.places.get(placeKey(path));
    if (known === undefined || (explicit && !known.explicit)) {
      this.places.set(placeKey(path), { key, value, explicit });
    }
  }
}

function placeKey(path: TomlPath): string {
  return JSON.stringify(path);
}

function positionAt(text: string, offset: number): TomlPosition {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf("\n") + 1;
  return { line: before.split("\n").length, column: offset - lineStart + 1 };
}

const escapes: Readonly<Record<string, string>> = {
  b: "\b",
  t: "\t",
  n: "\n",
  f: "\f",
  r: "\r",
  e: "\u001b",
};

function unescaped(inner: string): string {
  const escape = /\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))/g;
  return inner.replace(escape, (whole, x?: string, u?: string, long?: string, short?: string) => {
    if (short !== undefined) return escapes[short] ?? short;
    const codePoint = Number.parseInt(x ?? u ?? long ?? "", 16);
    return codePoint <= 0x10_ff_ff ? String.fromCodePoint(codePoint) : whole;
  });
}
