import * as v from "valibot";
import { Secret } from "./secret.ts";

/** A table whose keys are fixed. Unknown keys are refused (BEDS-C003). */
export function section<E extends v.ObjectEntries>(description: string, entries: E) {
  return v.pipe(v.strictObject(entries), v.description(description));
}

/** A table whose keys are names that the operator chooses: databases, principals, brokers. */
export function named<S extends v.GenericSchema>(description: string, value: S) {
  const name = v.pipe(v.string(), v.regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/));
  return v.optional(v.pipe(v.record(name, value), v.description(description)), {});
}

export function integer(description: string, bounds: Bounds, fallback: number) {
  return v.optional(requiredInteger(description, bounds), fallback);
}

export function requiredInteger(description: string, bounds: Bounds) {
  return v.pipe(
    v.number(),
    v.integer(),
    v.minValue(bounds.min),
    v.maxValue(bounds.max),
    v.description(description),
  );
}

export interface Bounds {
  readonly min: number;
  readonly max: number;
}

/** Time-outs and intervals, in milliseconds, within what a person can have meant. */
export function milliseconds(description: string, fallback: number, min = 100) {
  return integer(`${description}, in milliseconds`, { min, max: 3_600_000 }, fallback);
}

export function text(description: string, fallback: string) {
  return v.optional(v.pipe(v.string(), v.maxLength(4096), v.description(description)), fallback);
}

/** A text that must not be empty: a host's name, a path. */
export function word(description: string, fallback: string) {
  return v.optional(requiredText(description), fallback);
}

export function requiredText(description: string) {
  return v.pipe(v.string(), v.nonEmpty(), v.maxLength(4096), v.description(description));
}

export function texts(description: string, fallback: readonly string[]) {
  const list = v.pipe(v.array(v.pipe(v.string(), v.nonEmpty())), v.description(description));
  return v.optional(list, () => [...fallback]);
}

export function flag(description: string, fallback: boolean) {
  return v.optional(v.pipe(v.boolean(), v.description(description)), fallback);
}

/** One of a few words. */
export function choice<const T extends readonly string[]>(
  description: string,
  words: T,
  fallback: T[number],
) {
  return v.optional(v.pipe(v.picklist(words), v.description(description)), fallback);
}

/**
 * A password: never the text itself, always a reference to where it is kept
 * (`core/config/secret.ts`).
 */
export function secret(description: string) {
  const expected = "a secret reference: file:PATH, env:NAME or credential:NAME";
  const schema = v.pipe(v.instance(Secret), v.description(description), v.metadata({ expected }));
  return v.optional(schema, Secret.none);
}

/** A table that a plugin checks by its own schema. */
export function free(description: string) {
  return v.pipe(v.record(v.string(), v.unknown()), v.description(description));
}
