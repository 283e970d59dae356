import { describe, expect, test } from "bun:test";
import { splitStatements } from "../../../../plugins/adapters/mariadb/sql-statements.ts";
import { outcome } from "./scratch.ts";

type Case = readonly [title: string, text: string, statements: readonly string[]];

const cases: readonly Case[] = [
  ["nothing", "", []],
  ["comments alone", "-- a;\n# b;\n/* c; */\n", []],
  ["one statement", "SELECT 1;", ["SELECT 1"]],
  ["the last needs no delimiter", "SELECT 1;\nSELECT 2", ["SELECT 1", "SELECT 2"]],
  ["empty statements", ";;\n; SELECT 1 ;;", ["SELECT 1"]],
  [
    "delimiters in strings",
    `SELECT ';', ";", 'it''s;', "a"";", '\\';' ;`,
    [`SELECT ';', ";", 'it''s;', "a"";", '\\';'`],
  ],
  ["delimiters in quoted names", "SELECT `a;b``;` FROM t;", ["SELECT `a;b``;` FROM t"]],
  ["delimiters in comments", "SELECT 1 -- no;\n + 2 /* no; */ # no;\n;", ["SELECT 1 -- no;\n + 2"]],
  ["two dashes without a space are minus signs", "SELECT 1--1;", ["SELECT 1--1"]],
  [
    "DELIMITER",
    "DELIMITER //\nSELECT 1; SELECT 2 //\nDELIMITER ;\nSELECT 3;",
    ["SELECT 1; SELECT 2", "SELECT 3"],
  ],
  [
    "DELIMITER in any case, with $$ and Windows lines",
    "delimiter $$\r\nSELECT 1;$$\r\n",
    ["SELECT 1"],
  ],
  [
    "a column may be called delimiter",
    "CREATE TABLE t (\n delimiter INT\n);",
    ["CREATE TABLE t (\n delimiter INT\n)"],
  ],
  [
    "a routine needs no DELIMITER",
    "CREATE PROCEDURE p()\nBEGIN\n SELECT 1;\nEND;\n",
    ["CREATE PROCEDURE p()\nBEGIN\n SELECT 1;\nEND"],
  ],
  [
    "a table called procedure_log is no routine",
    "CREATE TABLE procedure_log (a INT); SELECT 1;",
    ["CREATE TABLE procedure_log (a INT)", "SELECT 1"],
  ],
  ["letters of other alphabets", "SELECT 'é;' AS größe;", ["SELECT 'é;' AS größe"]],
];

test.each(cases)("splits %s", (_, text, statements) => {
  expect(splitStatements("x.sql", text).map((statement) => statement.text)).toEqual([
    ...statements,
  ]);
});

test("a statement knows the line on which it begins", () => {
  const text = "-- one\n\nSELECT 1;\n/* a\n b */ SELECT\n 2;\n";
  expect(splitStatements("x.sql", text).map((statement) => statement.line)).toEqual([3, 5]);
});

test("tokens are what the server reads, with their places", () => {
  const [statement] = splitStatements("x.sql", " CREATE /* x */ TABLE `a``b` -- y\n (c) ;");
  expect(statement?.tokens.map(({ kind, text }) => [kind, text])).toEqual([
    ["word", "CREATE"],
    ["word", "TABLE"],
    ["name", "a`b"],
    ["symbol", "("],
    ["word", "c"],
    ["symbol", ")"],
  ]);
  const [first, second] = statement?.tokens ?? [];
  expect([first?.start, second?.end]).toEqual([0, "CREATE /* x */ TABLE".length]);
});

describe("refuses with the line", () => {
  const wrong: readonly (readonly [string, string, string])[] = [
    ["a string that does not end", "SELECT 1;\nSELECT 'a;\n", "x.sql:2:8 a string does not end"],
    ["a name that does not end", "\n\nSELECT `a", "x.sql:3:8 a quoted name does not end"],
    ["a comment that does not end", "SELECT 1; /* b", "x.sql:1:11 a comment does not end"],
    ["a comment that is executed", "SELECT 1\n/*!50003 + 1 */;", "x.sql:2:1 comments that"],
    ["MariaDB's own executed comment", "/*M! SELECT 1 */;", "x.sql:1:1 comments that"],
  ];
  test.each(wrong)("%s", async (_, text, expected) => {
    const attempt = Promise.try(() => splitStatements("x.sql", text));
    expect(await outcome(attempt)).toStartWith("BEDS-W001");
    const place = await attempt.then(String, (error) => {
      const { file, line, column } = error.where;
      return `${file}:${line}:${column} ${error.detail}`;
    });
    expect(place).toStartWith(expected);
  });
});
