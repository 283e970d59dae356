import { BedsError } from "../contract/errors.ts";
import type { OptionRule } from "./command.ts";

/** What every command understands. */
export const commonOptions: readonly OptionRule[] = [
  { name: "config", value: "<file>", summary: "the configuration file" },
  { name: "set", value: "<key>=<value>", summary: "set a configuration key; may be repeated" },
  { name: "json", summary: "print one JSON document for programs" },
  { name: "no-color", summary: "print without colours, as NO_COLOR does" },
  { name: "no-input", summary: "never ask; fail where an answer is needed" },
  { name: "help", short: "h", summary: "show this help" },
  { name: "version", short: "V", summary: "say which version this is", hidden: true },
];

/** The options of one command line. Only names that the command declares can be in it. */
export class Options {
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(values: ReadonlyMap<string, readonly string[]>) {
    this.#values = values;
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** The value; the last one where it was given more than once. */
  value(name: string): string | undefined {
    return this.#values.get(name)?.at(-1);
  }

  all(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  /** A whole number within bounds. Errors: BEDS-U003. */
  integer(
    name: string,
    bounds: { readonly min: number; readonly max: number },
  ): number | undefined {
    const text = this.value(name);
    if (text === undefined) return undefined;
    const number = Number(text);
    const fits = /^\d+$/.test(text) && number >= bounds.min && number <= bounds.max;
    if (fits) return number;
    const wanted = `a whole number from ${bounds.min} to ${bounds.max}`;
    const detail = `--${name} ${text}: ${wanted} is wanted`;
    throw new BedsError("BEDS-U003", { detail });
  }

  /** `key=value` pairs of a repeatable option. Errors: BEDS-U003. */
  pairs(name: string): Readonly<Record<string, string>> {
    const entries = this.all(name).map((text) => {
      const at = text.indexOf("=");
      if (at > 0) return [text.slice(0, at), text.slice(at + 1)] as const;
      throw new BedsError("BEDS-U003", { detail: `--${name} ${text}: key=value is wanted` });
    });
    return Object.fromEntries(entries);
  }
}
