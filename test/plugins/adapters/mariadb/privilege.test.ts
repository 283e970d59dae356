import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { findDrift } from "../../../../core/template/drift.ts";
import { loadSources, loadTemplate, makeScratch, outcome, type Scratch } from "./scratch.ts";

// What the runtime account cannot do, asked of the server itself.

const root = join(import.meta.dir, "../../../..");
const template = loadTemplate(join(root, "templates/example_rel.toml"), "least");
let scratch: Scratch;

beforeAll(async () => {
  scratch = await makeScratch("least");
  await scratch.apply(loadSources(join(root, "templates/db/app")), [template]);
  await scratch.as("dba", "CREATE PROCEDURE {db}.secret() SELECT 1");
});

afterAll(async () => {
  await scratch.dispose();
});

const forbidden: readonly string[] = [
  "SELECT * FROM {db}.exr_item",
  "SELECT exr_id FROM {db}.exr_item LIMIT 1",
  "INSERT INTO {db}.exr_item (exr_sku) VALUES ('x')",
  "UPDATE {db}.exr_item SET exr_stock = 0",
  "DELETE FROM {db}.exr_item",
  "UPDATE {db}.exr_listed_v SET exr_stock = 0",
  "DELETE FROM {db}.exr_listed_v",
  "TRUNCATE {db}.exr_item",
  "CALL {db}.secret()",
  "CREATE TABLE {db}.mine (a INT)",
  "CREATE TEMPORARY TABLE {db}.mine (a INT)",
  "CREATE PROCEDURE {db}.mine() SELECT 1",
  "CREATE OR REPLACE PROCEDURE {db}.exr_create() SELECT 1",
  "CREATE OR REPLACE VIEW {db}.exr_listed_v AS SELECT 1",
  "ALTER TABLE {db}.exr_item ADD a INT",
  "DROP TABLE {db}.exr_item",
  "DROP PROCEDURE {db}.exr_create",
  "DROP DATABASE {db}",
  "CREATE DATABASE mine_{db}",
  "SELECT * FROM {db}.beds_object_source",
  "SELECT * FROM {db}.beds_key",
  "INSERT INTO {db}.beds_key VALUES ('s', 'k', 'h', 'a', '{}', NOW(), NOW())",
  "UPDATE {db}.beds_key SET response = NULL",
  "DELETE FROM {db}.beds_key",
  "SHOW CREATE TABLE {db}.exr_item",
  "SHOW CREATE VIEW {db}.exr_listed_v",
  "SELECT * FROM mysql.user",
  "SELECT * FROM mysql.proc",
  "GRANT SELECT ON {db}.exr_listed_v TO CURRENT_USER()",
  "SET GLOBAL read_only = 0",
  "LOAD DATA INFILE '/etc/hostname' INTO TABLE {db}.exr_item",
  "SELECT exr_name FROM {db}.exr_listed_v INTO OUTFILE '/tmp/beds_t_stolen'",
];

test.each(forbidden)("the runtime account may not: %s", async (sql) => {
  expect(await outcome(scratch.as("run", sql))).toMatch(/denied|command denied|Access denied/);
});

test("what it may do it can do", async () => {
  expect(await outcome(scratch.as("run", "SELECT exr_name FROM {db}.exr_listed_v"))).toBe(
    "fulfilled",
  );
  expect(await outcome(scratch.as("run", "CALL {db}.exr_fetch_by_id(1)"))).toBe("fulfilled");
  expect(await outcome(scratch.as("run", "SELECT {db}.exr_count(NULL)"))).toBe("fulfilled");
});

test("it cannot end a connection whose random lock it does not know", async () => {
  await scratch.as("run", "CALL {db}.beds_kill('guess')");
  expect(await outcome(scratch.as("dba", "SELECT 1"))).toBe("fulfilled");
});

test("it sees no body of any object", async () => {
  const routines = await scratch.as(
    "run",
    `SELECT ROUTINE_NAME AS name, ROUTINE_DEFINITION AS body FROM information_schema.ROUTINES
      WHERE ROUTINE_SCHEMA = '${scratch.database}'`,
  );
  expect(routines.length).toBe(12);
  for (const routine of routines) expect(routine).toMatchObject({ body: null });
});

const tooMuch: readonly (readonly [grant: string, revoke: string, told: RegExp])[] = [
  ["SELECT ON {db}.exr_item", "SELECT ON {db}.exr_item", /SELECT ON \w+\.exr_item$/],
  ["SELECT (exr_id) ON {db}.exr_item", "ALL ON {db}.exr_item", /SELECT \(exr_id\) ON/],
  [
    "EXECUTE ON PROCEDURE {db}.secret",
    "EXECUTE ON PROCEDURE {db}.secret",
    /PROCEDURE \w+\.secret$/,
  ],
  ["EXECUTE ON {db}.*", "EXECUTE ON {db}.*", /EXECUTE ON \w+\.\*$/],
  ["PROCESS ON *.*", "PROCESS ON *.*", /PROCESS ON \*\.\*$/],
];
test.each(tooMuch)("the drift check reports %s as too much", async (grant, revoke, told) => {
  const { user } = scratch.target.master;
  const named = (text: string): string => text.replaceAll("{db}", scratch.database);
  await scratch.root(named(`GRANT ${grant} TO '${user}'@'%'`));
  const adapter = scratch.driver.open(scratch.target);
  try {
    const description = await adapter.describe(AbortSignal.timeout(5000));
    const drift = findDrift([template], description, "least");
    expect(drift.map((error) => error.code)).toEqual(["BEDS-T016"]);
    expect(drift[0]?.detail).toMatch(told);
  } finally {
    await adapter.close();
    await scratch.root(named(`REVOKE ${revoke} FROM '${user}'@'%'`));
  }
});

const refusals: readonly (readonly [name: string, mode: string, sql: string, reason: RegExp])[] = [
  ["lax", "", "CREATE PROCEDURE {db}.lax() SELECT 1", /strict/],
  [
    "invoked",
    "STRICT_ALL_TABLES",
    "CREATE PROCEDURE {db}.invoked() SQL SECURITY INVOKER SELECT 1",
    /INVOKER/,
  ],
  [
    "outward",
    "STRICT_ALL_TABLES",
    "CREATE PROCEDURE {db}.outward(OUT p_x INT) SET p_x = 1",
    /p_x is OUT/,
  ],
  ["seen", "", "CREATE SQL SECURITY INVOKER VIEW {db}.seen AS SELECT 1 AS one", /INVOKER/],
];
test.each(refusals)("describe refuses %s", async (name, mode, sql, reason) => {
  const kind = /VIEW/.test(sql) ? "" : "PROCEDURE ";
  const what = kind === "" ? "SELECT" : "EXECUTE";
  await scratch.as("dba", `SET STATEMENT sql_mode = '${mode}' FOR ${sql}`);
  const { user } = scratch.target.master;
  const target = `${what} ON ${kind}${scratch.database}.${name}`;
  await scratch.root(`GRANT ${target} TO '${user}'@'%'`);
  const adapter = scratch.driver.open(scratch.target);
  try {
    const { objects } = await adapter.describe(AbortSignal.timeout(5000));
    expect(objects.get(name)?.refusal).toMatch(reason);
  } finally {
    await adapter.close();
    await scratch.root(`REVOKE ${target} FROM '${user}'@'%'`);
  }
});
