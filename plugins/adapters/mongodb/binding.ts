import { BedsError, Binding, type Operation, type Template } from "../../../core/contract/index.ts";
import type { CheckedCommand } from "./command-check.ts";
import { compileCommand, type Fill } from "./compile.ts";
import type { BsonTypes } from "./driver.ts";
import { isList } from "./node.ts";
import type { CommandObject } from "./object.ts";
import { RowReader } from "./rows.ts";
import { columnsOf } from "./shape.ts";

/** An operation with its command, compiled: a request fills slots and adds nothing. */
export class MongodbBinding extends Binding {
  readonly statement: string;
  readonly object: CommandObject;
  readonly fill: Fill;
  readonly rows: RowReader;

  /** Errors: BEDS-T015 or T019 where object and operation do not fit each other. */
  constructor(template: Template, operation: Operation, checked: CheckedCommand, types: BsonTypes) {
    super(template, operation);
    const { object } = checked;
    refuseMisfit(operation, object);
    this.object = object;
    this.statement = `${object.kind} ON ${object.on} ${JSON.stringify(object.command)}`;
    this.fill = compileCommand(checked, types);
    this.rows = new RowReader(template, columnsOf(object), types);
  }

  /** The binding as this adapter made it; one of another adapter is a bug of the caller. */
  static of(binding: Binding): MongodbBinding {
    if (binding instanceof MongodbBinding) return binding;
    throw new BedsError("BEDS-B001", { detail: "the operation is bound to another adapter" });
  }
}

/** Whether an object of this kind changes nothing. */
export function isReading({ kind }: CommandObject): boolean {
  return kind === "find" || kind === "aggregate";
}

function refuseMisfit(operation: Operation, object: CommandObject): void {
  const { kind, result, where } = operation;
  const reading = isReading(object);
  // A fetch may be asked again and is answered by a broker for reads: it must not be able to write.
  if (kind !== "call" && (kind === "fetch") !== reading) {
    const detail = `${object.name} is of kind ${object.kind}, which is no ${kind}`;
    throw new BedsError("BEDS-T019", { detail, where, hint: "correct kind in the template" });
  }
  const silent = object.kind === "update" || object.kind === "delete";
  if (silent && result.shape !== "none") {
    const detail = `${object.name} is of kind ${object.kind} and returns no rows`;
    const hint = 'say result = "none", or make the object a findAndModify';
    throw new BedsError("BEDS-T019", { detail, where, hint });
  }
  const inserted = object.command["documents"];
  if (result.shape === "one" && isList(inserted) && inserted.length !== 1) {
    const detail = `${object.name} inserts ${inserted.length} documents, the template says one`;
    throw new BedsError("BEDS-T019", { detail, where, hint: 'say result = "many"' });
  }
  refuseParameters(operation, object);
}

function refuseParameters({ parameters, where }: Operation, object: CommandObject): void {
  if (parameters.length !== object.parameters.length) {
    const detail = `${object.name} takes ${object.parameters.length} parameters`;
    throw new BedsError("BEDS-T015", { detail, where });
  }
  object.parameters.forEach((real, index) => {
    if (!real.required || parameters[index]?.required === true) return;
    const detail = `${object.name} requires ${real.name}, which is optional in the template`;
    const hint = "make it required in the template, or optional in the object";
    throw new BedsError("BEDS-T015", { detail, where, hint });
  });
}
