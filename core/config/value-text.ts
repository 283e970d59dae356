import { isTable } from "./layers.ts";
import { Secret } from "./secret.ts";

/**
 * A value as TOML writes it, in one short line, for messages and lists. A secret shows where it is
 * kept.
 */
export function renderValue(value: unknown): string {
  const text = render(value);
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
}

const longest = 80;

function render(value: unknown): string {
  if (value instanceof Secret) return renderSecret(value);
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return `[${value.map(render).join(", ")}]`;
  if (isTable(value)) return Object.keys(value).length === 0 ? "{}" : "{…}";
  if (typeof value === "string") return JSON.stringify(value);
  return String(value);
}

function renderSecret(secret: Secret): string {
  const reference = secret.describe();
  return reference === "" ? '""' : `*** (${reference})`;
}
