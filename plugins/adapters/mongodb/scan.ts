import { isLiteral } from "./literal.ts";
import { isDocument, isList, type JsonObject, type Path } from "./node.ts";
import type { CommandObject, CommandParameter, Finding } from "./object.ts";

/**
 * What the server does with the value at a slot: compares with it (`operand`), looks among it
 * (`elements`), keeps it (`stored`), adds it (`number`), reads it as a constant (`literal`), or
 * counts with it (`count`, `offset`).
 */
export type SlotUse = "operand" | "elements" | "stored" | "number" | "literal" | "count" | "offset";

/** A slot at a place that the allow-list approved of. Nothing else is ever filled. */
export interface PlacedSlot {
  readonly parameter: CommandParameter;
  /** The parameter's place among the values. */
  readonly index: number;
  readonly use: SlotUse;
}

/**
 * Collects what is wrong with one command and where its slots stand, while the checks walk through
 * it. A slot that no check has approved of is refused at the end, so that a place nobody thought of
 * is closed, not open.
 */
export class CommandScan {
  readonly findings: Finding[] = [];
  readonly slots = new Map<JsonObject, PlacedSlot>();
  readonly #object: CommandObject;

  constructor(object: CommandObject) {
    this.#object = object;
  }

  refuse(path: Path, reason: string): void {
    this.findings.push({ path, reason });
  }

  /** True when the node is a slot, and then says what is wrong with it at a place of this use. */
  slot(node: unknown, path: Path, use: SlotUse): boolean {
    if (!isSlot(node)) return false;
    const name = node["$param"];
    const index = this.#object.parameters.findIndex((parameter) => parameter.name === name);
    const parameter = this.#object.parameters[index];
    if (parameter === undefined || Object.keys(node).length !== 1) {
      this.refuse(path, `a slot is { "$param": "name" } with a name that params declares`);
      // It has been reported; the last sweep need not do it again.
      this.slots.set(node, unknownSlot);
      return true;
    }
    const reason = misuse(parameter, use);
    if (reason !== undefined) this.refuse(path, `parameter ${parameter.name} ${reason}`);
    this.slots.set(node, { parameter, index, use });
    return true;
  }

  /** A value or a slot of this use. */
  value(node: unknown, path: Path, use: SlotUse): void {
    if (!this.slot(node, path, use)) this.constant(node, path);
  }

  /** A value that the DBA wrote: no operator can be in it. */
  constant(node: unknown, path: Path): void {
    if (isList(node)) {
      node.forEach((inner, index) => this.constant(inner, [...path, index]));
      return;
    }
    // A slot that is left here is the last sweep's to refuse.
    if (isLiteral(node) || isSlot(node)) return;
    if (isDocument(node)) {
      for (const [key, inner] of Object.entries(node)) {
        if (key.startsWith("$")) this.refuse([...path, key], `${key} cannot stand in a value`);
        else this.constant(inner, [...path, key]);
      }
      return;
    }
    if (!isScalar(node)) this.refuse(path, "is no JSON value");
  }

  /** Every key must be one of these; `what` is named when one is not. */
  keys(node: JsonObject, allowed: ReadonlySet<string>, path: Path, what: string): void {
    for (const key of Object.keys(node)) {
      if (!allowed.has(key)) this.refuse([...path, key], `${key} is not allowed in ${what}`);
    }
  }

  /** The last step: what is left over anywhere in the command. */
  sweep(): void {
    this.#sweep(this.#object.command, ["command"]);
    const used = new Set([...this.slots.values()].map(({ parameter }) => parameter.name));
    for (const { name } of this.#object.parameters) {
      if (!used.has(name)) this.refuse(["params", name], `parameter ${name} has no slot`);
    }
  }

  #sweep(node: unknown, path: Path): void {
    if (isList(node)) {
      node.forEach((inner, index) => this.#sweep(inner, [...path, index]));
      return;
    }
    if (!isDocument(node)) return;
    if (isSlot(node) && !this.slots.has(node)) {
      const reason = "a slot may not stand here: the server could read its value as an operator";
      this.refuse(path, reason);
    }
    for (const [key, inner] of Object.entries(node)) {
      const wrong = key === "__proto__" || key.includes("\0") || key === "";
      if (wrong) this.refuse(path, "has a key that cannot be stored");
      this.#sweep(inner, [...path, key]);
    }
  }
}

export function isSlot(node: unknown): node is JsonObject {
  return isDocument(node) && Object.hasOwn(node, "$param");
}

const unknownSlot: PlacedSlot = {
  parameter: { name: "", type: "string", required: true, list: false },
  index: -1,
  use: "operand",
};

const numbers: ReadonlySet<string> = new Set(["int", "bigint", "decimal"]);

/** Why a parameter cannot stand at a place of this use; undefined when it can. */
function misuse({ type, list, required }: CommandParameter, use: SlotUse): string | undefined {
  if (use === "elements") {
    if (!list) return "must be a list to stand for the elements";
  } else if (list && use !== "stored") {
    return "is a list, and one value is read here";
  }
  if (type === "json" && use !== "stored") return "is json, which may only be stored";
  if (use === "number" && !numbers.has(type)) return "must be a number here";
  if ((use === "count" || use === "offset") && type !== "int") return "must be an int here";
  const mayBeMissing = use === "stored" || use === "number";
  if (!required && !mayBeMissing) return "must be required: only what is stored may be left out";
  return undefined;
}

function isScalar(node: unknown): boolean {
  if (typeof node === "number") return Number.isFinite(node);
  return node === null || typeof node === "string" || typeof node === "boolean";
}
