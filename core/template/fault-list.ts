import { BedsError, type ErrorCode, type SourceLocation } from "../contract/errors.ts";
import { Findings } from "../contract/findings.ts";
import { scanPositions, type TomlPart, type TomlPath } from "../contract/toml-position.ts";

/** Collects what is wrong with one template file, each fault with its place in the text. */
export class FaultList {
  readonly #file: string;
  readonly #errors: BedsError[] = [];
  readonly #positionOf: ReturnType<typeof scanPositions>;

  constructor(text: string, file: string) {
    this.#file = file;
    this.#positionOf = scanPositions(text);
  }

  add(code: ErrorCode, path: TomlPath, detail: string, part: TomlPart = "key"): void {
    const where = this.where(path, part);
    // A number that is neither whole nor within its bounds breaks two rules with one text.
    const isSaid = this.#errors.some((error) => error.code === code && error.detail === detail);
    if (!isSaid) this.#errors.push(new BedsError(code, { detail, where }));
  }

  where(path: TomlPath, part: TomlPart = "key"): SourceLocation {
    return Object.freeze({ file: this.#file, ...this.#positionOf(path, part) });
  }

  /** All faults in the order of the file; undefined when there is none. */
  findings(): Findings | undefined {
    if (this.#errors.length === 0) return undefined;
    return new Findings(this.#errors.toSorted((a, b) => place(a) - place(b)));
  }
}

/** Lines have far fewer columns than this. */
function place(error: BedsError): number {
  return (error.where?.line ?? 0) * 100_000 + (error.where?.column ?? 0);
}
