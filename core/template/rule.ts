import type { FieldType, ValueRule } from "../contract/template.ts";
import type { TomlPath } from "../contract/toml-position.ts";
import type { FaultList } from "./fault-list.ts";
import type { RuleInput } from "./schema.ts";

/** The limits of a rule as the contract has them; `required` is the caller's to say. */
export function toRule(input: RuleInput, required: boolean): ValueRule {
  const { type, min_length, max_length, min, max, precision, scale, values } = input;
  return {
    type,
    required,
    ...(min_length === undefined ? {} : { minLength: min_length }),
    ...(max_length === undefined ? {} : { maxLength: max_length }),
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    ...(precision === undefined ? {} : { precision }),
    ...(scale === undefined ? {} : { scale }),
    ...(values === undefined ? {} : { values }),
    sensitive: input.sensitive,
    description: input.description,
  };
}

/**
 * Reports limits that do not fit the type or one another (BEDS-T003). `path` leads to the rule's
 * table.
 */
export function checkLimits(input: RuleInput, path: TomlPath, faults: FaultList): void {
  const report = (key: LimitKey, reason: string): void =>
    faults.add("BEDS-T003", [...path, key], `${[...path, key].join(".")} ${reason}`, "value");
  const { type } = input;
  for (const key of limitKeys) {
    if (input[key] !== undefined && !limitsOf[type].includes(key)) {
      faults.add(
        "BEDS-T003",
        [...path, key],
        `${[...path, key].join(".")} does not apply to ${type}`,
      );
    }
  }
  if (type === "int" || type === "bigint" || type === "decimal") checkBounds(input, report);
  const { min_length: shortest = 0, max_length: longest = Infinity } = input;
  if (shortest > longest) report("min_length", "is more than max_length");
  const { scale = 0, precision = Infinity } = input;
  if (scale > precision) report("scale", "is more than precision");
  if (type === "enum" && input.values === undefined) {
    faults.add("BEDS-T003", path, `${path.join(".")}.values is missing: an enum needs them`);
  }
  const { values = [] } = input;
  if (new Set(values).size !== values.length) report("values", "names a value twice");
}

const limitKeys = [
  "min_length",
  "max_length",
  "min",
  "max",
  "precision",
  "scale",
  "values",
] as const;
type LimitKey = (typeof limitKeys)[number];

const limitsOf: { readonly [Type in FieldType]: readonly LimitKey[] } = {
  string: ["min_length", "max_length"],
  int: ["min", "max"],
  bigint: ["min", "max"],
  decimal: ["min", "max", "precision", "scale"],
  bool: [],
  date: [],
  datetime: [],
  time: [],
  uuid: [],
  bytes: ["min_length", "max_length"],
  enum: ["values"],
  json: ["max_length"],
};

function checkBounds(input: RuleInput, report: (key: LimitKey, reason: string) => void): void {
  const exact: bigint[] = [];
  for (const key of ["min", "max"] as const) {
    const bound = input[key];
    if (bound === undefined) continue;
    const value = exactBound(input.type, bound);
    if (typeof value === "string") report(key, value);
    else exact.push(value);
  }
  const [least, most] = exact;
  if (least !== undefined && most !== undefined && least > most) report("min", "is more than max");
}

/** The bound as an integer that compares exactly, or why it is none. */
function exactBound(type: FieldType, bound: number | string): bigint | string {
  if (type === "int") {
    if (typeof bound === "number" && Number.isSafeInteger(bound)) return BigInt(bound);
    return "must be an integer";
  }
  if (type === "bigint") {
    if (typeof bound !== "string" || !/^(?:0|-?[1-9]\d{0,19})$/.test(bound)) {
      return 'must be a string of digits, such as "9007199254740993"';
    }
    const value = BigInt(bound);
    const fits = value >= -(2n ** 63n) && value < 2n ** 64n;
    return fits ? value : "must fit into 64 bits";
  }
  const pattern = /^(-?(?:0|[1-9]\d{0,64}))(?:\.(\d{1,30}))?$/;
  const match = typeof bound === "string" ? pattern.exec(bound) : null;
  if (match === null) return 'must be a string of a decimal number, such as "0.01"';
  return BigInt((match[1] ?? "") + (match[2] ?? "").padEnd(30, "0"));
}
