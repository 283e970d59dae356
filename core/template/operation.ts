import type {
  DatabaseClass,
  Field,
  ObjectType,
  Operation,
  Parameter,
} from "../contract/template.ts";
import { suggestion } from "../contract/suggest.ts";
import type { TomlPath } from "../contract/toml-position.ts";
import type { FaultList } from "./fault-list.ts";
import { checkLimits, toRule } from "./rule.ts";
import type { OperationInput } from "./schema.ts";

/** What an operation may refer to. */
export interface OperationContext {
  readonly tla: string;
  /** Undefined when the template's own is wrong; nothing is then said about what depends on it. */
  readonly class: DatabaseClass | undefined;
  readonly fields: ReadonlyMap<string, Field>;
  /**
   * All names under `[fields]`, those of wrong fields too, so that one mistake is reported once.
   */
  readonly fieldNames: readonly string[];
}

/**
 * Makes the operation that `[operations.<name>]` declares and reports what is wrong with it:
 * BEDS-T009 for fields that do not exist, T003 for the rest. What it returns is of use only when
 * nothing was reported.
 */
export function readOperation(
  name: string,
  input: OperationInput,
  context: OperationContext,
  faults: FaultList,
): Operation {
  const path: TomlPath = ["operations", name];
  const objectType = input.object_type ?? defaultType(context.class);
  checkObjectType(input, objectType, context, path, faults);
  if (new Set(input.roles).size !== input.roles.length) {
    faults.add("BEDS-T003", [...path, "roles"], `${path.join(".")}.roles names a role twice`);
  }
  return {
    name,
    kind: input.kind,
    object: input.object ?? `${context.tla}_${name}`,
    objectType,
    parameters: readParameters(input, path, context, faults),
    result: {
      shape: input.result ?? (input.kind === "fetch" ? "many" : "none"),
      rowCap: input.row_cap,
    },
    orderBy: readOrder(input, objectType, path, context, faults),
    timeoutMs: input.timeout_ms,
    idempotency: readIdempotency(input, path, faults),
    roles: input.roles,
    description: input.description,
    where: faults.where(path),
  };
}

/**
 * A read changes nothing, so it has no key; a mutation has one unless its template says otherwise.
 */
function readIdempotency(
  input: OperationInput,
  path: TomlPath,
  faults: FaultList,
): Operation["idempotency"] {
  if (input.kind !== "fetch") return input.idempotency ?? "key";
  if (input.idempotency !== undefined) {
    const key = [...path, "idempotency"];
    faults.add("BEDS-T003", key, `${key.join(".")} is for mutations; a fetch changes nothing`);
  }
  return "off";
}

const typesOf: { readonly [Class in DatabaseClass]: readonly ObjectType[] } = {
  rel: ["procedure", "function", "view"],
  rec: ["command"],
  none: ["handler"],
};

function defaultType(databaseClass: DatabaseClass | undefined): ObjectType {
  return typesOf[databaseClass ?? "rel"][0] ?? "procedure";
}

function checkObjectType(
  input: OperationInput,
  objectType: ObjectType,
  { class: databaseClass, fieldNames }: OperationContext,
  path: TomlPath,
  faults: FaultList,
): void {
  const key = [...path, "object_type"];
  if (databaseClass !== undefined && !typesOf[databaseClass].includes(objectType)) {
    const allowed = typesOf[databaseClass].join(", ");
    const detail = `${key.join(".")}: class ${databaseClass} has ${allowed}, not ${objectType}`;
    faults.add("BEDS-T003", key, detail, "value");
  }
  if (objectType === "view" && input.kind !== "fetch") {
    const detail = `${path.join(".")}.kind must be fetch, because its object is a view`;
    faults.add("BEDS-T003", [...path, "kind"], detail, "value");
  }
  if (objectType === "view" && fieldNames.length === 0) {
    const detail = `${path.join(".")}: a view is asked for the template's fields, and it has none`;
    faults.add("BEDS-T003", path, detail);
  }
}

function readParameters(
  input: OperationInput,
  path: TomlPath,
  context: OperationContext,
  faults: FaultList,
): readonly Parameter[] {
  const parameters: Parameter[] = [];
  const names = new Set<string>();
  for (const [index, entry] of input.params.entries()) {
    const entryPath = [...path, "params", index];
    const name = nameOf(entry);
    if (names.has(name)) {
      faults.add("BEDS-T003", entryPath, `${path.join(".")}.params names ${name} twice`);
    }
    names.add(name);
    if (typeof entry === "object" && "type" in entry) {
      checkLimits(entry, entryPath, faults);
      parameters.push({ ...toRule(entry, entry.required), name, column: name });
      continue;
    }
    const field = context.fields.get(name);
    if (field !== undefined) {
      const required = typeof entry === "string" ? true : entry.required;
      parameters.push({ ...field, required });
    } else if (!context.fieldNames.includes(name)) {
      reportUnknownField(name, entryPath, context, faults);
    }
  }
  return parameters;
}

function nameOf(entry: OperationInput["params"][number]): string {
  if (typeof entry === "string") return entry;
  return "field" in entry ? entry.field : entry.name;
}

function readOrder(
  input: OperationInput,
  objectType: ObjectType,
  path: TomlPath,
  context: OperationContext,
  faults: FaultList,
): readonly string[] {
  const key = [...path, "order_by"];
  if (input.order_by.length > 0 && objectType !== "view") {
    const detail = `${key.join(".")} applies to views only; the object orders its rows itself`;
    faults.add("BEDS-T003", key, detail);
  }
  return input.order_by.map((entry, index) => {
    const isDescending = entry.startsWith("-");
    const name = isDescending ? entry.slice(1) : entry;
    if (!context.fieldNames.includes(name)) {
      reportUnknownField(name, [...key, index], context, faults);
    }
    const column = context.fields.get(name)?.column ?? name;
    return isDescending ? `-${column}` : column;
  });
}

function reportUnknownField(
  name: string,
  path: TomlPath,
  context: OperationContext,
  faults: FaultList,
): void {
  const detail = `${path.join(".")}: there is no field '${name}'`;
  faults.add("BEDS-T009", path, detail + suggestion(name, context.fieldNames));
}
