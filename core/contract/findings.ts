import type { BedsError } from "./errors.ts";

/**
 * Everything that is wrong with a set of files, found in one go, so that a person corrects it in
 * one go. Thrown by the loaders of configuration and templates; shown by
 * `core/observe/error-text.ts`, each error in turn.
 */
export class Findings extends Error {
  readonly errors: readonly BedsError[];

  constructor(errors: readonly BedsError[]) {
    super(errors.map((error) => `${error.code}: ${error.message}: ${error.detail}`).join("\n"));
    this.name = "Findings";
    this.errors = Object.freeze([...errors]);
  }
}
