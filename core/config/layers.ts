import { parse, TomlError } from "smol-toml";
import { BedsError, type SourceLocation } from "../contract/errors.ts";
import { scanPositions, type TomlPart, type TomlPath } from "../contract/toml-position.ts";

/** A TOML table as it was parsed, before any schema has seen it. */
export interface RawTable {
  [key: string]: unknown;
}

/** Where a value was said: a place in a file, or an environment variable or flag. */
export interface Place {
  /** `config/env_dev.toml:3:1`, `environment BEDS__NODE__WORKERS`, `flag --set node.workers` */
  readonly text: string;
  readonly where: SourceLocation | undefined;
}

/** One source of configuration. Later layers win, key by key. */
export interface Layer {
  readonly table: RawTable;
  place(path: TomlPath, part: TomlPart): Place;
}

/** Reads one TOML file. `shown` is its name in messages. Errors: BEDS-C002 with the place. */
export function fileLayer(text: string, shown: string): Layer {
  const table = parseFile(text, shown);
  const find = scanPositions(text);
  return {
    table,
    place(path, part) {
      const { line, column } = find(path, part);
      return { text: `${shown}:${line}:${column}`, where: { file: shown, line, column } };
    },
  };
}

/** The variables `BEDS__A__B` of the environment, in the order of their names. */
export function environmentValues(
  environment: Readonly<Record<string, string | undefined>>,
): readonly (readonly [name: string, value: string])[] {
  return Object.entries(environment)
    .flatMap(([name, value]) => {
      return value !== undefined && /^BEDS__/i.test(name) ? [[name, value] as const] : [];
    })
    .sort(([one], [other]) => (one < other ? -1 : 1));
}

/**
 * What `BEDS__A__B` sets: `a.b`. Keys find those of `known` (what the files say) whatever their
 * capitals, so that `BEDS__BROKER_SERVICES__APP_SERVER__BROKERS__RBROKER` reaches `rBroker`; a name
 * that no file has is taken with its own capitals. Errors: BEDS-C003 when it names no key at all.
 */
export function environmentLayer(name: string, value: string, known: RawTable): Layer {
  return singleValue(knownPath(name.split("__").slice(1), known), value, `environment ${name}`);
}

/** What `--set a.b=c` sets. Errors: BEDS-C003 when it names no key at all. */
export function flagLayer(key: string, value: string): Layer {
  return singleValue(key.split("."), value, `flag --set ${key}`);
}

/** Merges tables key by key; a later layer's value replaces an earlier one, lists included. */
export function mergeLayers(layers: readonly Layer[]): RawTable {
  const merged: RawTable = {};
  for (const layer of layers) mergeInto(merged, layer.table);
  return merged;
}

/**
 * The layer that had the last word on `path`; undefined when none speaks of it, so that the default
 * holds.
 */
export function decidingLayer(layers: readonly Layer[], path: TomlPath): Layer | undefined {
  return layers.findLast((layer) => valueAt(layer.table, path) !== undefined);
}

/** Whether a value is a TOML table: neither a list, a date nor anything that this program made. */
export function isTable(value: unknown): value is RawTable {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

export function valueAt(table: unknown, path: TomlPath): unknown {
  let value = table;
  for (const key of path) {
    if (Array.isArray(value)) value = value[Number(key)];
    else value = isTable(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  }
  return value;
}

/** Inline tables and lists may not be nested deeper; configuration never is. */
const maxDepth = 32;

function parseFile(text: string, shown: string): RawTable {
  try {
    return parse(text, { maxDepth, unsafeKeyBehaviour: "throw" });
  } catch (thrown) {
    if (!(thrown instanceof TomlError)) throw thrown;
    const [reason = ""] = thrown.message.replace(/^Invalid TOML document: /, "").split("\n");
    const where = { file: shown, line: thrown.line, column: thrown.column };
    throw new BedsError("BEDS-C002", { detail: reason, where });
  }
}

function singleValue(path: readonly string[], value: string, label: string): Layer {
  if (path.length === 0 || path.some((key) => !/^[A-Za-z0-9_-]+$/.test(key) || unsafe.has(key))) {
    throw new BedsError("BEDS-C003", {
      detail: `${label} names no key`,
      hint: "write BEDS__NODE__WORKERS=4 or --set node.workers=4",
    });
  }
  let table: unknown = parseValue(value);
  for (const key of path.toReversed()) table = { [key]: table };
  return {
    table: isTable(table) ? table : {},
    place: () => ({ text: label, where: undefined }),
  };
}

/** Keys with a meaning of their own in JavaScript; no section has them. */
const unsafe: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/** A TOML value where the text is one (`4`, `true`, `["a"]`), the text itself otherwise. */
function parseValue(value: string): unknown {
  try {
    const parsed = parse(`value = ${value}`, { maxDepth, unsafeKeyBehaviour: "throw" });
    const isOneValue = Object.keys(parsed).length === 1 && !(parsed["value"] instanceof Date);
    return isOneValue ? parsed["value"] : value;
  } catch {
    return value;
  }
}

function knownPath(segments: readonly string[], known: RawTable): string[] {
  let table: unknown = known;
  return segments.map((segment) => {
    const wanted = segment.toLowerCase();
    const keys = isTable(table) ? Object.keys(table) : [];
    const isShouted = segment === segment.toUpperCase();
    const key =
      keys.find((candidate) => candidate.toLowerCase() === wanted) ??
      (isShouted ? wanted : segment);
    table = isTable(table) ? table[key] : undefined;
    return key;
  });
}

function mergeInto(target: RawTable, source: RawTable): void {
  for (const [key, value] of Object.entries(source)) {
    const present = target[key];
    if (isTable(value)) {
      const inner: RawTable = isTable(present) ? present : {};
      mergeInto(inner, value);
      target[key] = inner;
    } else {
      target[key] = Array.isArray(value) ? [...value] : value;
    }
  }
}
