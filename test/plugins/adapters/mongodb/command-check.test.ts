import { describe, expect, test } from "bun:test";
import { checkCommand } from "../../../../plugins/adapters/mongodb/command-check.ts";
import { findingText, isFinding } from "../../../../plugins/adapters/mongodb/description.ts";
import { readObject } from "../../../../plugins/adapters/mongodb/object.ts";

const params = {
  s: { type: "string" },
  n: { type: "int" },
  d: { type: "decimal" },
  l: { type: "string", list: true },
  j: { type: "json" },
  o: { type: "string", required: false },
};
const slot = (name: string) => ({ $param: name });

/** What is wrong with a command whose parameters are those that it uses. */
function findings(kind: string, command: unknown): string {
  const text = JSON.stringify(command);
  const used = Object.entries(params).filter(([name]) => text.includes(`{"$param":"${name}"}`));
  const object = readObject({
    _id: "tst_x",
    kind,
    on: "tst_v",
    params: Object.fromEntries(used),
    command,
  });
  if (isFinding(object)) return findingText(object);
  const checked = checkCommand(object);
  return "object" in checked ? "" : checked.map(findingText).join("; ");
}

const update = (u: unknown) => ({ updates: [{ q: { a: { $eq: slot("s") } }, u }] });
const pipeline = (...stages: unknown[]) => ({ pipeline: stages });

describe("slots stand where the server reads a value", () => {
  const right: readonly (readonly [name: string, kind: string, command: unknown])[] = [
    ["comparisons", "find", { filter: { a: { $eq: slot("s") }, b: { $gte: slot("n"), $lt: 9 } } }],
    ["a list of $in", "find", { filter: { a: { $in: slot("l") } } }],
    ["elements of $nin", "find", { filter: { a: { $nin: [slot("s"), "x"] } } }],
    [
      "inside $or and $elemMatch",
      "find",
      { filter: { $or: [{ a: { $elemMatch: { b: { $eq: slot("s") } } } }] } },
    ],
    ["inside $not", "find", { filter: { a: { $not: { $gt: slot("n") } } } }],
    ["limit and skip", "find", { limit: slot("n"), skip: slot("n") }],
    ["$limit and $skip", "aggregate", pipeline({ $skip: slot("n") }, { $limit: slot("n") })],
    ["a $match", "aggregate", pipeline({ $match: { a: { $eq: slot("s") } } })],
    ["inside $literal", "aggregate", pipeline({ $project: { a: { $literal: slot("s") } } })],
    [
      "deep inside $literal",
      "aggregate",
      pipeline({ $set: { a: { $concat: ["$b", { $literal: slot("s") }] } } }),
    ],
    [
      "an inserted document",
      "insert",
      { documents: [{ a: slot("s"), b: { c: [slot("j"), slot("o")] } }] },
    ],
    ["a list that is stored", "insert", { documents: [{ a: slot("l") }] }],
    ["$set", "update", update({ $set: { "a.b": slot("j"), c: slot("o") } })],
    ["$inc", "update", update({ $inc: { a: slot("n") }, $mul: { b: slot("d") } })],
    ["$push", "update", update({ $push: { a: slot("j") } })],
    ["$each", "update", update({ $addToSet: { a: { $each: slot("l") } } })],
    ["$pull with a comparison", "update", update({ $pull: { a: { $eq: slot("s") } } })],
    [
      "array filters",
      "update",
      {
        updates: [
          { q: {}, u: { $set: { "a.$[e]": 1 } }, arrayFilters: [{ e: { $eq: slot("s") } }] },
        ],
      },
    ],
    ["a delete", "delete", { deletes: [{ q: { a: { $eq: slot("s") } }, limit: 1 }] }],
    [
      "a findAndModify",
      "findAndModify",
      { query: { a: { $eq: slot("s") } }, update: { $set: { b: slot("o") } }, new: true },
    ],
    [
      "constants",
      "find",
      { filter: { a: { $gte: { $date: "2026-01-01T00:00:00Z" } }, b: 1, c: { d: "x" } } },
    ],
    ["a fixed $expr", "find", { filter: { $expr: { $gt: ["$a", "$b"] } } }],
  ];
  for (const [name, kind, command] of right) {
    test(name, () => {
      expect(findings(kind, command)).toBe("");
    });
  }
});

describe("everything else is refused, with the place and the reason", () => {
  const wrong: readonly (readonly [name: string, kind: string, command: unknown, said: string])[] =
    [
      ["a bare slot in a filter", "find", { filter: { a: slot("s") } }, "command.filter.a: write"],
      [
        "a bare slot in $match",
        "aggregate",
        pipeline({ $match: { a: slot("s") } }),
        "command.pipeline.0.$match.a: write",
      ],
      [
        "a slot as the whole filter",
        "find",
        { filter: slot("j") },
        "command.filter: a filter must be",
      ],
      [
        "a slot as a branch of $or",
        "find",
        { filter: { $or: [slot("j")] } },
        "command.filter.$or.0",
      ],
      [
        "a slot inside a document to compare with",
        "find",
        { filter: { a: { b: slot("s") } } },
        "a slot may not stand here",
      ],
      [
        "a slot in $exists",
        "find",
        { filter: { a: { $exists: slot("s") } } },
        "a slot may not stand here",
      ],
      [
        "a slot in $regex",
        "find",
        { filter: { a: { $regex: slot("s") } } },
        "a slot may not stand here",
      ],
      [
        "a slot in $size",
        "find",
        { filter: { a: { $size: slot("n") } } },
        "a slot may not stand here",
      ],
      [
        "a slot in $all",
        "find",
        { filter: { a: { $all: slot("l") } } },
        "a slot may not stand here",
      ],
      [
        "a slot in $elemMatch",
        "find",
        { filter: { a: { $elemMatch: slot("j") } } },
        "command.filter.a.$elemMatch",
      ],
      [
        "a slot in $expr",
        "find",
        { filter: { $expr: { $eq: ["$a", slot("s")] } } },
        "a slot may not stand here",
      ],
      [
        "a $literal slot in $expr",
        "find",
        { filter: { $expr: { $eq: ["$a", { $literal: slot("s") }] } } },
        "a slot may not stand here",
      ],
      [
        "a slot in an expression",
        "aggregate",
        pipeline({ $project: { a: { $concat: [slot("s")] } } }),
        "a slot may not stand here",
      ],
      ["a slot as a projection", "find", { projection: slot("j") }, "command.projection"],
      [
        "a slot as a projected field",
        "find",
        { projection: { a: slot("n") } },
        "command.projection.a",
      ],
      ["a slot as a sort", "find", { sort: slot("j") }, "command.sort"],
      ["a slot as a direction", "find", { sort: { a: slot("n") } }, "command.sort.a"],
      ["a slot as a stage", "aggregate", pipeline(slot("j")), "the stage $param is not allowed"],
      [
        "a slot as the pipeline",
        "aggregate",
        { pipeline: slot("j") },
        "command.pipeline: must be a list",
      ],
      [
        "a slot in $group",
        "aggregate",
        pipeline({ $group: { _id: slot("s") } }),
        "a slot may not stand here",
      ],
      [
        "a slot in $unwind",
        "aggregate",
        pipeline({ $unwind: slot("s") }),
        "a slot may not stand here",
      ],
      [
        "a slot in $count",
        "aggregate",
        pipeline({ $count: slot("s") }),
        "command.pipeline.0.$count",
      ],
      [
        "a slot as a document to insert",
        "insert",
        { documents: [slot("j")] },
        "command.documents.0",
      ],
      ["a slot as all documents", "insert", { documents: slot("j") }, "command.documents"],
      ["a slot as an update", "update", update(slot("j")), "updates.0.u"],
      ["a slot as the fields of $set", "update", update({ $set: slot("j") }), "updates.0.u.$set"],
      [
        "a slot in $unset",
        "update",
        update({ $unset: { a: slot("s") } }),
        "a slot may not stand here",
      ],
      [
        "a slot in $rename",
        "update",
        update({ $rename: { a: slot("s") } }),
        "a slot may not stand here",
      ],
      [
        "a bare slot in $pull",
        "update",
        update({ $pull: { a: slot("s") } }),
        "a slot may not stand here",
      ],
      [
        "a slot in $slice",
        "update",
        update({ $push: { a: { $each: slot("l"), $slice: slot("n") } } }),
        "a slot may not stand here",
      ],
      [
        "a slot in collation",
        "find",
        { collation: { locale: slot("s") } },
        "a slot may not stand here",
      ],
      [
        "a slot as multi",
        "update",
        { updates: [{ q: {}, u: { $set: { a: 1 } }, multi: slot("s") }] },
        "updates.0.multi",
      ],
      [
        "a slot as upsert",
        "findAndModify",
        { query: {}, update: { $set: { a: 1 } }, upsert: slot("s") },
        "command.upsert",
      ],
      [
        "a slot as a delete's limit",
        "delete",
        { deletes: [{ q: {}, limit: slot("n") }] },
        "deletes.0.limit",
      ],
      [
        "json in a comparison",
        "find",
        { filter: { a: { $eq: slot("j") } } },
        "parameter j is json",
      ],
      [
        "json inside $literal",
        "aggregate",
        pipeline({ $project: { a: { $literal: slot("j") } } }),
        "parameter j is json",
      ],
      [
        "a list in a comparison",
        "find",
        { filter: { a: { $eq: slot("l") } } },
        "parameter l is a list",
      ],
      [
        "one value for a list",
        "find",
        { filter: { a: { $in: slot("s") } } },
        "parameter s must be a list",
      ],
      [
        "an optional value in a filter",
        "find",
        { filter: { a: { $eq: slot("o") } } },
        "parameter o must be required",
      ],
      ["a text as limit", "find", { limit: slot("s") }, "parameter s must be an int"],
      [
        "a text in $inc",
        "update",
        update({ $inc: { a: slot("s") } }),
        "parameter s must be a number",
      ],
      ["a slot of no parameter", "find", { filter: { a: { $eq: slot("nobody") } } }, "a slot is"],
      [
        "a slot with something beside it",
        "find",
        { filter: { a: { $eq: { $param: "s", x: 1 } } } },
        "a slot is",
      ],
      [
        "$where",
        "find",
        { filter: { $where: "sleep(1000)" } },
        "$where is not allowed in a filter",
      ],
      [
        "$where in $match",
        "aggregate",
        pipeline({ $match: { $where: "1" } }),
        "$where is not allowed",
      ],
      ["$text", "find", { filter: { $text: { $search: "a" } } }, "$text is not allowed"],
      ["$jsonSchema", "find", { filter: { $jsonSchema: {} } }, "$jsonSchema is not allowed"],
      [
        "$function",
        "aggregate",
        pipeline({ $set: { a: { $function: { body: "x", args: [], lang: "js" } } } }),
        "$function is not allowed",
      ],
      [
        "$accumulator",
        "aggregate",
        pipeline({ $group: { _id: 1, a: { $accumulator: {} } } }),
        "$accumulator is not allowed",
      ],
      [
        "$function in $expr",
        "find",
        { filter: { $expr: { $function: {} } } },
        "$function is not allowed",
      ],
      [
        "$lookup",
        "aggregate",
        pipeline({ $lookup: { from: "x", as: "y" } }),
        "the stage $lookup is not allowed",
      ],
      [
        "$graphLookup",
        "aggregate",
        pipeline({ $graphLookup: {} }),
        "the stage $graphLookup is not allowed",
      ],
      [
        "$unionWith",
        "aggregate",
        pipeline({ $unionWith: "x" }),
        "the stage $unionWith is not allowed",
      ],
      ["$out", "aggregate", pipeline({ $out: "x" }), "the stage $out is not allowed"],
      ["$merge", "aggregate", pipeline({ $merge: "x" }), "the stage $merge is not allowed"],
      [
        "$facet",
        "aggregate",
        pipeline({ $facet: { a: [{ $out: "x" }] } }),
        "the stage $facet is not allowed",
      ],
      [
        "$currentOp",
        "aggregate",
        pipeline({ $currentOp: {} }),
        "the stage $currentOp is not allowed",
      ],
      [
        "two stages in one",
        "aggregate",
        pipeline({ $limit: 1, $out: "x" }),
        "a stage is a document with one key",
      ],
      [
        "an update by a pipeline",
        "update",
        update([{ $set: { a: "$b" } }]),
        "updates.0.u: must be a document",
      ],
      ["a replacement", "update", update({ a: 1 }), "a is not allowed in an update"],
      ["an empty update", "update", update({}), "updates.0.u: must be a document"],
      ["$bit", "update", update({ $bit: { a: { or: 1 } } }), "$bit is not allowed in an update"],
      [
        "an operator that is stored",
        "insert",
        { documents: [{ a: { $gt: 1 } }] },
        "$gt cannot be stored",
      ],
      ["let", "find", { filter: {}, let: { a: 1 } }, "let is not allowed in a find"],
      ["comment", "find", { comment: "x" }, "comment is not allowed in a find"],
      ["another collection", "find", { find: "secrets" }, "find is not allowed in a find"],
      [
        "bypassing the validator",
        "insert",
        { documents: [{}], bypassDocumentValidation: true },
        "bypassDocumentValidation is not allowed",
      ],
      [
        "a write concern",
        "insert",
        { documents: [{}], writeConcern: { w: 0 } },
        "writeConcern is not allowed",
      ],
      [
        "an upsert that returns nothing",
        "findAndModify",
        { query: {}, update: { $set: { a: 1 } }, upsert: true },
        "needs new: true",
      ],
      [
        "update beside remove",
        "findAndModify",
        { query: {}, remove: true, update: { $set: { a: 1 } } },
        "cannot stand beside remove",
      ],
      ["a delete without limit", "delete", { deletes: [{ q: {} }] }, "deletes.0.limit"],
      ["a limit of 0", "find", { limit: 0 }, "command.limit: must be an integer of at least 1"],
      [
        "JavaScript as a constant",
        "find",
        { filter: { a: { $eq: { $code: "x" } } } },
        "$code cannot stand in a value",
      ],
    ];
  for (const [name, kind, command, said] of wrong) {
    test(name, () => {
      expect(findings(kind, command)).toContain(said);
    });
  }

  test("a parameter without a slot", () => {
    const object = readObject({
      _id: "a",
      kind: "find",
      on: "v",
      params: { s: { type: "string" } },
      command: {},
    });
    const checked = isFinding(object) ? [] : checkCommand(object);
    expect("object" in checked ? [] : checked.map(findingText)).toEqual([
      "params.s: parameter s has no slot",
    ]);
  });

  const malformed: readonly (readonly [name: string, document: unknown, said: string])[] = [
    ["an unknown key", { _id: "a", kind: "find", on: "v", command: {}, hint: 1 }, "hint"],
    ["an unknown kind", { _id: "a", kind: "mapReduce", on: "v", command: {} }, "kind"],
    ["a system collection", { _id: "a", kind: "find", on: "system.users", command: {} }, "on"],
    [
      "an unknown type",
      { _id: "a", kind: "find", on: "v", params: { s: { type: "regex" } }, command: {} },
      "params.s.type",
    ],
    [
      "a name with a dollar",
      { _id: "a", kind: "find", on: "v", params: { $s: { type: "string" } }, command: {} },
      "params.$s",
    ],
    ["a command that is a list", { _id: "a", kind: "find", on: "v", command: [] }, "command"],
    ["no document", "drop", "Expected Object"],
  ];
  for (const [name, document, said] of malformed) {
    test(name, () => {
      const object = readObject(document);
      expect(isFinding(object) ? findingText(object) : "accepted").toContain(said);
    });
  }
});
