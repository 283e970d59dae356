import type { DatabaseDescription, DescribedObject, DescribedValue } from "../contract/adapter.ts";
import { BedsError, type ErrorCode } from "../contract/errors.ts";
import { suggestion } from "../contract/suggest.ts";
import {
  type Field,
  type Operation,
  operationName,
  type Parameter,
  type Template,
} from "../contract/template.ts";

/**
 * Compares the templates of one database with what the database reports (wiki/Templates.md). In:
 * all templates; those of other databases are passed over. Out: each difference at its operation's
 * place, and what the account may do too much, which has no place. Pure; called at boot and by
 * `beds check`.
 */
export function findDrift(
  templates: Iterable<Template>,
  description: DatabaseDescription,
  databaseName: string,
): readonly BedsError[] {
  const errors = (description.missing ?? []).map((object) => {
    const detail = `database ${databaseName}: BEDS's own ${object} is missing`;
    return new BedsError("BEDS-T014", { detail });
  });
  const needed = new Set(description.harmlessGrants);
  for (const template of templates) {
    if (template.database !== databaseName || template.class === "none") continue;
    for (const operation of template.operations.values()) {
      errors.push(...findOperationDrift(template, operation, description));
      const found = description.objects.get(operation.object);
      for (const grant of found?.requires ?? []) needed.add(grant);
    }
  }
  for (const grant of new Set(description.grants)) {
    if (needed.has(grant)) continue;
    const detail = `database ${databaseName}: ${grant}`;
    const hint = `no operation needs it: as the DBA, REVOKE ${grant} FROM the runtime account`;
    errors.push(new BedsError("BEDS-T016", { detail, hint }));
  }
  return errors;
}

/**
 * The differences of one operation, which is not served while there are any: BEDS-T014 (no object),
 * T019 (of another type), T020 (an object that must not be used), T015 (parameters), T018 (columns
 * of a view), T017 (grants).
 */
export function findOperationDrift(
  template: Template,
  operation: Operation,
  description: DatabaseDescription,
): readonly BedsError[] {
  const found = description.objects.get(operation.object);
  const report: Report = (code, detail, hint) => {
    const text = `${operationName(template, operation)}: ${detail}`;
    const facts = { detail: text, where: operation.where };
    return new BedsError(code, hint === undefined ? facts : { ...facts, hint });
  };
  if (found === undefined) {
    const { object, objectType } = operation;
    const meant = suggestion(object, description.objects.keys());
    // A database shows an account what it may use, so a missing grant looks the same.
    const seen = `the runtime account sees no ${objectType} ${object}`;
    const detail = `${seen} in database ${template.database}${meant}`;
    return [report("BEDS-T014", detail)];
  }
  if (found.type !== operation.objectType) {
    const detail = `${found.name} is a ${found.type}, the template says ${operation.objectType}`;
    return [report("BEDS-T019", detail)];
  }
  if (found.refusal !== undefined) {
    return [report("BEDS-T020", `${found.name}: ${found.refusal}`)];
  }
  const differences =
    found.type === "view"
      ? compareView(template, operation, found, report)
      : compareParameters(operation, found, report);
  return [...differences, ...missingGrants(found, description, report)];
}

type Report = (code: ErrorCode, detail: string, hint?: string) => BedsError;

function compareParameters(
  operation: Operation,
  found: DescribedObject,
  report: Report,
): BedsError[] {
  const { parameters } = operation;
  if (parameters.length !== found.parameters.length) {
    const declared = parameters.map(({ name }) => name).join(", ");
    const real = found.parameters.map(({ name }) => name).join(", ");
    const detail =
      `${found.name} takes ${found.parameters.length} parameters (${real}), ` +
      `the template has ${parameters.length} (${declared})`;
    return [report("BEDS-T015", detail)];
  }
  return parameters.flatMap((parameter, index) => {
    const real = found.parameters[index];
    if (real === undefined) return [];
    const place = `parameter ${index + 1} of ${found.name}`;
    const other = found.parameters.findIndex((candidate) => isSame(candidate, parameter));
    // A name that matches nowhere says nothing; one that matches elsewhere says that two were
    // exchanged.
    if (!isSame(real, parameter) && other !== -1) {
      const detail = `${place} is ${real.name}; ${parameter.name} is its parameter ${other + 1}`;
      return [report("BEDS-T015", detail)];
    }
    if (real.accepts.includes(parameter.type)) return [];
    const detail =
      `${place}, ${parameter.name}, is ${parameter.type} in the template ` +
      `and ${real.declared} in the database`;
    return [report("BEDS-T015", detail)];
  });
}

/** Parameters are matched by their order; their names may be written in several ways. */
function isSame(real: DescribedValue, { name, column }: Parameter): boolean {
  const spoken = real.name.toLowerCase();
  return [column, name].some((word) => {
    const lower = word.toLowerCase();
    return spoken === lower || spoken === `p_${lower}`;
  });
}

/** A view is asked for every field, and compared by the columns of the parameters. */
function compareView(
  template: Template,
  operation: Operation,
  found: DescribedObject,
  report: Report,
): BedsError[] {
  if (found.columns === undefined) return [];
  const columns = new Map(found.columns.map((column) => [column.name, column]));
  const byColumn = new Map<string, Field | Parameter>();
  for (const wanted of [...template.fields, ...operation.parameters]) {
    if (!byColumn.has(wanted.column)) byColumn.set(wanted.column, wanted);
  }
  return [...byColumn.values()].flatMap(({ name, column, type }) => {
    const real = columns.get(column);
    if (real === undefined) {
      const meant = suggestion(column, columns.keys());
      return [report("BEDS-T018", `view ${found.name} has no column ${column} (${name})${meant}`)];
    }
    if (real.accepts.includes(type)) return [];
    const detail =
      `${found.name}.${column} is ${type} in the template ` +
      `and ${real.declared} in the database`;
    return [report("BEDS-T018", detail)];
  });
}

function missingGrants(
  found: DescribedObject,
  description: DatabaseDescription,
  report: Report,
): BedsError[] {
  const held = new Set([...description.grants, ...description.harmlessGrants]);
  return found.requires
    .filter((grant) => !held.has(grant))
    .map((grant) => {
      const hint = `run \`beds db apply\`, or as the DBA, GRANT ${grant} TO the runtime account`;
      return report("BEDS-T017", grant, hint);
    });
}
