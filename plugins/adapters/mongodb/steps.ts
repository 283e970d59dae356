import type { Db } from "mongodb";
import { BedsError, type ObjectChange, type ObjectSource } from "../../../core/contract/index.ts";
import type { BenchState } from "./bench-state.ts";
import { placeRefusal } from "./description.ts";
import type { Driver } from "./driver.ts";
import { serverText } from "./failure.ts";
import { withLiterals } from "./literal.ts";
import { isDocument, type JsonObject } from "./node.ts";
import { objectsCollection, sourcesCollection } from "./object.ts";
import {
  type CollectionSource,
  type CommandSource,
  notAllowed,
  type Source,
  type ViewSource,
  wrong,
} from "./source.ts";

/** One file or one grant: what would be done, and the doing of it. */
export interface Step {
  readonly change: ObjectChange;
  run(): Promise<void>;
}

/** What the steps work with. */
export interface Bench {
  readonly db: Db;
  /** The database that holds the runtime account. */
  readonly accounts: Db;
  readonly driver: Driver;
  readonly state: BenchState;
}

/**
 * The steps that install the sources, in their order. Errors, before anything is done: BEDS-W001
 * and T020 where a source names something that is not there or is of another type. Errors of a
 * step: BEDS-W002 with the server's text.
 */
export function sourceSteps(sources: readonly Source[], bench: Bench): readonly Step[] {
  const types = new Map(bench.state.types);
  for (const { folder, name } of sources) {
    if (folder !== "objects") types.set(name, folder === "views" ? "view" : "collection");
  }
  return sources.map((source) => {
    if (source.folder === "collections") return collectionStep(source, bench);
    if (source.folder === "views") return viewStep(source, bench, types);
    return commandStep(source, bench, types);
  });
}

function collectionStep(file: CollectionSource, bench: Bench): Step {
  const { db, driver, state } = bench;
  const { name, source } = file;
  refuseOtherType(file, state, "collection");
  const exists = state.types.has(name);
  const known = state.indexes.get(name);
  const missing = file.indexes.filter((index) => known?.has(index.name) !== true);
  const isEdited = state.checksums.get(source.path) !== source.checksum;
  const action = `${exists ? "change" : "create"} collection ${name}`;
  return step(
    file,
    bench,
    { action, changed: !exists || isEdited || missing.length > 0 },
    async () => {
      const rules = {
        validator: plain(file.validator, driver),
        validationLevel: "strict",
        validationAction: "error",
      };
      if (!exists) await db.command({ create: name, ...rules });
      else if (isEdited) await db.command({ collMod: name, ...rules });
      // An index that is there with another definition is refused by the server: the DBA drops it
      // first.
      const wanted = isEdited ? file.indexes : missing;
      if (wanted.length === 0) return;
      const indexes = wanted.map((index) => plain(index, driver));
      await db.command({ createIndexes: name, indexes });
    },
  );
}

function viewStep(file: ViewSource, bench: Bench, types: ReadonlyMap<string, string>): Step {
  const { db, driver, state } = bench;
  const { name, on, source } = file;
  refuseOtherType(file, state, "view");
  if (!types.has(on)) throw wrong(file, { path: ["on"], reason: `there is no ${on}` });
  const exists = state.types.has(name);
  const changed = !exists || state.checksums.get(source.path) !== source.checksum;
  const action = `${exists ? "change" : "create"} view ${name}`;
  return step(file, bench, { action, changed }, async () => {
    const pipeline = file.pipeline.map((stage) => plain(stage, driver));
    const verb = exists ? "collMod" : "create";
    await db.command({ [verb]: name, viewOn: on, pipeline });
  });
}

function commandStep(file: CommandSource, bench: Bench, types: ReadonlyMap<string, string>): Step {
  const { db, state } = bench;
  const { name, object, document, source } = file;
  const type = types.get(object.on);
  if (type === undefined) {
    throw wrong(file, { path: ["on"], reason: `there is no ${object.on}` });
  }
  const refusal = placeRefusal(object, type);
  if (refusal !== undefined) throw notAllowed(file, [{ path: ["on"], reason: refusal }]);
  const exists = state.objects.has(name);
  const changed = !exists || state.checksums.get(source.path) !== source.checksum;
  const action = `${exists ? "change" : "create"} command ${name}`;
  return step(file, bench, { action, changed }, async () => {
    await db
      .collection<{ _id: string }>(objectsCollection)
      .replaceOne({ _id: name }, { ...document }, { upsert: true });
  });
}

function step(
  file: Source,
  { db }: Bench,
  { action, changed }: Pick<ObjectChange, "action" | "changed">,
  work: () => Promise<void>,
): Step {
  const { source, json } = file;
  return {
    change: { path: source.path, action, changed },
    async run() {
      if (!changed) return;
      try {
        await work();
        await note(db, source);
      } catch (thrown) {
        const detail = `${file.name}: ${serverText(thrown)}`;
        throw new BedsError("BEDS-W002", { detail, where: json.where([]), cause: thrown });
      }
    },
  };
}

/** Remembers what was applied, so that it is applied again only when it has changed. */
async function note(db: Db, { path, checksum }: ObjectSource): Promise<void> {
  await db
    .collection<{ _id: string }>(sourcesCollection)
    .updateOne({ _id: path }, { $set: { checksum, appliedAt: new Date() } }, { upsert: true });
}

function refuseOtherType(file: Source, state: BenchState, wanted: string): void {
  const type = state.types.get(file.name);
  if (type === undefined || type === wanted) return;
  throw wrong(file, { path: [], reason: `there is a ${type} of this name` });
}

/** The document with its constants made into BSON. */
function plain(document: JsonObject, driver: Driver): JsonObject {
  const made = withLiterals(document, driver);
  return isDocument(made) ? made : {};
}
