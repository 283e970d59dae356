import { isDocument, isList } from "./node.ts";
import { Unfit } from "./unfit.ts";

/** Levels of a stored document, its own included; MongoDB itself would take 100. */
const mostLevels = 32;

/** Characters of all keys and texts, plus one for each value. */
const mostCharacters = 1_048_576;

/**
 * A JSON value made inert: it can be stored and nothing else. Documents become Maps, because the
 * driver reads a plain object with a key `_bsontype` as one of its own types; a Map is stored key
 * by key, as it is.
 *
 * Errors: `Unfit` for a key that begins with `$`, contains NUL or is `__proto__`, for what is too
 * deep or too large, and for what is no JSON.
 */
export function inertDocument(value: unknown): unknown {
  const budget = { left: mostCharacters };
  return inert(value, 1, budget);
}

interface Budget {
  left: number;
}

function inert(value: unknown, level: number, budget: Budget): unknown {
  spend(1, budget);
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "string") {
    spend(value.length, budget);
    if (!value.isWellFormed()) throw new Unfit("has a text that is not well-formed Unicode");
    return value;
  }
  if (typeof value === "number" && Number.isFinite(value)) return value;
  if (level > mostLevels) throw new Unfit(`is nested deeper than ${mostLevels} levels`);
  if (isList(value)) return value.map((inner) => inert(inner, level + 1, budget));
  if (!isDocument(value)) throw new Unfit("must be JSON");
  const entries = Object.entries(value).map(([key, inner]): [string, unknown] => {
    refuseKey(key);
    spend(key.length, budget);
    return [key, inert(inner, level + 1, budget)];
  });
  return new Map(entries);
}

function spend(characters: number, budget: Budget): void {
  budget.left -= characters;
  if (budget.left < 0) throw new Unfit(`is larger than ${mostCharacters} characters`);
}

function refuseKey(key: string): void {
  if (key.startsWith("$")) throw new Unfit("has a key that begins with $");
  if (key === "__proto__" || key.includes("\0") || !key.isWellFormed()) {
    throw new Unfit("has a key that cannot be stored");
  }
}
