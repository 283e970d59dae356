import { BedsError, type ErrorCode } from "../contract/errors.ts";
import { Findings } from "../contract/findings.ts";
import type { TomlPart, TomlPath } from "../contract/toml-position.ts";
import { decidingLayer, type Layer, type Place } from "./layers.ts";

/** What is wrong with one key path. */
export interface Finding {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly hint?: string;
  /** Whether the key or its value is at fault, for the column. Default: the value. */
  readonly part?: TomlPart;
}

/** Collects everything that is wrong with a configuration, one finding for each key path. */
export class Report {
  readonly #layers: readonly Layer[];
  readonly #found = new Map<string, BedsError>();

  constructor(layers: readonly Layer[]) {
    this.#layers = layers;
  }

  /** Where `path` was decided; for what nobody says, the place that lacks it. */
  place(path: TomlPath, part: TomlPart = "value"): Place {
    for (let length = path.length; length > 0; length--) {
      const layer = decidingLayer(this.#layers, path.slice(0, length));
      if (layer !== undefined) return layer.place(path, part);
    }
    return this.#layers[0]?.place([], "key") ?? { text: "default", where: undefined };
  }

  /** The first finding of a path stands; what follows from it is not said again. */
  add(path: TomlPath, finding: Finding): void {
    const key = JSON.stringify(path);
    if (this.#found.has(key)) return;
    const { text, where } = this.place(path, finding.part);
    const error = new BedsError(finding.code, {
      detail: where === undefined ? `${text}: ${finding.detail}` : finding.detail,
      ...(finding.hint === undefined ? {} : { hint: finding.hint }),
      ...(where === undefined ? {} : { where }),
    });
    this.#found.set(key, error);
  }

  /** Throws `Findings`, in the order of the files, when there are any. */
  throwIfAny(): void {
    if (this.#found.size > 0) throw new Findings([...this.#found.values()].sort(byPlace));
  }
}

function byPlace(one: BedsError, other: BedsError): number {
  const [a, b] = [one.where, other.where];
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.line - b.line || a.column - b.column;
}
