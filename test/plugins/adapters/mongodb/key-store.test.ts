import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import type { Db } from "mongodb";
import type {
  Adapter,
  AdapterDriver,
  ObjectSource,
  Template,
  Workbench,
} from "../../../../core/contract/index.ts";
import { ScratchMongod } from "./scratch-mongod.ts";
import {
  Caller,
  codeOf,
  fixtures,
  openDriver,
  readObjectSources,
  readTemplate,
  someKey,
  sourceOf,
} from "./stack.ts";

const mongod = await ScratchMongod.start({ isReplicaSet: true });

if (mongod === null) test.skip("the collection of keys: there is no mongod to start", () => {});
else describe("the collection of keys", () => installation(mongod));

function installation(server: ScratchMongod): void {
  let driver: AdapterDriver;
  let workbench: Workbench;
  let adapter: Adapter;
  let tests: Caller;
  let sources: readonly ObjectSource[];
  let template: Template;

  beforeAll(async () => {
    driver = await openDriver();
    const opened = driver.openWorkbench?.(server.target());
    if (opened === undefined) throw new Error("the adapter has no workbench");
    workbench = opened;
    sources = await readObjectSources(fixtures);
    template = await readTemplate(fixtures, "tests_rec.toml");
    adapter = driver.open(server.target());
    tests = new Caller(adapter, template);
  });

  beforeEach(async () => {
    await changed();
    await tests.binding("upsert");
  });

  afterAll(async () => {
    await adapter.close();
    await workbench.close();
    await server[Symbol.asyncDispose]();
  });

  /** Applies; what really changed, in words. */
  async function changed(): Promise<readonly string[]> {
    const actions: string[] = [];
    await workbench.apply(sources, [template], ({ action, changed: isNew }) => {
      if (isNew) actions.push(action);
    });
    return actions;
  }

  async function asDba(work: (db: Db) => Promise<unknown>): Promise<void> {
    await server.ask((client) => work(client.db("docs")));
  }

  const missing = async () => (await adapter.describe(AbortSignal.timeout(5000))).missing;

  test("a database from before keys is upgraded by one apply, and a second changes nothing", async () => {
    const resource = { db: "docs", collection: "beds_key" };
    await asDba(async (db) => {
      await db.collection("beds_key").drop();
      await notes(db).deleteMany({ _id: /^beds/ });
      const privileges = [{ resource, actions: ["find", "insert"] }];
      await db.command({ revokePrivilegesFromRole: "beds_runtime", privileges });
    });
    expect(await missing()).toEqual(["collection beds_key"]);
    expect(await changed()).toEqual([
      "create collection beds_key",
      "grant find ON docs.beds_key",
      "grant insert ON docs.beds_key",
    ]);
    expect(await changed()).toEqual([]);
    expect(await missing()).toEqual([]);
    expect((await tests.keyed(someKey(), "upsert", ["upgraded", 1])).replayed).toBe(false);
  });

  test("keys of before survive an apply of another version, which is put right", async () => {
    const key = someKey();
    await tests.keyed(key, "upsert", ["survives", 1]);
    await asDba(async (db) => {
      await db.collection("beds_key").dropIndex("beds_key_expires");
      await db.command({ collMod: "beds_key", validator: {} });
      const other = { $set: { checksum: "of another version" } };
      await notes(db).updateOne({ _id: /^beds/ }, other);
    });
    expect(await missing()).toEqual(["index beds_key_expires of beds_key"]);
    expect(await changed()).toEqual(["change collection beds_key"]);
    expect(await changed()).toEqual([]);
    expect(await missing()).toEqual([]);
    expect((await tests.keyed(key, "upsert", ["survives", 1])).replayed).toBe(true);
    await asDba(async (db) => {
      const bad = db.collection("beds_key").insertOne({ hash: "no key" });
      expect(String(await codeOf(bad))).toContain("failed validation");
      const indexes = await db.collection("beds_key").indexes();
      expect(indexes.map(({ expireAfterSeconds }) => expireAfterSeconds)).toContain(0);
    });
  });

  test("an account that may not store keys, or not like this, is BEDS-D011, and nothing happens", async () => {
    const ask = () =>
      tests.keyed(someKey(), "upsert", ["refused", 1]).catch((error: unknown) => error);
    await server.fail(["insert"], { errorCode: 13 });
    expect(await ask()).toMatchObject({ code: "BEDS-D011", hint: "run `beds db apply`" });
    const validator = { a: { $exists: true } };
    await asDba((db) => db.command({ collMod: "beds_key", validator }));
    expect(await ask()).toMatchObject({
      code: "BEDS-D011",
      detail: "database docs: the validator of beds_key is of another version",
    });
    await asDba(async (db) => {
      await notes(db).deleteMany({ _id: /^beds/ });
      expect(await db.collection("zzt").countDocuments({ zzt_key: "refused" })).toBe(0);
    });
    expect(await changed()).toEqual(["change collection beds_key"]);
    expect(await ask()).toMatchObject({ replayed: false });
  });

  test("none of the DBA's files may be it, or work on it", async () => {
    const file = (path: string, text: object) => {
      const all = [...sources, sourceOf(`db/docs/${path}.json`, JSON.stringify(text))];
      return codeOf(workbench.plan(all, [template]));
    };
    for (const name of ["beds_key", "beds_objects", "beds_object_source"]) {
      expect(await file(`collections/${name}`, { collection: name })).toBe("BEDS-W001");
      const command = { deletes: [{ q: {}, limit: 0 }] };
      const object = { _id: "zzt_bad", kind: "delete", on: name, command };
      expect(await file("objects/zzt_bad", object)).toMatch(/BEDS-(T020|W001)/);
    }
    await asDba(async (db) => {
      const object = { _id: "zzt_bad", kind: "delete", on: "beds_key", command: { deletes: [] } };
      await objectsOf(db).insertOne(object);
      const { objects } = await adapter.describe(AbortSignal.timeout(5000));
      expect(objects.get("zzt_bad")?.refusal).toContain("beds_key is BEDS's own");
      await objectsOf(db).deleteOne({ _id: "zzt_bad" });
    });
  });
}

const notes = (db: Db) => db.collection<{ _id: string }>("beds_object_source");
const objectsOf = (db: Db) => db.collection<{ _id: string }>("beds_objects");
