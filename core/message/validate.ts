import type { CallOptions } from "../contract/adapter.ts";
import { BedsError, type ErrorCode } from "../contract/errors.ts";
import type { Envelope, JsonValue } from "../contract/message.ts";
import { suggestion } from "../contract/suggest.ts";
import { type Operation, operationName, type Template } from "../contract/template.ts";
import { compileCheck, type ValueCheck } from "./value-check.ts";

/** An operation with its checks, made once at boot. */
export interface CompiledOperation {
  /** `Users.fetch_by_email` */
  readonly name: string;
  readonly template: Template;
  readonly operation: Operation;
  readonly options: CallOptions;
  readonly roles: ReadonlySet<string>;
  readonly parameters: readonly CompiledParameter[];
  /** The place of each parameter by its name. */
  readonly places: ReadonlyMap<string, number>;
}

export interface CompiledParameter {
  readonly name: string;
  readonly required: boolean;
  readonly check: ValueCheck;
}

export interface CompiledTemplate {
  readonly template: Template;
  readonly operations: ReadonlyMap<string, CompiledOperation>;
}

/** Templates by name. Two look-ups find an operation, however many templates there are. */
export type CompiledTemplates = ReadonlyMap<string, CompiledTemplate>;

/**
 * A request whose operation exists and whose arguments fit; nobody has asked yet whether it is
 * allowed.
 */
export interface Validated {
  readonly envelope: Envelope;
  readonly entry: CompiledOperation;
  /** In the order of the operation's parameters; null where an optional one was not sent. */
  readonly values: readonly unknown[];
}

/**
 * The second stage: finds the operation and checks the arguments. An argument that is null counts
 * as not sent.
 *
 * Errors: BEDS-R001 and R002 for what does not exist; BEDS-M020 (missing), M021 (unknown) and M022
 * (does not fit), of which the first that applies is the code and the detail lists every argument
 * at fault. No detail ever has a value: a value may be sensitive.
 */
export function validate(envelope: Envelope, templates: CompiledTemplates): Validated {
  const compiled = templates.get(envelope.template);
  if (compiled === undefined) {
    const { template } = envelope;
    const detail = `template ${template}${suggestion(template, templates.keys())}`;
    throw new BedsError("BEDS-R001", { detail });
  }
  const entry = compiled.operations.get(envelope.op);
  if (entry === undefined) {
    const { template, op } = envelope;
    const detail = `${template}.${op}${suggestion(op, compiled.operations.keys())}`;
    throw new BedsError("BEDS-R002", { detail });
  }
  return { envelope, entry, values: readValues(envelope.args, entry) };
}

/** Compiles all operations of all templates; called at boot. */
export function compileTemplates(templates: Iterable<Template>): CompiledTemplates {
  const compiled = new Map<string, CompiledTemplate>();
  for (const template of templates) {
    const operations = new Map<string, CompiledOperation>();
    for (const operation of template.operations.values()) {
      operations.set(operation.name, compileOperation(template, operation));
    }
    compiled.set(template.name, Object.freeze({ template, operations }));
  }
  return compiled;
}

/** Makes the checks of one operation; called at boot. */
export function compileOperation(template: Template, operation: Operation): CompiledOperation {
  const parameters = operation.parameters.map((parameter) => {
    const { name, required } = parameter;
    return Object.freeze({ name, required, check: compileCheck(parameter) });
  });
  const { timeoutMs, result } = operation;
  return Object.freeze({
    name: operationName(template, operation),
    template,
    operation,
    options: Object.freeze({ timeoutMs, rowCap: result.rowCap }),
    roles: new Set(operation.roles),
    // Not frozen: the engine reads frozen lists more slowly, and nobody else has this one.
    parameters,
    places: new Map(parameters.map(({ name }, place) => [name, place])),
  });
}

function readValues(args: Envelope["args"], entry: CompiledOperation): readonly unknown[] {
  const { parameters, places } = entry;
  const values: (JsonValue | undefined)[] = [];
  for (let place = 0; place < parameters.length; place++) values.push(null);
  let isWrong = false;
  for (const name in args) {
    const place = places.get(name);
    const parameter = place === undefined ? undefined : parameters[place];
    const value = args[name];
    if (place === undefined || parameter === undefined || value === undefined) {
      isWrong = true;
    } else if (value !== null) {
      values[place] = value;
      if (parameter.check(value) !== null) isWrong = true;
    }
  }
  for (let place = 0; place < parameters.length; place++) {
    if (values[place] === null && parameters[place]?.required === true) isWrong = true;
  }
  if (isWrong) throw faultsOf(args, entry);
  return values;
}

/**
 * An error names at most so many arguments: whoever sends a thousand wrong ones gets a short
 * answer.
 */
const mostFaults = 20;

/** Goes through the arguments again, slowly, to say everything that is wrong with them. */
function faultsOf(args: Envelope["args"], entry: CompiledOperation): BedsError {
  const sent = new Map(Object.entries(args).filter(([, value]) => value !== null));
  const missing: string[] = [];
  const wrong: string[] = [];
  for (const { name, required, check } of entry.parameters) {
    const value = sent.get(name);
    if (value === undefined) {
      if (required) missing.push(`${name} is missing`);
      continue;
    }
    const reason = check(value);
    if (reason !== null) wrong.push(`${name} ${reason}`);
  }
  const unknown = Object.keys(args).filter((name) => !entry.places.has(name));
  // Only so many are compared with the names that exist: a body may hold a hundred thousand.
  const named = unknown
    .slice(0, mostFaults)
    .map((name) => `${nameOf(name)} is no argument of it${suggestion(name, entry.places.keys())}`);
  const all = [...missing, ...named, ...wrong];
  const count = missing.length + unknown.length + wrong.length;
  const more = count > mostFaults ? `; and ${count - mostFaults} more` : "";
  const detail = `${entry.name}: ${all.slice(0, mostFaults).join("; ")}${more}`;
  return new BedsError(codeOf(missing.length, unknown.length), { detail });
}

function codeOf(missing: number, unknown: number): ErrorCode {
  if (missing > 0) return "BEDS-M020";
  return unknown > 0 ? "BEDS-M021" : "BEDS-M022";
}

/** A name that the sender made up is repeated only where it looks like a name. */
function nameOf(name: string): string {
  return /^[\w$.-]{1,64}$/.test(name) ? name : "(a key that is no name)";
}
