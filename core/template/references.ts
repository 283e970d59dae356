import { BedsError } from "../contract/errors.ts";
import { suggestion } from "../contract/suggest.ts";
import {
  type DatabaseClass,
  isRead,
  operationName,
  type OperationKind,
  type Template,
} from "../contract/template.ts";

/** What templates may name, as plain facts of the configuration and the plugins. */
export interface ReferenceFacts {
  /** The class of each `[databases.<name>]`. */
  readonly databases: ReadonlyMap<string, DatabaseClass>;
  readonly brokers: ReadonlyMap<string, BrokerFacts>;
}

export interface BrokerFacts {
  readonly service: string;
  readonly accepts: readonly OperationKind[];
  /** The classes for which it has a lane. */
  readonly classes: readonly DatabaseClass[];
}

/**
 * Checks what templates say against what is there: BEDS-T006 (no such database), T008 (a database
 * of another class), T007 (no such broker, or one of another service), T010 (a broker that does not
 * take the kind or the class). Only brokers that an operation needs are asked for. Pure; called at
 * boot and by `beds check`.
 */
export function checkReferences(
  templates: Iterable<Template>,
  facts: ReferenceFacts,
): readonly BedsError[] {
  return [...templates].flatMap((template) => [
    ...checkDatabase(template, facts),
    ...checkBroker(template, template.readBroker, true, facts),
    ...checkBroker(template, template.writeBroker, false, facts),
  ]);
}

function checkDatabase(template: Template, { databases }: ReferenceFacts): BedsError[] {
  const { name, database, class: wanted, where } = template;
  if (wanted === "none") return [];
  const found = databases.get(database);
  if (found === undefined) {
    const detail = `${name}: database '${database}'${suggestion(database, databases.keys())}`;
    return [new BedsError("BEDS-T006", { detail, where })];
  }
  if (found === wanted) return [];
  const detail = `${name} is of class ${wanted}, its database '${database}' of class ${found}`;
  return [new BedsError("BEDS-T008", { detail, where })];
}

function checkBroker(
  template: Template,
  brokerName: string,
  reads: boolean,
  { brokers }: ReferenceFacts,
): BedsError[] {
  const operations = [...template.operations.values()].filter(({ kind }) => isRead(kind) === reads);
  if (operations.length === 0) return [];
  const { name, service, class: wanted, where } = template;
  const broker = brokers.get(brokerName);
  if (broker === undefined) {
    const detail = `${name}: broker '${brokerName}'${suggestion(brokerName, brokers.keys())}`;
    return [new BedsError("BEDS-T007", { detail, where })];
  }
  if (broker.service !== service) {
    const owner = broker.service;
    const detail = `${name}: service ${service} has no broker '${brokerName}'; ${owner} has`;
    return [new BedsError("BEDS-T007", { detail, where })];
  }
  if (!broker.classes.includes(wanted)) {
    const classes = broker.classes.join(", ");
    const detail = `${name} is of class ${wanted}; ${brokerName} takes ${classes}`;
    return [new BedsError("BEDS-T010", { detail, where })];
  }
  return operations
    .filter(({ kind }) => !broker.accepts.includes(kind))
    .map((operation) => {
      const accepted = broker.accepts.join(", ");
      const full = operationName(template, operation);
      const detail = `${full} is of kind ${operation.kind}; ${brokerName} takes ${accepted}`;
      return new BedsError("BEDS-T010", { detail, where: operation.where });
    });
}
