import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  BedsError,
  type ObjectChange,
  type ObjectSource,
} from "../../../../core/contract/index.ts";
import { parseTemplate } from "../../../../core/template/parse.ts";
import {
  loadSources,
  loadTemplate,
  makeScratch,
  makeSource,
  outcome,
  type Scratch,
} from "./scratch.ts";

// The DBA's side against the real server: what is new or changed is installed, once, and nothing
// else is touched.

const root = join(import.meta.dir, "../../../..");
let scratch: Scratch;

beforeAll(async () => {
  scratch = await makeScratch("bench");
});

afterAll(async () => {
  await scratch.dispose();
});

const ownProcedures = ["beds_begin", "beds_find", "beds_finish", "beds_kill", "beds_purge"];
const example = (): ObjectSource[] => loadSources(join(root, "templates/db/app"));
const template = () => loadTemplate(join(root, "templates/example_rel.toml"), "bench");

function changed(changes: readonly ObjectChange[]): string[] {
  return changes.filter((change) => change.changed).map((change) => change.action);
}

async function grantsOf(): Promise<string[]> {
  const rows = await scratch.root(`SHOW GRANTS FOR '${scratch.target.master.user}'@'%'`);
  return rows.map((row) => String(Object.values(row)[0]).replace(/ IDENTIFIED BY .*/, ""));
}

describe("plan and apply", () => {
  test("plan tells what apply does, and does nothing", async () => {
    const planned = await scratch.plan(example(), [template()]);
    expect(planned.every((change) => change.changed)).toBe(true);
    expect(await scratch.as("dba", "SHOW TABLES FROM {db}")).toEqual([]);
    const applied = await scratch.apply(example(), [template()]);
    expect(applied).toEqual([...planned]);
    expect(applied.slice(0, 9).map((change) => change.action)).toEqual([
      "create table beds_key",
      "create table exr_item",
      "create function exr_count",
      "create view exr_listed_v",
      ...ownProcedures.map((name) => `create procedure ${name}`),
    ]);
  });

  test("the second time nothing changes, and everything is reported", async () => {
    const again = await scratch.apply(example(), [template()]);
    expect(changed(again)).toEqual([]);
    const own = 1 + 2 * ownProcedures.length;
    expect(again).toHaveLength(example().length + own + template().operations.size);
    expect(changed(await scratch.plan(example(), [template()]))).toEqual([]);
  });

  test("the account has EXECUTE and SELECT on single objects and nothing else", async () => {
    const { database, target } = scratch;
    const account = `TO \`${target.master.user}\`@\`%\``;
    const objects = [...template().operations.values()].map(({ object, objectType }) =>
      objectType === "view"
        ? `GRANT SELECT ON \`${database}\`.\`${object}\` ${account}`
        : `GRANT EXECUTE ON ${objectType.toUpperCase()} \`${database}\`.\`${object}\` ${account}`,
    );
    const own = ownProcedures.map(
      (name) => `GRANT EXECUTE ON PROCEDURE \`${database}\`.\`${name}\` ${account}`,
    );
    const usage = `GRANT USAGE ON *.* ${account}`;
    expect((await grantsOf()).toSorted()).toEqual([...objects, ...own, usage].toSorted());
  });

  test("routines are strict, and run with the DBA's rights", async () => {
    const rows = await scratch.root(
      `SELECT SQL_MODE, SECURITY_TYPE, DEFINER FROM information_schema.ROUTINES
        WHERE ROUTINE_SCHEMA = '${scratch.database}'`,
    );
    expect(rows.length).toBeGreaterThan(5);
    for (const row of rows) {
      expect(row["SQL_MODE"]).toContain("STRICT_ALL_TABLES");
      expect(row["SECURITY_TYPE"]).toBe("DEFINER");
      expect(row["DEFINER"]).toBe(`${scratch.target.dba?.user}@%`);
    }
  });
});

describe("only what is needed is done again", () => {
  test("a changed routine is replaced and keeps its grants", async () => {
    const before = await grantsOf();
    const sources = example().map((source) =>
      source.path.endsWith("exr_count.sql")
        ? makeSource(source.path, `${source.text}\n-- changed\n`)
        : source,
    );
    expect(changed(await scratch.apply(sources, [template()]))).toEqual([
      "replace function exr_count",
    ]);
    expect(changed(await scratch.apply(sources, [template()]))).toEqual([]);
    expect(await grantsOf()).toEqual(before);
    expect(changed(await scratch.apply(example(), [template()]))).toHaveLength(1);
  });

  test("what somebody dropped comes back, with its grant", async () => {
    await scratch.as("dba", "DROP PROCEDURE {db}.exr_remove");
    await scratch.as("dba", "DROP VIEW {db}.exr_listed_v");
    const back = changed(await scratch.apply(example(), [template()]));
    expect(back.slice(0, 2)).toEqual(["create view exr_listed_v", "create procedure exr_remove"]);
    expect(back.at(-1)).toStartWith(`grant EXECUTE ON PROCEDURE ${scratch.database}.exr_remove`);
    expect(changed(await scratch.apply(example(), [template()]))).toEqual([]);
  });

  test("a table that was there before its file is adopted as it is", async () => {
    await scratch.as("dba", "CREATE TABLE {db}.old_one (a INT)");
    const sources = [
      makeSource("db/app/tables/old_one.sql", "CREATE TABLE old_one (a INT, b INT)"),
    ];
    expect(changed(await scratch.apply(sources, []))).toEqual(["adopt table old_one"]);
    expect(await scratch.as("dba", "SHOW COLUMNS FROM {db}.old_one")).toHaveLength(1);
    expect(changed(await scratch.apply(sources, []))).toEqual([]);
  });

  test("alterations run once, in their order, and again when the table had to be made anew", async () => {
    const sources = [
      makeSource("db/app/tables/010_two_c.sql", "ALTER TABLE two ADD c INT AFTER b"),
      makeSource("db/app/tables/002_two_b.sql", "ALTER TABLE two ADD b INT"),
      makeSource("db/app/tables/two.sql", "CREATE TABLE two (a INT)"),
    ];
    const actions = ["create table two", "alter table two", "alter table two"];
    expect(changed(await scratch.apply(sources, []))).toEqual(actions);
    expect(changed(await scratch.apply(sources, []))).toEqual([]);
    await scratch.as("dba", "DROP TABLE {db}.two");
    expect(changed(await scratch.apply(sources, []))).toEqual(actions);
    expect(await scratch.as("dba", "SHOW COLUMNS FROM {db}.two")).toHaveLength(3);
  });
});

describe("what is wrong is said with file and line, before anything is done", () => {
  async function place(sources: readonly ObjectSource[]): Promise<string> {
    try {
      await scratch.apply(sources, []);
      return "applied";
    } catch (thrown) {
      if (!(thrown instanceof BedsError)) throw thrown;
      return `${thrown.code} ${thrown.where?.file}:${thrown.where?.line} ${thrown.detail}`;
    }
  }

  test("a table's file that was changed after it was applied", async () => {
    const sources = example().map((source) =>
      source.path.endsWith("exr_item.sql") ? makeSource(source.path, `${source.text}--\n`) : source,
    );
    expect(await place(sources)).toStartWith("BEDS-W003 db/app/tables/exr_item.sql:1");
    expect(await outcome(scratch.plan(sources, []))).toStartWith("BEDS-W003");
  });

  test("a file that is no object, behind one that is", async () => {
    const sources = [
      makeSource("db/app/procedures/a_new.sql", "CREATE PROCEDURE a_new() SELECT 1"),
      makeSource("db/app/procedures/b_new.sql", "-- b\n\nCREATE PROCEDURE c_new() SELECT 1"),
    ];
    expect(await place(sources)).toStartWith("BEDS-W001 db/app/procedures/b_new.sql:3 the file is");
    expect(changed(await scratch.plan(sources.slice(0, 1), []))).toEqual([
      "create procedure a_new",
    ]);
  });

  test("a slip in the SQL, on the line of the file", async () => {
    const text = [
      "-- A comment before it",
      "",
      "DELIMITER //",
      "CREATE PROCEDURE slip()",
      "BEGIN",
      "  SELECT 1;",
      "  SELEKT 2;",
      "END //",
    ].join("\n");
    const found = await place([makeSource("db/app/procedures/slip.sql", text)]);
    expect(found).toStartWith(
      "BEDS-W002 db/app/procedures/slip.sql:7 You have an error in your SQL",
    );
  });

  test("a view of a table that does not exist, on its first line", async () => {
    const found = await place([
      makeSource("db/app/views/v.sql", "\nCREATE VIEW v AS SELECT * FROM gone"),
    ]);
    expect(found).toStartWith("BEDS-W002 db/app/views/v.sql:2");
    expect(found).toContain("[error 1146]");
  });

  test("what stands before a refused file stays, and the next apply goes on", async () => {
    const good = makeSource("db/app/procedures/a_good.sql", "CREATE PROCEDURE a_good() SELECT 1");
    const bad = makeSource("db/app/procedures/b_bad.sql", "CREATE PROCEDURE b_bad() SELEKT 1");
    const mended = makeSource(bad.path, "CREATE PROCEDURE b_bad() SELECT 1");
    expect(await place([good, bad])).toStartWith("BEDS-W002 db/app/procedures/b_bad.sql:1");
    expect(changed(await scratch.apply([good, mended], []))).toEqual(["create procedure b_bad"]);
  });

  test("an operation whose object no file makes, at the operation's line", async () => {
    const text = `name = "Lost"\ntla = "los"\nclass = "rel"\ndatabase = "bench"\ndescription = ""\n
[operations.find]\nkind = "fetch"\n`;
    const lost = parseTemplate(text, "templates/lost.toml");
    const error = await scratch.apply([], [lost]).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: "BEDS-W002",
      where: { file: "templates/lost.toml", line: 7 },
    });
  });
});

describe("who may not", () => {
  test("without a DBA account there is no workbench", async () => {
    const workbench = scratch.driver.openWorkbench?.({ ...scratch.target, dba: null });
    expect(await outcome(workbench?.plan([], []) ?? Promise.resolve())).toStartWith("BEDS-W004");
  });

  test("a wrong password is BEDS-D008, a wrong port BEDS-D001", async () => {
    const { dba, master } = scratch.target;
    if (dba === null) throw new Error("the scratch database has no DBA");
    const wrong = { ...scratch.target, dba: { ...dba, pass: "wrong" } };
    const nowhere = { ...scratch.target, dba: { ...dba, port: 1 } };
    const runtime = { ...scratch.target, master: { ...master, pass: "wrong" } };
    for (const [target, code] of [
      [wrong, "BEDS-D008"],
      [nowhere, "BEDS-D001"],
      [runtime, "BEDS-D008"],
    ] as const) {
      const workbench = scratch.driver.openWorkbench?.(target);
      const result = await outcome(workbench?.plan([], []) ?? Promise.resolve());
      expect(result).toStartWith(code);
      expect(result).not.toContain("'wrong'");
      await workbench?.close();
    }
  });

  test("two applies at once take turns", async () => {
    const sources = [makeSource("db/app/procedures/turn.sql", "CREATE PROCEDURE turn() SELECT 1")];
    const both = await Promise.all([scratch.apply(sources, []), scratch.apply(sources, [])]);
    expect(both.flatMap(changed)).toEqual(["create procedure turn"]);
  });
});

test("whoever does not get its turn changes nothing", async () => {
  const holder = holdTurn();
  const sources = [makeSource("db/app/procedures/late.sql", "CREATE PROCEDURE late() SELECT 1")];
  await Bun.sleep(100);
  const result = await outcome(scratch.apply(sources, []));
  expect(result).toStartWith("BEDS-W002: another `beds db apply` is running");
  await holder;
  expect(changed(await scratch.plan(sources, []))).toEqual(["create procedure late"]);
});

/** Holds the lock of `apply` for longer than an apply waits. */
async function holdTurn(): Promise<void> {
  const name = `beds_db_apply ${scratch.database}`;
  await scratch.as("dba", "SELECT GET_LOCK(?, 0), SLEEP(4)", [name]);
}

test("the example's object files each begin with a comment that says what they are", () => {
  for (const source of example()) expect(source.text).toMatch(/^-- ExampleRel/);
  expect(readFileSync(join(root, "templates/example_rel.toml"), "utf8")).toStartWith(
    "# ExampleRel",
  );
});
