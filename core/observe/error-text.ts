import { BedsError } from "../contract/errors.ts";
import { Findings } from "../contract/findings.ts";
import { printable } from "./printable.ts";

export interface RenderOptions {
  /** ANSI colours; only for a terminal that wants them. */
  readonly color: boolean;
}

/** An error as `--json` shows it. */
export interface ErrorJson {
  readonly code: string;
  readonly class: string;
  readonly message: string;
  readonly detail: string;
  readonly hint: string;
  readonly retryable: boolean;
  readonly where: { readonly file: string; readonly line: number; readonly column: number } | null;
}

/**
 * Whatever was thrown, as a person reads it on a terminal; findings one after the other, with an
 * empty line between:
 *
 *     error[BEDS-T014]: message: detail
 *       --> templates/posts.toml:31:11
 *       hint: what to do
 *
 * Ends without a line break. Called by `core/main.ts` and the commands.
 */
export function renderError(thrown: unknown, { color }: RenderOptions): string {
  const paint = color ? colored : plain;
  return errorsOf(thrown)
    .map((error) => renderOne(error, paint))
    .join("\n\n");
}

/** The same for programs: one element for each error. */
export function errorJson(thrown: unknown): readonly ErrorJson[] {
  return errorsOf(thrown).map((error) => ({
    code: error.code,
    class: error.class,
    message: error.message,
    detail: error.detail,
    hint: error.hint,
    retryable: error.retryable,
    where: error.where ?? null,
  }));
}

/** The errors in whatever was thrown; what nobody foresaw counts as a bug (BEDS-B001). */
export function errorsOf(thrown: unknown): readonly BedsError[] {
  return thrown instanceof Findings ? thrown.errors : [BedsError.from(thrown)];
}

type Paint = (role: "error" | "place" | "hint", text: string) => string;

const plain: Paint = (_role, text) => text;
const styles = { error: "\u001b[1;31m", place: "\u001b[2m", hint: "\u001b[36m" } as const;
const colored: Paint = (role, text) => `${styles[role]}${text}\u001b[0m`;

function renderOne(error: BedsError, paint: Paint): string {
  const title = error.detail === "" ? error.message : `${error.message}: ${error.detail}`;
  const lines = [`${paint("error", `error[${error.code}]`)}: ${indented(title)}`];
  if (error.where !== undefined) {
    const { file, line, column } = error.where;
    lines.push(`  ${paint("place", "-->")} ${printable(file)}:${line}:${column}`);
  }
  if (error.hint !== "") lines.push(`  ${paint("hint", "hint:")} ${indented(error.hint)}`);
  return lines.join("\n");
}

/**
 * A text of several lines (a plugin's example, a database's message) stays below what it belongs
 * to.
 */
function indented(text: string): string {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => printable(line))
    .join("\n        ");
}
