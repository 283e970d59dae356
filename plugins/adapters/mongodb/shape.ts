import { isDocument, isList, type JsonObject } from "./node.ts";
import type { CommandObject } from "./object.ts";

/**
 * The columns that an object's answer has, as far as its command fixes them; undefined where it
 * passes on what the view or collection has. Called once an operation, at boot.
 */
export function columnsOf({ kind, command }: CommandObject): readonly string[] | undefined {
  if (kind === "find") return shownFields(command["projection"]);
  if (kind === "findAndModify") return shownFields(command["fields"]);
  if (kind !== "aggregate") return undefined;
  const pipeline = command["pipeline"];
  const stages = isList(pipeline) ? pipeline : [];
  return stages.reduce<readonly string[] | undefined>(columnsBehind, undefined);
}

function columnsBehind(
  columns: readonly string[] | undefined,
  stage: unknown,
): readonly string[] | undefined {
  const [name, body] = isDocument(stage) ? (Object.entries(stage)[0] ?? []) : [];
  if (name === "$project") return shownFields(body);
  if (name === "$group") return isDocument(body) ? Object.keys(body) : undefined;
  if (name === "$count") return [String(body)];
  if (name === "$sortByCount") return ["_id", "count"];
  if (name === "$addFields" || name === "$set") {
    return columns === undefined ? undefined : [...new Set([...columns, ...topLevel(body)])];
  }
  if (name === "$unset") {
    const gone = isList(body) ? body : [body];
    return columns?.filter((column) => !gone.includes(column));
  }
  return columns;
}

/** The fields that a projection names; undefined for one that only hides some. */
function shownFields(projection: unknown): readonly string[] | undefined {
  if (!isDocument(projection)) return undefined;
  const entries = Object.entries(projection);
  const isHidden = (shown: unknown): boolean => shown === 0 || shown === false;
  if (entries.every(([, shown]) => isHidden(shown))) return undefined;
  return topLevel(Object.fromEntries(entries.filter(([, shown]) => !isHidden(shown))));
}

function topLevel(fields: unknown): readonly string[] {
  const names = Object.keys(isDocument(fields) ? fields : noFields);
  return [...new Set(names.map((name) => name.split(".")[0] ?? name))];
}

const noFields: JsonObject = {};
