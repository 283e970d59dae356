import { BedsError } from "../../../core/contract/index.ts";

/**
 * Whether a name can stand in a statement. Stricter than the server, so that quoting can never go
 * wrong.
 */
export function isName(text: string): boolean {
  return /^[A-Za-z0-9_]{1,64}$/.test(text);
}

/**
 * A name of the configuration or a template, quoted. Never used for input. Errors: BEDS-T003 for
 * one that cannot be a name; templates were checked before, so that is a last guard.
 */
export function quoteName(text: string): string {
  if (!isName(text)) {
    const detail = `"${text}" is not a name that a statement can hold`;
    throw new BedsError("BEDS-T003", { detail, hint: "use letters, digits and _ alone, up to 64" });
  }
  return `\`${text}\``;
}
