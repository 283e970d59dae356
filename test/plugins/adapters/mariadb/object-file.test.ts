import { describe, expect, test } from "bun:test";
import { readObjectFiles } from "../../../../plugins/adapters/mariadb/object-file.ts";
import { makeSource, outcome } from "./scratch.ts";

function read(path: string, text: string, isMariadb = true): readonly string[] {
  const [file] = readObjectFiles([makeSource(path, text)]);
  return [`${file?.kind} ${file?.name}`, ...(file?.statements(isMariadb) ?? [])];
}

describe("recognises and installs", () => {
  test("a table", () => {
    const text = "-- why\nCREATE TABLE IF NOT EXISTS `usr` (a INT);";
    expect(read("db/app/tables/001_usr.sql", text)).toEqual([
      "table usr",
      "CREATE TABLE IF NOT EXISTS `usr` (a INT)",
    ]);
  });

  test("an alteration", () => {
    const text = "ALTER TABLE usr ADD COLUMN city INT;";
    expect(read("db/app/tables/002_usr_add_city.sql", text)).toEqual([
      "alteration usr",
      "ALTER TABLE usr ADD COLUMN city INT",
    ]);
  });

  const body = "() SELECT 1";
  const replaced: readonly (readonly [string, string, string])[] = [
    ["CREATE PROCEDURE p", "CREATE OR REPLACE PROCEDURE p", "CREATE PROCEDURE p"],
    ["create or  replace procedure p", "create or  replace procedure p", "create procedure p"],
    ["CREATE OR\nREPLACE PROCEDURE p", "CREATE OR\nREPLACE PROCEDURE p", "CREATE\n PROCEDURE p"],
  ];
  test.each(replaced)("%j is replaced, line for line", (head, mariadb, mysql) => {
    expect(read("db/app/procedures/p.sql", head + body)).toEqual(["procedure p", mariadb + body]);
    expect(read("db/app/procedures/p.sql", head + body, false)).toEqual([
      "procedure p",
      "DROP PROCEDURE IF EXISTS `p`",
      mysql + body,
    ]);
  });

  test("a view, also on MySQL, and a function", () => {
    const view = "CREATE ALGORITHM = MERGE SQL SECURITY DEFINER VIEW v AS SELECT 1";
    const installed = view.replace("CREATE", "CREATE OR REPLACE");
    expect(read("db/app/views/v.sql", view, false)).toEqual(["view v", installed]);
    expect(read("db/app/functions/f.sql", "CREATE FUNCTION f() RETURNS INT RETURN 1")[0]).toBe(
      "function f",
    );
  });
});

test("files come in the order in which they can be installed", () => {
  const files = readObjectFiles([
    makeSource("db/app/procedures/a.sql", "CREATE PROCEDURE a() SELECT 1"),
    makeSource("db/app/views/b.sql", "CREATE VIEW b AS SELECT 1"),
    makeSource("db/app/functions/c.sql", "CREATE FUNCTION c() RETURNS INT RETURN 1"),
    makeSource("db/app/tables/010_z_more.sql", "ALTER TABLE z ADD b INT"),
    makeSource("db/app/tables/002_z_less.sql", "ALTER TABLE z ADD a INT"),
    makeSource("db/app/tables/z.sql", "CREATE TABLE z (i INT)"),
    makeSource("db/app/tables/y.sql", "CREATE TABLE y (i INT)"),
  ]);
  expect(files.map((file) => file.source.path.replace("db/app/", ""))).toEqual([
    "tables/y.sql",
    "tables/z.sql",
    "tables/002_z_less.sql",
    "tables/010_z_more.sql",
    "functions/c.sql",
    "views/b.sql",
    "procedures/a.sql",
  ]);
});

describe("refuses with BEDS-W001", () => {
  const wrong: readonly (readonly [string, string, string, string])[] = [
    ["an unknown folder", "db/app/triggers/t.sql", "CREATE TRIGGER t", "object files are"],
    ["another ending", "db/app/views/v.txt", "CREATE VIEW v AS SELECT 1", "object files are"],
    ["an empty file", "db/app/views/v.sql", "-- nothing\n", "no statement"],
    [
      "two objects",
      "db/app/views/v.sql",
      "CREATE VIEW v AS SELECT 1;\nDROP TABLE t;",
      "more than one",
    ],
    ["another statement", "db/app/tables/t.sql", "DROP TABLE t", "neither CREATE nor ALTER"],
    ["another object", "db/app/tables/t.sql", "CREATE INDEX i ON t (a)", "creates no table"],
    [
      "another folder's kind",
      "db/app/views/p.sql",
      "CREATE PROCEDURE p() SELECT 1",
      "views/ takes view",
    ],
    ["another name", "db/app/views/v.sql", "CREATE VIEW w AS SELECT 1", "called v, its view w"],
    ["no name", "db/app/views/v.sql", "CREATE VIEW", "no name"],
    [
      "a database's name",
      "db/app/views/v.sql",
      "CREATE VIEW other.v AS SELECT 1",
      "without its database",
    ],
    ["a strange name", "db/app/views/v.sql", "CREATE VIEW `v;w` AS SELECT 1", "letters, digits"],
    [
      "a definer",
      "db/app/views/v.sql",
      "CREATE DEFINER = root@localhost VIEW v AS SELECT 1",
      "DEFINER",
    ],
    [
      "invoker's rights",
      "db/app/views/v.sql",
      "CREATE SQL SECURITY INVOKER VIEW v AS SELECT 1",
      "INVOKER",
    ],
    [
      "invoker's rights of a routine",
      "db/app/procedures/p.sql",
      "CREATE PROCEDURE p() SQL SECURITY INVOKER SELECT 1",
      "INVOKER",
    ],
    [
      "a table that is replaced",
      "db/app/tables/t.sql",
      "CREATE OR REPLACE TABLE t (a INT)",
      "never replaced",
    ],
    [
      "a temporary table",
      "db/app/tables/t.sql",
      "CREATE TEMPORARY TABLE t (a INT)",
      "CREATE TABLE alone",
    ],
    [
      "a routine that may be there",
      "db/app/procedures/p.sql",
      "CREATE PROCEDURE IF NOT EXISTS p() SELECT 1",
      "IF NOT EXISTS",
    ],
    [
      "an alteration without a number",
      "db/app/tables/t_more.sql",
      "ALTER TABLE t ADD a INT",
      "<number>_t_",
    ],
    [
      "an alteration of another table",
      "db/app/tables/002_s_more.sql",
      "ALTER TABLE t ADD a INT",
      "<number>_t_",
    ],
  ];
  test.each(wrong)("%s", async (_, path, text, expected) => {
    const result = await outcome(Promise.try(() => readObjectFiles([makeSource(path, text)])));
    expect(result).toStartWith("BEDS-W001");
    expect(result).toContain(expected);
  });

  test("the same object twice", async () => {
    const files = [
      makeSource("db/app/views/1_v.sql", "CREATE VIEW v AS SELECT 1"),
      makeSource("db/app/views/2_v.sql", "CREATE VIEW v AS SELECT 2"),
    ];
    const result = await outcome(Promise.try(() => readObjectFiles(files)));
    expect(result).toBe("BEDS-W001: db/app/views/1_v.sql already makes view v");
  });
});
