import { describe, expect, test } from "bun:test";
import { type BedsError, findCatalogueEntry } from "../../../../core/contract/index.ts";
import { businessCode } from "../../../../plugins/adapters/mariadb/error-codes.ts";
import {
  accessError,
  ConnectionLost,
  type FailureContext,
  statementError,
} from "../../../../plugins/adapters/mariadb/errors.ts";
import { privilegesOf } from "../../../../plugins/adapters/mariadb/grants.ts";
import { quoteName } from "../../../../plugins/adapters/mariadb/names.ts";
import { acceptedTypes } from "../../../../plugins/adapters/mariadb/types.ts";

// The tables that turn the server's words into those of BEDS. Texts are copied from MariaDB 10.11
// and MySQL 8.

describe("SHOW GRANTS", () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ["GRANT USAGE ON *.* TO `r`@`%` IDENTIFIED BY PASSWORD '*CDE0'", ["USAGE ON *.*"]],
    [
      "GRANT EXECUTE ON PROCEDURE `app`.`usr_create` TO `r`@`%`",
      ["EXECUTE ON PROCEDURE app.usr_create"],
    ],
    ["GRANT EXECUTE ON FUNCTION `app`.`f` TO `r`@`%`", ["EXECUTE ON FUNCTION app.f"]],
    ["GRANT SELECT, INSERT ON `app`.`v` TO `r`@`%`", ["SELECT ON app.v", "INSERT ON app.v"]],
    [
      "GRANT SELECT (`a`, `b`), UPDATE (`a`) ON `app`.`t` TO `r`@`%`",
      ["SELECT (a, b) ON app.t", "UPDATE (a) ON app.t"],
    ],
    [
      "GRANT ALL PRIVILEGES ON `app`.* TO `r`@`%` WITH GRANT OPTION",
      ["ALL PRIVILEGES ON app.*", "GRANT OPTION ON app.*"],
    ],
    [
      "GRANT SELECT ON *.* TO `r`@`%` WITH MAX_QUERIES_PER_HOUR 5 GRANT OPTION",
      ["SELECT ON *.*", "GRANT OPTION ON *.*"],
    ],
    ["GRANT `reporting` TO `r`@`%`", ["ROLE reporting"]],
    ["SET DEFAULT ROLE `reporting` FOR `r`@`%`", []],
    [
      "GRANT PROXY ON ''@'%' TO 'r'@'%' WITH GRANT OPTION",
      ["PROXY ON ''@'%'", "GRANT OPTION ON ''@'%'"],
    ],
    ["something IDENTIFIED BY PASSWORD '*CDE0'", ["something"]],
  ];
  test.each(cases)("%s", (line, expected) => {
    expect(privilegesOf([line, line])).toEqual([...expected]);
  });
});

describe("declared types", () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ["varchar(255)", ["string", "enum", "uuid", "json"]],
    ["char(36)", ["string", "enum", "uuid"]],
    ["longtext", ["string", "enum", "uuid", "json"]],
    ["enum('a','b(1)')", ["enum", "string"]],
    ["tinyint(1)", ["int", "bool"]],
    ["int(10) unsigned", ["int"]],
    ["bigint(20) unsigned", ["bigint", "int"]],
    ["decimal(12,2)", ["decimal"]],
    ["decimal(20,0)", ["decimal", "bigint", "int"]],
    ["double", []],
    ["float(7,3)", []],
    ["bit(1)", ["bool"]],
    ["bit(8)", []],
    ["datetime(6)", ["datetime"]],
    ["timestamp", ["datetime"]],
    ["date", ["date"]],
    ["time", ["time"]],
    ["varbinary(4096)", ["bytes"]],
    ["json", ["json"]],
    ["uuid", ["uuid", "string"]],
    ["geometry", []],
  ];
  test.each(cases)("%s", (declared, expected) => {
    expect(acceptedTypes(declared)).toEqual([...expected] as never);
  });
});

describe("errors", () => {
  const plain: FailureContext = { database: "app", read: false, committing: false };
  const server = (errno: number, sqlState: string, message: string): Error =>
    Object.assign(new Error(message), { errno, sqlState, sqlMessage: message });
  const lost = Object.assign(new Error("read ECONNRESET"), { errno: -104, code: "ECONNRESET" });
  const say = ({ code, detail }: BedsError): string => `${code}: ${detail}`;
  const secret = "it's a `secret` value' for key 'x' column 'y' at row 9";

  const cases: readonly (readonly [string, unknown, Partial<FailureContext>, string])[] = [
    [
      "a duplicate",
      server(1062, "23000", `Duplicate entry '${secret}' for key 'usr_email'`),
      {},
      "BEDS-D006: key usr_email [",
    ],
    [
      "a value",
      server(
        1366,
        "22007",
        `Incorrect integer value: '${secret}' for column \`app\`.\`t\`.\`c\` at row 1`,
      ),
      {},
      "BEDS-D007: column app.t.c [",
    ],
    [
      "a value of MySQL",
      server(1292, "22007", `Incorrect date value: '${secret}' for column 'c' at row 1`),
      {},
      "BEDS-D007: column c [",
    ],
    [
      "a null",
      server(1048, "23000", "Column 'usr_name' cannot be null"),
      {},
      "BEDS-D007: column usr_name [",
    ],
    [
      "a check",
      server(4025, "23000", "CONSTRAINT `positive` failed for `app`.`t`"),
      {},
      "BEDS-D007: constraint positive [",
    ],
    [
      "a parent",
      server(1451, "23000", "Cannot delete or update a parent row: a foreign key …"),
      {},
      "BEDS-D409",
    ],
    ["a deadlock", server(1213, "40001", "Deadlock found"), {}, "BEDS-D003"],
    ["a lock wait", server(1205, "HY000", "Lock wait timeout exceeded"), {}, "BEDS-D003"],
    ["the time limit", server(1969, "70100", "Query execution was interrupted"), {}, "BEDS-D002"],
    [
      "a kill of the query",
      server(1317, "70100", "Query execution was interrupted"),
      {},
      "BEDS-D002",
    ],
    ["a kill of the connection", server(1927, "70100", "Connection was killed"), {}, "BEDS-D001"],
    ["a shutdown", server(1053, "08S01", "Server shutdown in progress"), {}, "BEDS-D001"],
    ["a read-only server", server(1290, "HY000", "--read-only"), {}, "BEDS-D001"],
    [
      "a fetch on it that writes",
      server(1290, "HY000", "--read-only"),
      { read: true },
      "BEDS-D005",
    ],
    [
      "a fetch that writes",
      server(1792, "25006", "READ ONLY transaction"),
      { read: true },
      "BEDS-D005",
    ],
    [
      "no object",
      server(1305, "42000", "PROCEDURE app.x does not exist"),
      {},
      "BEDS-D005: PROCEDURE app.x does not exist [",
    ],
    ["no right", server(1370, "42000", "execute command denied"), {}, "BEDS-D005"],
    ["no login", server(1045, "28000", "Access denied for user"), {}, "BEDS-D008"],
    [
      "a business error",
      server(1644, "45422", "age must be positive"),
      {},
      "BEDS-D422: age must be positive",
    ],
    [
      "an unknown number",
      server(9999, "HY000", `odd '${secret}' thing`),
      {},
      "BEDS-B001: database app: error 9999 (HY000)",
    ],
    ["a reset", lost, {}, "BEDS-D001"],
    ["a reset while committing", lost, { committing: true }, "BEDS-D004"],
    ["a loss while committing", new ConnectionLost("gone"), { committing: true }, "BEDS-D004"],
    [
      "a deadlock while committing",
      server(1213, "40001", "Deadlock"),
      { committing: true },
      "BEDS-D003",
    ],
    ["a slip of the driver", new TypeError(`cannot bind '${secret}'`), {}, "BEDS-B001"],
  ];
  test.each(cases)("%s", (_, thrown, change, expected) => {
    const error = statementError(thrown, { ...plain, ...change });
    expect(say(error)).toStartWith(expected);
    expect(say(error)).not.toContain("secret");
    const { cause } = error;
    if (error.code !== "BEDS-B001" || thrown instanceof TypeError) return;
    expect(cause instanceof Error ? cause.message : "").toBe("error 9999 (HY000): odd '…' thing");
  });

  test("a connection that cannot be opened", () => {
    const denied = server(1045, "28000", "Access denied for user 'r'@'%'");
    expect(accessError(denied, "app").code).toBe("BEDS-D008");
    expect(accessError(server(1040, "08004", "Too many connections"), "app").code).toBe(
      "BEDS-D001",
    );
    const refused = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
    expect(say(accessError(refused, "app"))).toBe("BEDS-D001: database app: connect ECONNREFUSED");
  });

  test("every D4xx of the catalogue can be signalled", () => {
    for (let digits = 400; digits < 500; digits += 1) {
      const code = `BEDS-D${digits}`;
      const known = findCatalogueEntry(code) !== undefined;
      expect<string>(businessCode(String(digits))).toBe(known ? code : "BEDS-D400");
    }
  });
});

test("names are quoted, and what is none is refused", () => {
  expect(quoteName("usr_create")).toBe("`usr_create`");
  for (const name of ["", "a`b", "a.b", "a b", "a;b", "é", "x".repeat(65)]) {
    expect(() => quoteName(name)).toThrow();
  }
});
