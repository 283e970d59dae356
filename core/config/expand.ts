import type { TomlPath } from "../contract/toml-position.ts";
import { isTable, type RawTable } from "./layers.ts";
import type { Report } from "./report.ts";
import { parseSecretReference, Secret, type SecretSource } from "./secret.ts";

/**
 * Replaces `${V}`, `${V:-default}` and `${V:?message}` in every text of the merged tables, then
 * every text under a key `pass` by a `Secret`. Both happen after parsing, so that no value of a
 * variable can become a key or a table. Findings: BEDS-C007 for a missing variable, BEDS-C004 for a
 * secret that stands there as plain text.
 */
export function expandTables(table: RawTable, source: SecretSource, report: Report): RawTable {
  return expandTable(table, [], { source, report });
}

/** A key of this name holds a secret, wherever BEDS's own schema (and no plugin's) is in force. */
export const secretKey = "pass";

interface Context {
  readonly source: SecretSource;
  readonly report: Report;
}

function expandTable(table: RawTable, path: TomlPath, context: Context): RawTable {
  const entries = Object.entries(table);
  return Object.fromEntries(
    entries.map(([key, value]) => [key, expandValue(value, [...path, key], context)]),
  );
}

function expandValue(value: unknown, path: TomlPath, context: Context): unknown {
  if (path.at(-1) === secretKey && !path.includes("options")) {
    return mintSecret(value, path, context);
  }
  if (isTable(value)) return expandTable(value, path, context);
  if (Array.isArray(value)) {
    return value.map((element, index) => expandValue(element, [...path, index], context));
  }
  return typeof value === "string" ? expandVariables(value, path, context) : value;
}

/** `$${` stands for `${` itself. */
const variable = /\$\$\{|\$\{([A-Za-z_]\w*)(?::([-?])([^}]*))?\}|\$\{/g;

function expandVariables(text: string, path: TomlPath, context: Context): string {
  if (!text.includes("${")) return text;
  const where = path.join(".");
  return text.replace(variable, (whole, name?: string, rule?: string, word = "") => {
    if (whole === "$${") return "${";
    if (name === undefined) {
      const hint = "write ${NAME}, ${NAME:-default} or ${NAME:?message}; $${ for a plain ${";
      context.report.add(path, { code: "BEDS-C004", detail: `${where}: no variable in \${`, hint });
      return "";
    }
    const value = context.source.environment[name];
    if (value !== undefined && (value !== "" || rule === undefined)) return value;
    if (rule === "-") return word;
    const reason = rule === "?" && word !== "" ? `: ${word}` : "";
    context.report.add(path, { code: "BEDS-C007", detail: `${where}: ${name}${reason}` });
    return "";
  });
}

/** Whatever stands there is not repeated in the finding: it may be the secret itself. */
function mintSecret(value: unknown, path: TomlPath, context: Context): Secret {
  const text = typeof value === "string" ? expandVariables(value, path, context) : undefined;
  const reference = text === undefined ? undefined : parseSecretReference(text);
  const { where } = context.report.place(path);
  if (reference === undefined) {
    context.report.add(path, {
      code: "BEDS-C004",
      detail: `${path.join(".")}: a secret must not stand here as plain text`,
      hint: 'write a reference: "file:PATH", "env:NAME" or "credential:NAME"',
    });
  }
  return new Secret(reference ?? { kind: "none" }, context.source, path.join("."), where);
}
