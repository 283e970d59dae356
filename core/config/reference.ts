import { secretKey } from "./expand.ts";
import { markdownTable } from "./markdown.ts";
import { configSchema } from "./schema.ts";
import { readSchema, type SchemaNode } from "./schema-tree.ts";
import { renderValue } from "./value-text.ts";

/**
 * The text of `wiki/Configuration.md`, from the schema. Pure; `beds docs md` writes it, a test
 * compares the two.
 */
export function configurationReference(): string {
  const root = readSchema(configSchema);
  const parts = [preface, ...sectionsOf(root, "")];
  return `${parts.join("\n\n")}\n`;
}

const layers = markdownTable(
  ["layer", "where"],
  [
    ["flags", "`--set node.workers=4`"],
    ["environment", "`BEDS__NODE__WORKERS=4`: `__` between keys, capitals do not matter"],
    [
      "environment file",
      "`env_dev.toml`, `env_qa.toml` or `env_prod.toml` beside the base file, as `BEDS_ENV` says",
    ],
    [
      "base file",
      "`--config FILE`, else `BEDS_CONFIG`, else `./beds.toml`, else `./config/beds.toml`",
    ],
    ["defaults", "the tables below"],
  ],
);

const references = markdownTable(
  ["reference", "what is read"],
  [
    ["`file:PATH`", "the file, relative to the base file"],
    ["`env:NAME`", "the environment's value"],
    ["`credential:NAME`", "the systemd credential (`LoadCredential=NAME:PATH`)"],
    ["empty", "no password"],
  ],
);

const preface = `# Configuration

<!-- Generated from core/config/schema.ts by \`beds docs md\`. Do not edit. -->

A node reads one base file, \`beds.toml\`, and what stands above it. Each layer overrides only the
keys that it names:

${layers}

\`BEDS_ENV\` is \`dev\`, \`qa\` or \`prod\`; \`dev\` if nothing is said. Values of flags and of the
environment are TOML (\`4\`, \`true\`, \`["a", "b"]\`); what is not TOML is a text. A list replaces
a list.

An unknown key is an error ([BEDS-C003](Errors.md)), and so is a wrong value (BEDS-C004); all of them
are reported at once, with file, line and column. \`beds config show --origin\` lists every value in
force and where it was said.

**Variables.** In texts, \`\${NAME}\` is replaced by the environment's value after the file was
parsed: a value can become neither a key nor a table. \`\${NAME:-default}\` gives a default,
\`\${NAME:?message}\` an error with that message (BEDS-C007), \`$\${\` is a plain \`\${\`.

**Secrets.** A key \`pass\` holds no password but a reference to one. It is read when it is first
needed (BEDS-C006), and it is never printed. One line break at the end of the file is not part of the
secret.

${references}

Paths are relative to the base file's folder. \`<name>\` stands for a name that you choose.`;

/** A section with keys of its own gets a heading and a table; sections inside it follow. */
function sectionsOf(node: SchemaNode, name: string): string[] {
  const children = [...node.entries].filter(([, child]) => isSection(child));
  const keys = [...node.entries].filter(([, child]) => !isSection(child));
  const parts: string[] = [];
  if (name === "") parts.push("## Top level");
  else parts.push(`## \`[${name}]\``, node.description);
  if (keys.length > 0) parts.push(tableOf(keys));
  const inner = distinctSections(children).flatMap(({ key, node: child, twins }) => {
    const path = name === "" ? key : `${name}.${key}`;
    const own = child.shape === "named" ? namedSection(child, path) : sectionsOf(child, path);
    if (twins.length === 0) return own;
    const others = twins.map((twin) => `\`${twin}\``).join(", ");
    return [...own.slice(0, 2), `${others} have the same keys.`, ...own.slice(2)];
  });
  return [...parts, ...inner];
}

function namedSection(node: SchemaNode, path: string): string[] {
  const { each } = node;
  if (each?.shape === "table") return sectionsOf(each, `${path}.<name>`);
  const expected = each === undefined ? "" : `${each.expected} each. ${each.description}`;
  return [`## \`[${path}]\``, `${node.description}: ${expected}.`];
}

interface DistinctSection {
  readonly key: string;
  readonly node: SchemaNode;
  /** Other keys that have the same section, as the broker services do. */
  readonly twins: string[];
}

function distinctSections(children: readonly [string, SchemaNode][]): readonly DistinctSection[] {
  const byDescription = new Map<string, DistinctSection>();
  for (const [key, node] of children) {
    const known = byDescription.get(node.description);
    if (known === undefined) byDescription.set(node.description, { key, node, twins: [] });
    else known.twins.push(key);
  }
  return [...byDescription.values()];
}

function isSection(node: SchemaNode): boolean {
  return node.shape === "table" || (node.shape === "named" && node.each?.shape !== "free");
}

function tableOf(keys: readonly [string, SchemaNode][]): string {
  const rows = keys.map(([key, node]) => {
    return [`\`${key}\``, typeText(node), defaultText(key, node), node.description];
  });
  return markdownTable(["key", "value", "default", "meaning"], rows);
}

function typeText(node: SchemaNode): string {
  return node.expected.replace(/^an? (?=secret|list|text|integer|table)/, "").split(":")[0] ?? "";
}

function defaultText(key: string, node: SchemaNode): string {
  if (key === secretKey) return "none";
  if (node.fallback === undefined) return node.required ? "**required**" : "–";
  return `\`${renderValue(node.fallback)}\``;
}
