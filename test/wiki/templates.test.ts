import { describe, expect, test } from "bun:test";
import { fieldTypes } from "../../core/contract/template.ts";
import { fieldSchema, headSchema, operationSchema } from "../../core/template/schema.ts";
import { businessCode } from "../../plugins/adapters/mariadb/error-codes.ts";
import { commandKinds } from "../../plugins/adapters/mongodb/object.ts";
import { readSources } from "../../plugins/adapters/mongodb/source.ts";
import { blocksOf, readPage } from "./page.ts";

/** `wiki/Templates.md`: its tables have what the schemas have, its examples are accepted. */
const page = readPage("Templates.md");

describe("the tables of keys", () => {
  const tables = [
    [
      "Keys of a template",
      [...Object.keys(headSchema.entries), "[fields.<name>]", "[operations.<name>]"],
    ],
    ["Keys of a field", Object.keys(fieldSchema.entries)],
    ["Keys of an operation", Object.keys(operationSchema.entries)],
    ["Value types", [...fieldTypes]],
  ] as const;
  for (const [heading, keys] of tables) {
    test(heading, () => {
      expect(firstColumn(heading).toSorted()).toEqual([...keys].toSorted());
    });
  }
});

describe("MariaDB", () => {
  test("every SQLSTATE has the code that the page says", () => {
    const said = [...page.matchAll(/`45(\d{3})` +\| (BEDS-D\d{3})/g)];
    expect(said.length).toBe(8);
    for (const [, digits = "", code = ""] of said) expect(`${businessCode(digits)}`).toBe(code);
    expect(businessCode("999")).toBe("BEDS-D400");
  });
});

describe("MongoDB", () => {
  test("the page has every kind of command", () => {
    expect(
      firstColumn("MongoDB")
        .filter((name) => kinds.has(name))
        .toSorted(),
    ).toEqual([...kinds].toSorted());
  });

  test("its object, collection and view are accepted as files", () => {
    const files = blocksOf(page)
      .filter(({ language }) => language === "json")
      .map(({ text }) => {
        const file: { _id?: string; view?: string; collection?: string } = JSON.parse(text);
        const [folder, name] =
          file._id !== undefined
            ? ["objects", file._id]
            : file.view !== undefined
              ? ["views", file.view]
              : ["collections", file.collection];
        return { path: `db/docs/${folder}/${name}.json`, text, checksum: "" };
      });
    expect(readSources(files).map(({ folder, name }) => `${folder} ${name}`)).toEqual([
      "collections nte_note",
      "views nte_note_v",
      "objects nte_fetch_recent",
    ]);
  });
});

const kinds: ReadonlySet<string> = new Set(commandKinds);

/** The names in the first column of the tables below a heading; `a`, `b` in one cell are two. */
function firstColumn(heading: string): readonly string[] {
  const start = page.indexOf(`# ${heading}\n`);
  expect(start).toBeGreaterThan(0);
  const end = page.indexOf("\n#", start);
  const rows = page.slice(start, end).matchAll(/^\| (`.*?`) +\|/gm);
  return [...rows].flatMap((row) =>
    [...(row[1] ?? "").matchAll(/`([^`]+)`/g)].map((name) => name[1] ?? ""),
  );
}
