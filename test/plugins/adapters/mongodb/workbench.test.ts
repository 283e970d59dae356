import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import type { MongoClient } from "mongodb";
import type {
  AdapterDriver,
  ObjectChange,
  ObjectSource,
  Template,
  Workbench,
} from "../../../../core/contract/index.ts";
import {
  codeOf,
  fixtures,
  openDriver,
  plainClient,
  productTemplates,
  readObjectSources,
  readProduct,
  readTemplate,
  removeFixtures,
  sourceOf,
  stackServer,
  stackTarget,
} from "./stack.ts";

let driver: AdapterDriver;
let workbench: Workbench;
let dba: MongoClient;
let sources: readonly ObjectSource[];
let templates: readonly Template[];

beforeAll(async () => {
  driver = await openDriver();
  const opened = driver.openWorkbench?.(stackTarget());
  if (opened === undefined) throw new Error("the adapter has no workbench");
  workbench = opened;
  dba = plainClient(stackServer("beds_dba", "admin"));
  sources = [
    ...(await readObjectSources(productTemplates)),
    ...(await readObjectSources(fixtures)),
  ];
  templates = [...(await readProduct()), await readTemplate(fixtures, "tests_rec.toml")];
});

beforeEach(async () => {
  await apply(sources, templates);
});

afterAll(async () => {
  await workbench.close();
  await dba.close();
  await removeFixtures(driver);
});

async function apply(
  wanted: readonly ObjectSource[],
  users: readonly Template[],
): Promise<readonly ObjectChange[]> {
  const changes: ObjectChange[] = [];
  await workbench.apply(wanted, users, (change) => changes.push(change));
  return changes;
}

/** What really changed, in words. */
async function changed(
  wanted: readonly ObjectSource[],
  users: readonly Template[] = templates,
): Promise<readonly string[]> {
  const planned = await workbench.plan(wanted, users);
  const done = await apply(wanted, users);
  expect(done).toEqual(planned);
  return done.filter((change) => change.changed).map(({ action }) => action);
}

/** The sources with one file edited. */
function edited(path: string, from: string, to: string): readonly ObjectSource[] {
  return sources.map((source) => {
    if (!source.path.endsWith(path)) return source;
    expect(source.text).toContain(from);
    return sourceOf(source.path, source.text.replace(from, to));
  });
}

describe("apply", () => {
  test("a second time changes nothing", async () => {
    expect(await changed(sources)).toEqual([]);
    expect((await workbench.plan(sources, templates)).length).toBeGreaterThan(sources.length);
  });

  test("what is missing is made again", async () => {
    const db = dba.db("docs");
    await db.collection("zzt_v").drop();
    await db.collection("zzt").dropIndex("zzt_key");
    await db.collection<{ _id: string }>("beds_objects").deleteOne({ _id: "zzt_put" });
    expect(await changed(sources)).toEqual([
      "change collection zzt",
      "create view zzt_v",
      "create command zzt_put",
    ]);
    expect((await db.collection("zzt").indexes()).map(({ name }) => name)).toContain("zzt_key");
  });

  test("a validator that was edited holds", async () => {
    const other = edited("collections/zzt.json", '"maxLength": 100', '"maxLength": 5');
    expect(await changed(other)).toEqual(["change collection zzt"]);
    const insert = () => dba.db("docs").collection("zzt").insertOne({ zzt_key: "longer than 5" });
    expect(await insert().catch((error: unknown) => Reflect.get(Object(error), "code"))).toBe(121);
    expect(await changed(sources)).toEqual(["change collection zzt"]);
    await insert();
  });

  test("an index that was added is made", async () => {
    const index = '{ "name": "zzt_int", "key": { "zzt_int": 1 } }, { "name": "zzt_key"';
    const other = edited("collections/zzt.json", '{ "name": "zzt_key"', index);
    expect(await changed(other)).toEqual(["change collection zzt"]);
    expect((await dba.db("docs").collection("zzt").indexes()).map(({ name }) => name)).toContain(
      "zzt_int",
    );
  });

  test("an index with another definition is the DBA's to drop: BEDS-W002", async () => {
    const other = edited("collections/zzt.json", '"unique": true', '"unique": false');
    expect(await codeOf(apply(other, templates))).toBe("BEDS-W002");
  });

  test("a view and an object that were edited are changed", async () => {
    const match =
      '"pipeline": [{ "$match": { "zzt_bool": true, "zzt_datetime": { "$lt": { "$date": "2999-01-01T00:00:00Z" } } } }]';
    expect(await changed(edited("views/zzt_v.json", '"pipeline": []', match))).toEqual([
      "change view zzt_v",
    ]);
    const [view] = await dba.db("docs").listCollections({ name: "zzt_v" }).toArray();
    expect<unknown>(view && "options" in view ? view.options : null).toMatchObject({
      pipeline: [{ $match: { zzt_datetime: { $lt: new Date("2999-01-01T00:00:00Z") } } }],
    });
    expect(await changed(edited("objects/zzt_by_key.json", '"$eq"', '"$gte"'))).toEqual([
      "change view zzt_v",
      "change command zzt_by_key",
    ]);
  });

  test("the server's refusal is BEDS-W002 with the file", async () => {
    const other = edited("collections/zzt.json", '"bsonType": "object"', '"bsonType": "thing"');
    const thrown = await apply(other, templates).catch((error: unknown) => error);
    expect(thrown).toMatchObject({
      code: "BEDS-W002",
      where: { file: "db/docs/collections/zzt.json", line: 1, column: 1 },
    });
    expect(await changed(sources)).toEqual([]);
  });
});

describe("before anything is done, what cannot work is refused", () => {
  const find = (on: string) => `{ "_id": "zzt_bad", "kind": "find", "on": "${on}", "command": {} }`;
  const refusals: readonly (readonly [name: string, file: string, text: string, code: string])[] = [
    ["a read of a collection", "objects/zzt_bad.json", find("zzt"), "BEDS-T020"],
    ["an object on nothing", "objects/zzt_bad.json", find("zzt_nowhere"), "BEDS-W001"],
    [
      "a write to a view",
      "objects/zzt_bad.json",
      '{ "_id": "zzt_bad", "kind": "delete", "on": "zzt_v", "command": { "deletes": [{ "q": {}, "limit": 1 }] } }',
      "BEDS-T020",
    ],
    [
      "a view on nothing",
      "views/zzt_bad.json",
      '{ "view": "zzt_bad", "on": "zzt_nowhere", "pipeline": [] }',
      "BEDS-W001",
    ],
    [
      "a view where a collection is",
      "views/msl.json",
      '{ "view": "msl", "on": "zzt", "pipeline": [] }',
      "BEDS-W001",
    ],
    [
      "a collection where a view is",
      "collections/zzt_v.json",
      '{ "collection": "zzt_v" }',
      "BEDS-W001",
    ],
  ];
  for (const [name, file, text, code] of refusals) {
    test(name, async () => {
      const edit = edited("objects/zzt_by_key.json", '"$eq"', '"$lte"');
      const other = [...edit, sourceOf(`db/docs/${file}`, text)];
      expect(await codeOf(workbench.plan(other, templates))).toBe(code);
      expect(await codeOf(apply(other, templates))).toBe(code);
      expect(await changed(sources)).toEqual([]);
    });
  }
});

describe("the role has exactly what the operations need", () => {
  test("a template less takes its grants away, and gives them back", async () => {
    const revoked = await changed(sources, templates.slice(0, 2));
    expect(revoked).toEqual([
      "revoke find ON docs.zzt",
      "revoke find ON docs.zzt_v",
      "revoke insert ON docs.zzt",
      "revoke remove ON docs.zzt",
      "revoke update ON docs.zzt",
    ]);
    const granted = await changed(sources);
    expect(granted).toEqual(revoked.map((action) => action.replace("revoke", "grant")));
  });

  test("what somebody added by hand is taken away", async () => {
    const db = dba.db("docs");
    const privileges = [
      { resource: { db: "docs", collection: "msl" }, actions: ["find", "remove"] },
      { resource: { db: "docs", collection: "" }, actions: ["listCollections"] },
    ];
    await db.command({ grantPrivilegesToRole: "beds_runtime", privileges });
    await db.command({ grantRolesToRole: "beds_runtime", roles: ["read"] });
    expect(await changed(sources)).toEqual([
      "revoke find ON docs.msl",
      "revoke listCollections ON docs.*",
      "revoke remove ON docs.msl",
      'revoke role {"role":"read","db":"docs"}',
    ]);
    expect(await changed(sources)).toEqual([]);
  });

  test("an account that lost the role gets it back", async () => {
    const role = { role: "beds_runtime", db: "docs" };
    await dba.db("docs").command({ revokeRolesFromUser: "beds_run", roles: [role] });
    expect(await changed(sources)).toEqual(["grant role beds_runtime to beds_run@docs"]);
  });

  test("templates of other databases and classes do not count", async () => {
    const [first] = templates;
    if (first === undefined) throw new Error("no template");
    const elsewhere = { ...first, database: "elsewhere" };
    expect(await changed(sources, [...templates, elsewhere])).toEqual([]);
  });
});

test("without a DBA's account there is no workbench: BEDS-W004", async () => {
  const other = driver.openWorkbench?.(stackTarget({ dba: null }));
  expect(await codeOf(other?.plan(sources, templates) ?? Promise.resolve())).toBe("BEDS-W004");
});
