import { parse, TomlError } from "smol-toml";
import * as v from "valibot";
import { BedsError } from "../contract/errors.ts";
import { Findings } from "../contract/findings.ts";
import type { Field, Operation, Template } from "../contract/template.ts";
import { FaultList } from "./fault-list.ts";
import { deepFreeze, FrozenMap } from "./frozen.ts";
import { dropUnknownKeys, isTable, reportIssues, type Table } from "./issues.ts";
import { type OperationContext, readOperation } from "./operation.ts";
import { checkLimits, toRule } from "./rule.ts";
import {
  fieldSchema,
  type HeadInput,
  headSchema,
  operationSchema,
  templateSchema,
} from "./schema.ts";

/**
 * Reads one template: TOML, then the schema, then what a schema cannot say. `file` is the name that
 * findings show.
 *
 * Out: the template, frozen through and through. Throws `Findings` with everything that is wrong,
 * in the order of the file, each with line and column: BEDS-T001 (not TOML), T002 (unknown key),
 * T003 (wrong or missing value), T009 (no such field). Pure; called once a file at boot and by
 * `beds check`.
 */
export function parseTemplate(text: string, file: string): Template {
  const raw = parseToml(text, file);
  const faults = new FaultList(text, file);
  const table = dropUnknownKeys(raw, faults);
  const checked = v.safeParse(templateSchema, table);
  if (!checked.success) reportIssues(checked.issues, faults);
  // The parts are read one by one, so that a mistake in one does not hide what is wrong with
  // another.
  const { fields: fieldTables, operations: operationTables, ...rest } = table;
  const head = v.safeParse(headSchema, rest);
  const known = head.success ? head.output : undefined;
  if (known !== undefined) checkHead(known, faults);
  const fields = readFields(tableOf(fieldTables), known?.tla ?? "tla", faults);
  const context: OperationContext = {
    tla: known?.tla ?? "tla",
    class: known?.class,
    fields,
    fieldNames: Object.keys(tableOf(fieldTables)),
  };
  const operations = readOperations(tableOf(operationTables), context, faults);
  const findings = faults.findings();
  if (findings !== undefined) throw findings;
  if (known === undefined) throw new TypeError("a head that is wrong was not reported");
  return deepFreeze({
    name: known.name,
    tla: known.tla,
    class: known.class,
    database: known.database ?? "",
    service: known.service,
    readBroker: known.read_broker,
    writeBroker: known.write_broker,
    fields: [...fields.values()],
    operations: new FrozenMap(operations),
    description: known.description,
    where: faults.where(["name"]),
  });
}

function parseToml(text: string, file: string): Table {
  try {
    return parse(text);
  } catch (thrown) {
    if (!(thrown instanceof TomlError)) throw thrown;
    const { line, column } = thrown;
    // The lines behind the first one draw the place, which BEDS does by itself.
    const detail = thrown.message.split("\n")[0] ?? "";
    throw new Findings([new BedsError("BEDS-T001", { detail, where: { file, line, column } })]);
  }
}

function checkHead({ class: databaseClass, database }: HeadInput, faults: FaultList): void {
  if (databaseClass === "none" && database !== undefined) {
    faults.add("BEDS-T003", ["database"], "database does not apply to class none");
  }
  if (databaseClass !== "none" && database === undefined) {
    const detail = `database is missing: class ${databaseClass} needs one`;
    faults.add("BEDS-T003", ["class"], detail);
  }
}

function readFields(tables: Table, tla: string, faults: FaultList): Map<string, Field> {
  const fields = new Map<string, Field>();
  const columns = new Map<string, string>();
  for (const [name, table] of Object.entries(tables)) {
    const checked = v.safeParse(fieldSchema, table);
    if (!checked.success) continue;
    const input = checked.output;
    const path = ["fields", name];
    checkLimits(input, path, faults);
    const column = input.column ?? `${tla}_${name}`;
    const twin = columns.get(column);
    if (twin !== undefined) {
      faults.add("BEDS-T003", path, `fields.${name} is stored as ${column}, as ${twin} is`);
    }
    columns.set(column, name);
    fields.set(name, deepFreeze({ ...toRule(input, input.required), name, column }));
  }
  return fields;
}

function readOperations(
  tables: Table,
  context: OperationContext,
  faults: FaultList,
): readonly (readonly [string, Operation])[] {
  return Object.entries(tables).flatMap(([name, table]) => {
    const checked = v.safeParse(operationSchema, table);
    if (!checked.success) return [];
    return [[name, deepFreeze(readOperation(name, checked.output, context, faults))] as const];
  });
}

function tableOf(value: unknown): Table {
  return isTable(value) ? value : {};
}
