import { type GenericSchema, type InferOutput, safeParse } from "valibot";
import type { AdapterDriver } from "./adapter.ts";
import type { Broker } from "./broker.ts";
import { BedsError } from "./errors.ts";
import type { LogSink } from "./logger.ts";
import { contractVersion } from "./version.ts";

/** What each kind of plugin makes. */
export interface PluginProducts {
  readonly adapter: AdapterDriver;
  readonly broker: Broker;
  readonly logger: LogSink;
}

export type PluginKind = keyof PluginProducts;
export const pluginKinds: readonly PluginKind[] = ["adapter", "broker", "logger"];

/**
 * A plugin as its author writes it. `options` is the only home of the options' defaults and
 * descriptions; the reference pages are generated from it. `example` is a TOML text that a person
 * can paste into the configuration.
 */
export interface PluginDefinition<K extends PluginKind, S extends GenericSchema> {
  readonly contract: number;
  readonly kind: K;
  /** What configuration and templates call it. */
  readonly name: string;
  /** One line for `beds list plugins`. */
  readonly summary: string;
  readonly options: S;
  readonly example: string;
  create(options: InferOutput<S>): PluginProducts[K] | Promise<PluginProducts[K]>;
}

/** A checked plugin, as `definePlugin` makes it and the registry (`core/plugins.ts`) holds it. */
export class Plugin<K extends PluginKind = PluginKind> {
  readonly kind: K;
  readonly name: string;
  readonly summary: string;
  readonly options: GenericSchema;
  readonly example: string;
  /**
   * Checks `options` by the plugin's own schema and makes the product. Errors: BEDS-P007 for the
   * options, BEDS-P005 for whatever the plugin throws.
   */
  readonly create: (options: unknown) => Promise<PluginProducts[K]>;

  constructor(
    facts: Omit<PluginDefinition<K, GenericSchema>, "contract" | "create">,
    create: Plugin<K>["create"],
  ) {
    this.kind = facts.kind;
    this.name = facts.name;
    this.summary = facts.summary;
    this.options = facts.options;
    this.example = facts.example;
    this.create = create;
  }
}

/**
 * Declares a plugin; the default export of its file is what this returns. Errors: BEDS-P003 when it
 * was written for another version of the contract, BEDS-P004 when a field is missing or wrong.
 * Called while the file is imported.
 */
export function definePlugin<K extends PluginKind, S extends GenericSchema>(
  definition: PluginDefinition<K, S>,
): Plugin<K> {
  refuseWrongDefinition(definition);
  const { name } = definition;
  return new Plugin<K>(definition, async (options) => {
    const checked = safeParse(definition.options, options);
    if (!checked.success) {
      const [issue] = checked.issues;
      throw new BedsError("BEDS-P007", {
        detail: `${name}: ${issue.message}`,
        hint: definition.example,
      });
    }
    try {
      return await definition.create(checked.output);
    } catch (thrown) {
      if (thrown instanceof BedsError) throw thrown;
      throw new BedsError("BEDS-P005", { detail: `${name}: ${String(thrown)}`, cause: thrown });
    }
  });
}

/** A plugin may be plain JavaScript, so that nothing but this has checked what it says. */
function refuseWrongDefinition(definition: PluginDefinition<PluginKind, GenericSchema>): void {
  if (definition.contract !== contractVersion) {
    const detail = `it wants contract ${definition.contract}, this is ${contractVersion}`;
    throw new BedsError("BEDS-P003", { detail });
  }
  const wrong = [
    ["kind", pluginKinds.includes(definition.kind)],
    ["name", typeof definition.name === "string" && /^[A-Za-z][\w-]*$/.test(definition.name)],
    ["summary", typeof definition.summary === "string" && definition.summary !== ""],
    ["options", typeof definition.options === "object" && definition.options !== null],
    ["example", typeof definition.example === "string"],
    ["create", typeof definition.create === "function"],
  ].flatMap(([field, right]) => (right === true ? [] : [String(field)]));
  if (wrong.length > 0) {
    throw new BedsError("BEDS-P004", { detail: `missing or wrong: ${wrong.join(", ")}` });
  }
}
