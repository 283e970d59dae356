import * as v from "valibot";
import { suggestion } from "../contract/suggest.ts";
import type { TomlPath } from "../contract/toml-position.ts";
import { isTable, type RawTable } from "./layers.ts";
import type { Report } from "./report.ts";
import { configSchema } from "./schema.ts";
import { nodeAt, readSchema, type SchemaNode } from "./schema-tree.ts";
import { renderValue } from "./value-text.ts";

export type CheckedConfig = v.InferOutput<typeof configSchema>;

/**
 * Checks expanded tables by the schema and adds what does not fit to `report`: unknown keys with a
 * suggestion (BEDS-C003), wrong and missing values with what was expected (BEDS-C004), names of
 * sections that do not exist (BEDS-C008). Out: the configuration with its defaults; undefined when
 * the tables do not even have its shape.
 */
export function checkTables(table: RawTable, report: Report): CheckedConfig | undefined {
  const root = readSchema(configSchema);
  const checked = v.safeParse(configSchema, knownPart(table, root, [], report));
  for (const issue of checked.issues ?? []) addIssue(issue, root, report);
  if (!checked.success) return undefined;
  checkRelations(checked.output, report);
  return checked.output;
}

/** The table without what the schema does not know, each of which is a finding. */
function knownPart(table: RawTable, node: SchemaNode, path: TomlPath, report: Report): RawTable {
  const known: RawTable = {};
  for (const [key, value] of Object.entries(table)) {
    const inner = [...path, key];
    const child = node.shape === "table" ? node.entries.get(key) : node.each;
    if (child === undefined) {
      report.add(inner, unknownKey(inner, node));
    } else if (child.shape === "value") {
      known[key] = value;
    } else if (!isTable(value)) {
      report.add(inner, wrongValue(inner, value, child));
    } else {
      known[key] = child.shape === "free" ? value : knownPart(value, child, inner, report);
    }
  }
  return known;
}

function unknownKey(path: TomlPath, parent: SchemaNode) {
  const candidates = [...parent.entries.keys()];
  const found = suggestion(String(path.at(-1)), candidates);
  return {
    code: "BEDS-C003",
    part: "key",
    detail: `${path.join(".")}${found}`,
    ...(found === "" ? { hint: `known here: ${candidates.join(", ")}` } : {}),
  } as const;
}

function wrongValue(path: TomlPath, value: unknown, node: SchemaNode) {
  const fallback = node.shape === "value" ? node.fallback : undefined;
  return {
    code: "BEDS-C004",
    detail: `${path.join(".")} = ${renderValue(value)}: expected ${node.expected}`,
    ...(fallback === undefined
      ? {}
      : { hint: `correct it, or leave it out for the default, ${renderValue(fallback)}` }),
  } as const;
}

function addIssue(issue: v.BaseIssue<unknown>, root: SchemaNode, report: Report): void {
  const items = issue.path ?? [];
  const path = items.map(({ key }) => (typeof key === "number" ? key : String(key)));
  const last = items.at(-1);
  const node = nodeAt(root, path) ?? nodeAt(root, path.slice(0, -1));
  if (node === undefined || last === undefined) return;
  if (last.origin === "key" && last.value !== undefined) {
    const detail = `${path.join(".")}: a name has letters, digits, '-' and '_', a letter first`;
    report.add(path, { code: "BEDS-C004", part: "key", detail });
  } else if (last.origin === "key") {
    const detail = `${path.join(".")} is missing: expected ${node.expected}`;
    report.add(path, { code: "BEDS-C004", detail, hint: `add ${String(path.at(-1))}` });
  } else {
    report.add(path, wrongValue(path, last.value, node));
  }
}

/** What must hold between sections, which no schema of one of them can say. */
function checkRelations(config: CheckedConfig, report: Report): void {
  const { node, client, broker_services: services } = config;
  if (!/^[A-Za-z0-9_-]{0,63}$/.test(node.name)) {
    const detail = `node.name = ${renderValue(node.name)}: expected letters, digits, '-' and '_'`;
    report.add(["node", "name"], { code: "BEDS-C004", detail, hint: "choose a short name" });
  }
  if (node.hang_ms < 2 * node.heartbeat_ms) {
    const detail = `node.hang_ms = ${node.hang_ms}: expected at least twice node.heartbeat_ms`;
    const hint = `write ${2 * node.heartbeat_ms} or more; a late heartbeat is no hang`;
    report.add(["node", "hang_ms"], { code: "BEDS-C004", detail, hint });
  }
  if (!Object.hasOwn(services, client.service)) {
    const names = Object.keys(services);
    const meant = suggestion(client.service, names);
    const detail = `client.service = ${renderValue(client.service)}${meant}`;
    const hint = `broker services are ${names.join(", ")}`;
    report.add(["client", "service"], { code: "BEDS-C008", detail, hint });
  }
  for (const [name, { is_local: isLocal, user }] of Object.entries(services)) {
    if (!isLocal || user !== "") continue;
    const detail = `broker_services.${name}.user is missing: a local service needs an account`;
    report.add(["broker_services", name, "user"], { code: "BEDS-C004", detail, hint: "add user" });
  }
}
