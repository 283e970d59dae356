import * as v from "valibot";
import { BedsError, type ObjectSource } from "../../../core/contract/index.ts";
import { javascript } from "./allow-list.ts";
import { checkCommand } from "./command-check.ts";
import { findingText, isFinding } from "./description.ts";
import { JsonSource } from "./json-source.ts";
import { systemSources } from "./key-store.ts";
import { isDocument, isList, type JsonObject, type Path } from "./node.ts";
import {
  type CommandObject,
  type Finding,
  issueFinding,
  namePattern,
  ownCollections,
  readObject,
} from "./object.ts";

/** One file below `templates/db/<database>/`, read and checked. */
export type Source = CollectionSource | ViewSource | CommandSource;

interface SourceFile {
  readonly source: ObjectSource;
  readonly name: string;
  readonly json: JsonSource;
}

export interface CollectionSource extends SourceFile {
  readonly folder: "collections";
  readonly validator: JsonObject;
  readonly indexes: readonly IndexSource[];
}

/** An index as `createIndexes` takes it. */
export type IndexSource = JsonObject & { readonly name: string };

export interface ViewSource extends SourceFile {
  readonly folder: "views";
  readonly on: string;
  readonly pipeline: readonly JsonObject[];
}

export interface CommandSource extends SourceFile {
  readonly folder: "objects";
  readonly object: CommandObject;
  readonly document: JsonObject;
}

/**
 * Reads all files, in the order in which they are installed: collections, views, objects, each by
 * name. Errors, at the line: BEDS-W001 for a file that is wrong, BEDS-T020 for a command that is
 * not allowed.
 */
export function readSources(sources: readonly ObjectSource[]): readonly Source[] {
  return sources
    .map((source) => {
      const file = fileOf(source);
      if (namePattern.test(file.name) && !ownCollections.has(file.name)) return readFile(file);
      throw wrong(file, { path: [], reason: `${file.name} cannot be the name of an object` });
    })
    .sort((left, right) => order(left) - order(right) || (left.name < right.name ? -1 : 1));
}

/** What BEDS itself needs in each database; installed before the DBA's own. */
export function readOwnSources(): readonly Source[] {
  return systemSources().map((source) => readFile(fileOf(source)));
}

const folders = ["collections", "views", "objects"] as const;

function order({ folder }: Source): number {
  return folders.indexOf(folder);
}

function fileOf(source: ObjectSource): SourceFile {
  const [, name = ""] = /\/([^/]+)\.json$/.exec(source.path) ?? [];
  return { source, name, json: new JsonSource(source.text, source.path) };
}

function readFile(file: SourceFile): Source {
  const [, folder] = /(?:^|\/)([^/]+)\/[^/]+$/.exec(file.source.path) ?? [];
  if (folder === "collections") return readCollection(file);
  if (folder === "views") return readView(file);
  if (folder === "objects") return readCommand(file);
  const reason = `a file lies in one of the folders ${folders.join(", ")}`;
  throw wrong(file, { path: [], reason });
}

function readCollection(file: SourceFile): CollectionSource {
  const { collection, validator, indexes } = parsed(file, collectionSchema);
  refuseOtherName(file, "collection", collection);
  refuseJavascript(file, file.json.value, []);
  return { ...file, folder: "collections", validator, indexes };
}

function readView(file: SourceFile): ViewSource {
  const { view, on, pipeline } = parsed(file, viewSchema);
  refuseOtherName(file, "view", view);
  refuseJavascript(file, pipeline, ["pipeline"]);
  return { ...file, folder: "views", on, pipeline };
}

function readCommand(file: SourceFile): CommandSource {
  const document = file.json.value;
  const object = readObject(document);
  if (isFinding(object)) throw wrong(file, object);
  if (!isDocument(document)) throw wrong(file, { path: [], reason: "must be a document" });
  refuseOtherName(file, "_id", object.name);
  const checked = checkCommand(object);
  if ("object" in checked) return { ...file, folder: "objects", object, document };
  throw notAllowed(file, checked);
}

/** BEDS-T020 at the first finding; the detail has all of them. */
export function notAllowed({ name, json }: SourceFile, findings: readonly Finding[]): BedsError {
  const detail = `${name}: ${findings.map(findingText).join("; ")}`;
  return new BedsError("BEDS-T020", { detail, where: json.where(findings[0]?.path ?? []) });
}

/** BEDS-W001 at the place of the finding. */
export function wrong({ json, name }: SourceFile, finding: Finding): BedsError {
  const detail = `${name}: ${findingText(finding)}`;
  return new BedsError("BEDS-W001", { detail, where: json.where(finding.path) });
}

function parsed<S extends v.GenericSchema>(file: SourceFile, schema: S): v.InferOutput<S> {
  const checked = v.safeParse(schema, file.json.value);
  if (checked.success) return checked.output;
  throw wrong(file, issueFinding(checked.issues));
}

function refuseOtherName(file: SourceFile, key: string, name: string): void {
  if (name === file.name) return;
  const reason = `${key} is ${name}, and the file is called ${file.name}.json`;
  throw wrong(file, { path: [key], reason });
}

/**
 * Views and validators are the DBA's own, and may do more than a command; JavaScript is nobody's.
 */
function refuseJavascript(file: SourceFile, node: unknown, path: Path): void {
  if (isList(node)) {
    node.forEach((inner, index) => refuseJavascript(file, inner, [...path, index]));
  } else if (isDocument(node)) {
    for (const [key, inner] of Object.entries(node)) {
      const place = [...path, key];
      if (javascript.has(key)) {
        throw notAllowed(file, [{ path: place, reason: `${key} runs JavaScript` }]);
      }
      refuseJavascript(file, inner, place);
    }
  }
}

const document = v.custom<JsonObject>(isDocument, "must be a document");
const objectName = v.pipe(v.string(), v.regex(namePattern, "must be a name"));

const indexSchema = v.strictObject({
  key: document,
  name: v.pipe(v.string(), v.regex(/^[\w.-]{1,100}$/, "must be a name")),
  unique: v.optional(v.boolean()),
  sparse: v.optional(v.boolean()),
  hidden: v.optional(v.boolean()),
  expireAfterSeconds: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
  partialFilterExpression: v.optional(document),
  collation: v.optional(document),
});

const collectionSchema = v.strictObject({
  collection: objectName,
  description: v.optional(v.string()),
  validator: v.optional(document, {}),
  indexes: v.optional(v.array(indexSchema), []),
});

const viewSchema = v.strictObject({
  view: objectName,
  description: v.optional(v.string()),
  on: objectName,
  pipeline: v.array(document),
});
