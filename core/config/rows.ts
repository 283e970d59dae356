import { isTable } from "./layers.ts";
import type { LoadedConfig } from "./load.ts";
import { renderValue } from "./value-text.ts";

/** One value that is in force. */
export interface ConfigRow {
  /** `node.workers` */
  readonly path: string;
  /** As TOML writes it; a secret shows only where it is kept. */
  readonly value: string;
  /**
   * `default`, `config/env_dev.toml:3:1`, `environment BEDS__NODE__WORKERS`, `flag --set
   * node.workers`
   */
  readonly origin: string;
}

/**
 * Every value in force with where it was said, in the schema's order: `beds config show --origin`.
 */
export function configRows(loaded: LoadedConfig): readonly ConfigRow[] {
  return rowsOf(loaded.config, [], loaded);
}

function rowsOf(table: object, path: readonly string[], loaded: LoadedConfig): ConfigRow[] {
  return Object.entries(table).flatMap(([key, value]) => {
    const inner = [...path, key];
    if (isTable(value)) return rowsOf(value, inner, loaded);
    const shown = isForeignSecret(inner) ? "***" : renderValue(value);
    return [{ path: inner.join("."), value: shown, origin: loaded.originOf(inner) }];
  });
}

/** Plugins' own options have no secret type; what is called like one is masked all the same. */
function isForeignSecret(path: readonly string[]): boolean {
  const name = path.at(-1) ?? "";
  return path.includes("options") && /pass|secret|token|key|credential/i.test(name);
}
