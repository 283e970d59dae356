import { BedsError } from "../contract/errors.ts";
import type { JsonValue } from "../contract/message.ts";
import { suggestion } from "../contract/suggest.ts";

type Arguments = { readonly [name: string]: JsonValue };
type Meta = Readonly<Record<string, string | number | boolean>>;

/**
 * Reads a request's arguments from the word behind the operation or from `--data` (`<json>`,
 * `@file`, `-`); none means no arguments. Errors: BEDS-U003 when both are given or a file cannot be
 * read, BEDS-U004 when it is no JSON object.
 */
export async function readArguments(
  word: string | undefined,
  option: string | undefined,
): Promise<Arguments> {
  if (word !== undefined && option !== undefined) {
    throw new BedsError("BEDS-U003", { detail: `--data and ${word}: only one of them is wanted` });
  }
  const given = word ?? option;
  if (given === undefined) return {};
  const text = await readText(given);
  const source = given === "-" ? "standard input" : given.startsWith("@") ? given : "the argument";
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new BedsError("BEDS-U004", { detail: `${source}: ${reason}`, cause: thrown });
  }
  if (isArguments(value)) return value;
  throw new BedsError("BEDS-U004", { detail: `${source} is JSON, but not one object` });
}

/**
 * Reads `--meta key=value` pairs, each by the type that its key has on the wire. Errors: BEDS-U003.
 */
export function readMeta(pairs: Readonly<Record<string, string>>): Meta {
  const entries = Object.entries(pairs).map(([key, text]) => {
    const type = metaTypes.get(key);
    if (type === undefined) {
      throw wrongMeta(`${key}: there is no such key${suggestion(key, metaTypes.keys())}`);
    }
    if (type === "text") return [key, text] as const;
    if (type === "number" && /^\d+$/.test(text)) return [key, Number(text)] as const;
    if (type === "flag" && /^(true|false)$/.test(text)) return [key, text === "true"] as const;
    throw wrongMeta(`${key}=${text}: ${type === "flag" ? "true or false" : "a number"} is wanted`);
  });
  return Object.fromEntries(entries);
}

/** The keys of `meta` in `core/message/envelope-schema.ts`. */
const metaTypes: ReadonlyMap<string, "text" | "number" | "flag"> = new Map([
  ["principal", "text"],
  ["idempotency_key", "text"],
  ["expected_version", "number"],
  ["deadline", "number"],
  ["consistency", "text"],
  ["token", "text"],
  ["ticket", "flag"],
]);

async function readText(given: string): Promise<string> {
  if (given === "-") return await Bun.stdin.text();
  if (!given.startsWith("@")) return given;
  const path = given.slice(1);
  try {
    return await Bun.file(path).text();
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new BedsError("BEDS-U003", { detail: `${path}: ${reason}`, cause: thrown });
  }
}

function wrongMeta(reason: string): BedsError {
  return new BedsError("BEDS-U003", { detail: `--meta ${reason}` });
}

/** What `JSON.parse` makes holds nothing but JSON values. */
function isArguments(value: unknown): value is Arguments {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
