import { describe, expect, test } from "bun:test";
import type { DatabaseDescription, DescribedObject } from "../../../core/contract/index.ts";
import { findDrift } from "../../../core/template/drift.ts";
import { parseTemplate } from "../../../core/template/parse.ts";

const users = parseTemplate(
  `
name = "Users"
tla = "usr"
class = "rel"
database = "app"
description = "People."
[fields.email]
type = "string"
[fields.age]
type = "int"
[operations.create]
kind = "create"
params = ["email", "age"]
[operations.list]
kind = "fetch"
object = "usr_active_v"
object_type = "view"
params = ["age", { name = "rank", type = "int" }]
`,
  "users.toml",
);

const email = { name: "p_usr_email", declared: "varchar(255)", accepts: ["string"] } as const;
const age = { name: "p_usr_age", declared: "int(11)", accepts: ["int", "bigint"] } as const;
const execute = "EXECUTE ON PROCEDURE app.usr_create";
const select = "SELECT ON app.usr_active_v";

const create: DescribedObject = {
  name: "usr_create",
  type: "procedure",
  parameters: [email, age],
  requires: [execute],
};
const list: DescribedObject = {
  name: "usr_active_v",
  type: "view",
  parameters: [],
  columns: [
    { ...email, name: "usr_email" },
    { ...age, name: "usr_age" },
    { ...age, name: "rank" },
    { ...age, name: "more_than_is_asked" },
  ],
  requires: [select],
};

function reported(
  objects: readonly DescribedObject[],
  grants: readonly string[] = [execute, select, "USAGE ON *.*"],
): DatabaseDescription {
  return {
    product: "MariaDB",
    version: "10.11",
    maxConnections: 100,
    objects: new Map(objects.map((object) => [object.name, object])),
    grants,
    harmlessGrants: ["USAGE ON *.*"],
  };
}

function drift(description: DatabaseDescription): readonly string[] {
  return findDrift([users], description, "app").map(({ code, detail, where }) => {
    return `${where?.line ?? "-"} ${code} ${detail}`;
  });
}

const lower = { ...age, declared: "varchar(3)", accepts: ["string"] } as const;
const where = { create: 11, list: 14 };

const cases: readonly (readonly [
  name: string,
  description: DatabaseDescription,
  found: readonly string[],
])[] = [
  ["no difference", reported([create, list]), []],
  [
    "an object that is missing",
    reported([{ ...create, name: "usr_creates" }, list], [select]),
    [
      `${where.create} BEDS-T014 Users.create: the runtime account sees no procedure usr_create in database app; did you mean 'usr_creates'?`,
    ],
  ],
  [
    "an object of BEDS's own that is missing",
    { ...reported([create, list]), missing: ["procedure beds_begin"] },
    ["- BEDS-T014 database app: BEDS's own procedure beds_begin is missing"],
  ],
  [
    "an object of another type",
    reported([{ ...create, type: "function" }, list]),
    [
      `${where.create} BEDS-T019 Users.create: usr_create is a function, the template says procedure`,
    ],
  ],
  [
    "an object that must not be used",
    reported([{ ...create, refusal: "SQL SECURITY INVOKER" }, list]),
    [`${where.create} BEDS-T020 Users.create: usr_create: SQL SECURITY INVOKER`],
  ],
  [
    "a parameter too few",
    reported([{ ...create, parameters: [email] }, list]),
    [
      `${where.create} BEDS-T015 Users.create: usr_create takes 1 parameters (p_usr_email), the template has 2 (email, age)`,
    ],
  ],
  [
    "a parameter of another type",
    reported([{ ...create, parameters: [email, lower] }, list]),
    [
      `${where.create} BEDS-T015 Users.create: parameter 2 of usr_create, age, is int in the template and varchar(3) in the database`,
    ],
  ],
  [
    "parameters that were exchanged",
    reported([{ ...create, parameters: [age, email] }, list]),
    [
      `${where.create} BEDS-T015 Users.create: parameter 1 of usr_create is p_usr_age; email is its parameter 2`,
      `${where.create} BEDS-T015 Users.create: parameter 2 of usr_create is p_usr_email; age is its parameter 1`,
    ],
  ],
  [
    "names that match nowhere, which say nothing",
    reported([
      {
        ...create,
        parameters: [
          { ...email, name: "a" },
          { ...age, name: "AGE" },
        ],
      },
      list,
    ]),
    [],
  ],
  [
    "columns that are missing or of another type",
    reported([
      create,
      {
        ...list,
        columns: [
          { ...lower, name: "usr_age" },
          { ...age, name: "usr_emai" },
        ],
      },
    ]),
    [
      `${where.list} BEDS-T018 Users.list: view usr_active_v has no column usr_email (email); did you mean 'usr_emai'?`,
      `${where.list} BEDS-T018 Users.list: usr_active_v.usr_age is int in the template and varchar(3) in the database`,
      `${where.list} BEDS-T018 Users.list: view usr_active_v has no column rank (rank)`,
    ],
  ],
  ["columns that the database cannot tell", reported([create, withoutColumns(list)]), []],
  [
    "a grant too few",
    reported([create, list], [select]),
    [`${where.create} BEDS-T017 Users.create: ${execute}`],
  ],
  [
    "grants too many, each once",
    reported(
      [create, list],
      [execute, select, "SELECT ON app.*", "SELECT ON app.*", "DROP ON *.*"],
    ),
    ["- BEDS-T016 database app: SELECT ON app.*", "- BEDS-T016 database app: DROP ON *.*"],
  ],
  [
    "a grant on an object that no operation names",
    reported(
      [create, list, { ...create, name: "old", requires: ["EXECUTE ON old"] }],
      [execute, select, "EXECUTE ON old"],
    ),
    ["- BEDS-T016 database app: EXECUTE ON old"],
  ],
];

describe("drift", () => {
  for (const [name, description, found] of cases) {
    test(name, () => expect(drift(description)).toEqual([...found]));
  }

  test("of grants has the words that repair it", () => {
    const few = findDrift([users], reported([create, list], [select]), "app");
    expect(few[0]?.hint).toContain(`GRANT ${execute} TO`);
    const many = findDrift([users], reported([create, list], [execute, select, "X"]), "app");
    expect(many[0]?.hint).toContain("REVOKE X FROM");
  });

  test("of other databases is none of this one's", () => {
    expect(findDrift([users], reported([], []), "docs")).toEqual([]);
  });
});

function withoutColumns({ name, type, parameters, requires }: DescribedObject): DescribedObject {
  return { name, type, parameters, requires };
}
