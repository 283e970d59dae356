import { BedsError } from "../contract/errors.ts";
import { suggestion } from "../contract/suggest.ts";
import { operationName } from "../contract/template.ts";
import { type LoadedNode, loadNode } from "../ipl/load.ts";
import { servingOf } from "../ipl/routes.ts";
import type { Invocation } from "./command.ts";
import { nodeOptions } from "./node-options.ts";

/**
 * `beds list <what>`: a table, or with `--json` a list of objects with the table's columns as keys.
 */
export async function list(invocation: Invocation): Promise<number> {
  const [what = ""] = invocation.words;
  const rowsOf = listings.get(what);
  if (rowsOf === undefined) {
    const known = [...listings.keys()];
    const detail = `beds list ${what}${suggestion(what, known)}`;
    throw new BedsError("BEDS-U003", { detail, hint: `list one of ${known.join(", ")}` });
  }
  const rows = rowsOf(await loadNode(await nodeOptions(invocation)));
  const { output } = invocation;
  if (output.json) {
    output.document(rows);
    return 0;
  }
  const [first] = rows;
  if (first === undefined) output.say(`there are no ${what}`);
  else output.table({ columns: Object.keys(first), rows: rows.map(cellsOf) });
  return 0;
}

/** One line of a list; every line of a list has the same keys in the same order. */
type ListRow = Readonly<Record<string, string | number | boolean | readonly string[]>>;

const listings: ReadonlyMap<string, (node: LoadedNode) => readonly ListRow[]> = new Map([
  ["templates", templateRows],
  ["ops", operationRows],
  ["brokers", brokerRows],
  ["plugins", pluginRows],
]);

function templateRows({ registry }: LoadedNode): readonly ListRow[] {
  return registry.all.map((template) => ({
    template: template.name,
    tla: template.tla,
    class: template.class,
    database: template.database,
    service: template.service,
    operations: template.operations.size,
    description: template.description,
  }));
}

function operationRows({ registry, brokers }: LoadedNode): readonly ListRow[] {
  return registry.all.flatMap((template) =>
    [...template.operations.values()].map((operation) => ({
      operation: operationName(template, operation),
      kind: operation.kind,
      arguments: operation.parameters.map(({ name, type, required }) => {
        return required ? `${name}:${type}` : `[${name}:${type}]`;
      }),
      result: operation.result.shape,
      roles: operation.roles,
      key: servingOf(template, operation, brokers).lane.routingKey,
      object: operation.object,
    })),
  );
}

function brokerRows({ brokers, loaded }: LoadedNode): readonly ListRow[] {
  const services = new Map(Object.entries(loaded.config.broker_services));
  return [...brokers].map(([name, { service, lanes, accepts }]) => {
    const settings = services.get(service);
    return {
      broker: name,
      service,
      local: settings?.is_local ?? false,
      instances: settings?.brokers[name] ?? 0,
      accepts,
      queues: lanes.map(({ queue }) => queue),
      keys: lanes.map(({ routingKey }) => routingKey),
    };
  });
}

function pluginRows({ plugins }: LoadedNode): readonly ListRow[] {
  return plugins.all.map(({ plugin, origin }) => ({
    plugin: plugin.name,
    kind: plugin.kind,
    origin,
    summary: plugin.summary,
  }));
}

function cellsOf(row: ListRow): readonly (string | number)[] {
  return Object.values(row).map((value) => {
    if (typeof value === "boolean") return value ? "yes" : "no";
    return typeof value === "string" || typeof value === "number" ? value : value.join(" ");
  });
}
