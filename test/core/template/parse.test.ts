import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Findings } from "../../../core/contract/findings.ts";
import type { Template } from "../../../core/contract/index.ts";
import { parseTemplate } from "../../../core/template/parse.ts";
import { thrownBy } from "../message/samples.ts";

const folder = join(import.meta.dir, "../../fixtures/templates");

function read(name: string): Template {
  return parseTemplate(readFileSync(join(folder, name), "utf8"), name);
}

/** One line an error, as its fixture has it. */
function findingsOf(name: string): string {
  const thrown = thrownBy(() => read(name));
  if (!(thrown instanceof Findings)) throw thrown;
  return thrown.errors
    .map(({ code, detail, where }) => {
      expect(where?.file).toBe(name);
      return `${where?.line}:${where?.column} ${code} ${detail}\n`;
    })
    .join("");
}

describe("a wrong template tells everything that is wrong, and where", () => {
  const names = readdirSync(join(folder, "bad")).filter((name) => name.endsWith(".toml"));
  for (const name of names) {
    test(name, () => {
      const expected = readFileSync(join(folder, "bad", name.replace(".toml", ".txt")), "utf8");
      expect(findingsOf(`bad/${name}`)).toBe(expected);
    });
  }

  test("the fixtures have every code of a single file", () => {
    const all = names.map((name) => findingsOf(`bad/${name}`)).join("");
    for (const code of ["BEDS-T001", "BEDS-T002", "BEDS-T003", "BEDS-T009"]) {
      expect(all).toContain(code);
    }
  });
});

const plain = { required: false, sensitive: false, description: "" };

describe("a template", () => {
  const users = read("good/users.toml");

  test("has what its file says", () => {
    expect(users).toMatchObject({
      name: "Users",
      tla: "usr",
      class: "rel",
      database: "app",
      service: "tercero",
      readBroker: "uBroker",
      writeBroker: "uBroker",
      description: "People who sign in.",
      where: { file: "good/users.toml", line: 2, column: 1 },
    });
    expect(users.fields).toEqual([
      {
        name: "email",
        column: "mail",
        type: "string",
        required: true,
        minLength: 3,
        maxLength: 255,
        sensitive: true,
        description: "Where to reach them.",
      },
      { name: "age", column: "usr_age", min: 0, max: 150, type: "int", ...plain },
      {
        name: "views",
        column: "usr_views",
        min: "0",
        max: "18446744073709551615",
        type: "bigint",
        ...plain,
      },
      {
        name: "balance",
        column: "usr_balance",
        min: "-0.50",
        max: "9999999999.99",
        precision: 12,
        scale: 2,
        type: "decimal",
        ...plain,
      },
      { name: "colour", column: "usr_colour", values: ["red", "green"], type: "enum", ...plain },
    ]);
  });

  test("has its operations with parameters in order", () => {
    const operation = users.operations.get("fetch_by_email");
    expect(operation).toMatchObject({
      name: "fetch_by_email",
      kind: "fetch",
      object: "usr_by_mail",
      objectType: "function",
      result: { shape: "one", rowCap: 100 },
      orderBy: [],
      timeoutMs: 2000,
      roles: ["app", "admin"],
      description: "One of them.",
      where: { file: "good/users.toml", line: 41, column: 13 },
    });
    const parameters = operation?.parameters.map(({ name, column, type, required }) => [
      name,
      column,
      type,
      required,
    ]);
    expect(parameters).toEqual([
      ["email", "mail", "string", true],
      ["age", "usr_age", "int", false],
      ["limit", "limit", "int", false],
    ]);
    expect(operation?.parameters[0]?.maxLength).toBe(255);
    expect(operation?.parameters[2]).toMatchObject({ min: 1, max: 100, description: "At most." });
  });

  test("has defaults where its file says nothing", () => {
    expect(users.operations.get("create")).toMatchObject({
      object: "usr_create",
      objectType: "procedure",
      result: { shape: "none", rowCap: 1000 },
      timeoutMs: 5000,
      roles: [],
    });
    expect(users.operations.get("list")).toMatchObject({
      objectType: "view",
      orderBy: ["-usr_age", "mail"],
      result: { shape: "many" },
    });
    // A parameter is required unless it says otherwise, whatever its field says.
    expect(users.operations.get("create")?.parameters.map(({ required }) => required)).toEqual([
      true,
      true,
    ]);
    expect(read("good/least.toml")).toMatchObject({
      database: "",
      service: "app_server",
      readBroker: "rBroker",
      writeBroker: "wBroker",
      fields: [],
    });
  });

  test("is frozen through and through", () => {
    const seen: object[] = [users];
    for (let value = seen.pop(); value !== undefined; value = seen.pop()) {
      expect(Object.isFrozen(value)).toBe(true);
      const inner = value instanceof Map ? [...value.values()] : Object.values(value);
      seen.push(...inner.filter((each) => typeof each === "object" && each !== null));
    }
    const { operations } = users;
    if (!(operations instanceof Map)) throw new Error("operations are a map");
    expect(() => operations.set("x", {})).toThrow(TypeError);
    expect(() => operations.delete("list")).toThrow(TypeError);
    expect(() => operations.clear()).toThrow(TypeError);
    expect(operations.size).toBe(3);
  });

  test("of class rec has commands, of class none handlers", () => {
    const text = (word: string): string =>
      `name="A"\ntla="aaa"\nclass=${word}\ndescription=""\n[operations.b]\nkind="call"\n`;
    const rec = parseTemplate(text('"rec"\ndatabase="docs"'), "a.toml");
    expect(rec.operations.get("b")).toMatchObject({ objectType: "command", object: "aaa_b" });
    const none = parseTemplate(text('"none"'), "a.toml");
    expect(none.operations.get("b")?.objectType).toBe("handler");
  });
});
