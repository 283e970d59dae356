import * as v from "valibot";
import { fieldTypes, type FieldType } from "../../../core/contract/index.ts";
import { isDocument, type JsonObject, type Path } from "./node.ts";

/** The collection that the DBA alone writes and the runtime account alone reads. */
export const objectsCollection = "beds_objects";

/** The workbench's own notes; the runtime account does not see them. */
export const sourcesCollection = "beds_object_source";

/** The keys of mutations with their answers; the runtime account finds and inserts them. */
export const keysCollection = "beds_key";

/** BEDS's own; no operation's object may work on them. */
export const ownCollections: ReadonlySet<string> = new Set([
  objectsCollection,
  sourcesCollection,
  keysCollection,
]);

export const commandKinds = [
  "aggregate",
  "find",
  "insert",
  "update",
  "delete",
  "findAndModify",
] as const;
export type CommandKind = (typeof commandKinds)[number];

/** What a slot may be filled with. */
export interface CommandParameter {
  readonly name: string;
  readonly type: FieldType;
  /**
   * What is not required may only stand where data is stored, and is left out there when it was not
   * sent.
   */
  readonly required: boolean;
  /** A list of values of `type`; it arrives as a JSON array. */
  readonly list: boolean;
}

/**
 * A document of `beds_objects`, well-formed; whether its command is allowed is `command-check.ts`'s
 * business.
 */
export interface CommandObject {
  readonly name: string;
  readonly kind: CommandKind;
  /** The collection or view that it works on. */
  readonly on: string;
  readonly parameters: readonly CommandParameter[];
  readonly command: JsonObject;
}

/** Something wrong with a document, at its place. */
export interface Finding {
  readonly path: Path;
  readonly reason: string;
}

/** Whether a collection, view or object may be called so; stricter than the server. */
export const namePattern = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;

/**
 * Reads one document. Out: the object, or the first thing that is wrong. Called at boot and by the
 * workbench.
 */
export function readObject(document: unknown): CommandObject | Finding {
  const checked = v.safeParse(objectSchema, document);
  if (!checked.success) return issueFinding(checked.issues);
  const { _id: objectName, kind, on, params, command } = checked.output;
  const parameters = Object.entries(params).map(([name, rule]) => ({
    name,
    type: rule.type,
    required: rule.required,
    list: rule.list,
  }));
  return { name: objectName, kind, on, parameters, command };
}

/**
 * What a schema found wrong, as one finding: an unknown key first, since it is often what another
 * one lacks.
 */
export function issueFinding(issues: readonly v.BaseIssue<unknown>[]): Finding {
  const issue = issues.find(isUnknownKey) ?? issues[0];
  if (issue === undefined) return { path: [], reason: "the document is wrong" };
  const path = (issue.path ?? []).flatMap(({ key }) =>
    typeof key === "string" || typeof key === "number" ? [key] : [],
  );
  if (isUnknownKey(issue)) return { path, reason: `${String(path.at(-1))} is not a known key` };
  if (issue.type === "strict_object" && issue.received === "undefined") {
    return { path, reason: `${String(path.at(-1))} is missing` };
  }
  return { path, reason: issue.message };
}

function isUnknownKey(issue: v.BaseIssue<unknown>): boolean {
  return issue.type === "strict_object" && issue.expected === "never";
}

const nameSchema = v.pipe(
  v.string(),
  v.regex(namePattern, "must be a letter and up to 63 letters, digits and _"),
);

const parameterSchema = v.strictObject({
  type: v.picklist(fieldTypes),
  required: v.optional(v.boolean(), true),
  list: v.optional(v.boolean(), false),
});

const objectSchema = v.strictObject({
  _id: nameSchema,
  kind: v.picklist(commandKinds),
  on: nameSchema,
  description: v.optional(v.string()),
  params: v.optional(v.record(nameSchema, parameterSchema), {}),
  command: v.custom<JsonObject>(isDocument, "must be a document"),
});
