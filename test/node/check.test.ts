import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { asDba } from "../helpers/dba.ts";
import { makeProject, type Project } from "../helpers/project.ts";

let project: Project;

beforeAll(async () => {
  project = await makeProject();
  const applied = await project.beds("db", "apply");
  expect([applied.code, applied.err]).toEqual([0, expect.not.stringContaining("error[")]);
});

afterAll(async () => {
  await project[Symbol.asyncDispose]();
});

interface Finding {
  readonly code: string;
  readonly detail: string;
  readonly hint: string;
  readonly where?: { readonly file: string; readonly line: number; readonly column: number } | null;
}

/** What `beds check --json` finds, and how it ended. */
async function check(
  ...words: readonly string[]
): Promise<{ code: number; found: readonly Finding[] }> {
  const ran = await project.beds("check", "--json", ...words);
  const said: { errors?: readonly Finding[]; findings?: readonly Finding[] } = JSON.parse(ran.out);
  return { code: ran.code, found: said.findings ?? said.errors ?? [] };
}

/** Changes a template for the length of a check. */
async function checkWith(from: string | RegExp, to: string, ...words: readonly string[]) {
  const file = "templates/example_rel.toml";
  const before = await readFile(join(project.folder, file), "utf8");
  const after = before.replace(from, to);
  expect(after).not.toBe(before);
  await project.write(file, after);
  try {
    return await check(...words);
  } finally {
    await project.write(file, before);
  }
}

describe("beds check", () => {
  test("finds nothing when everything agrees", async () => {
    const { code, found } = await check();
    expect({ code, found }).toEqual({ code: 0, found: [] });
  });

  test("a procedure that does not exist", async () => {
    const { code, found } = await checkWith('object = "exr_create"', 'object = "exr_creat"');
    expect(code).toBe(1);
    const missing = found.find((each) => each.code === "BEDS-T014");
    expect(missing?.detail).toContain("exr_creat");
    expect(missing?.detail).toContain("did you mean 'exr_create'");
    expect(missing?.where?.file).toBe("templates/example_rel.toml");
    expect(missing?.where?.line).toBeGreaterThan(1);
    expect(missing?.hint).toContain("beds db apply");
  });

  test("a parameter too few", async () => {
    const { code, found } = await checkWith('params = ["id"]', "params = []");
    expect(code).toBe(1);
    expect(found.map((each) => each.code)).toEqual(["BEDS-T015"]);
    expect(found[0]?.where?.line).toBeGreaterThan(1);
  });

  test("a parameter of another type", async () => {
    const text = '{ name = "id", type = "date", required = true }';
    const { code, found } = await checkWith('params = ["id"]', `params = [${text}]`);
    expect(code).toBe(1);
    expect(found.map((each) => each.code)).toEqual(["BEDS-T015"]);
    expect(found[0]?.detail).toContain("bigint");
  });

  test("a grant too many", async () => {
    await asDba("GRANT SELECT ON app.exr_item TO 'beds_run'@'%'");
    try {
      const { code, found } = await check();
      expect([code, found.map((each) => each.code)]).toEqual([1, ["BEDS-T016"]]);
      expect(found[0]?.detail).toContain("SELECT ON app.exr_item");
      expect(found[0]?.hint).toContain("REVOKE");
      expect(found[0]?.where).toMatchObject({ file: "env_dev.toml" });
    } finally {
      await asDba("REVOKE SELECT ON app.exr_item FROM 'beds_run'@'%'");
    }
  });

  test("a grant too few", async () => {
    await asDba("REVOKE EXECUTE ON PROCEDURE app.exr_reprice FROM 'beds_run'@'%'");
    try {
      const { code, found } = await check();
      expect(code).toBe(1);
      const codes = found.map((each) => each.code);
      // Who may not execute a procedure cannot see it either, so the server reports it as absent.
      expect(["BEDS-T017", "BEDS-T014"]).toContain(codes[0] ?? "");
      expect(found[0]?.detail).toContain("exr_reprice");
      expect(found[0]?.where?.line).toBeGreaterThan(1);
    } finally {
      await asDba("GRANT EXECUTE ON PROCEDURE app.exr_reprice TO 'beds_run'@'%'");
    }
  });

  test("an unknown key in a template, with a suggestion", async () => {
    const { code, found } = await checkWith(/^description = /m, "descripton = ", "--offline");
    expect(code).toBe(1);
    const unknown = found.find((each) => each.code === "BEDS-T002");
    expect(unknown?.detail).toContain("did you mean 'description'");
    expect(unknown?.where).toMatchObject({ file: "templates/example_rel.toml" });
  });

  test("an unknown key in the configuration, with a suggestion", async () => {
    await project.write("env_qa.toml", "[node]\nworkerz = 3\n");
    const ran = await project.beds("check", "--offline", "--json");
    expect(ran.code).toBe(0);
    const file = join(project.folder, "env_dev.toml");
    const before = await readFile(file, "utf8");
    await project.write("env_dev.toml", `${before}\n[node]\nworkerz = 3\n`);
    try {
      const { code, found } = await check("--offline");
      expect(code).toBe(1);
      expect(found.map((each) => each.code)).toEqual(["BEDS-C003"]);
      expect(found[0]?.detail).toContain("did you mean 'workers'");
      expect(found[0]?.where).toMatchObject({ file: "env_dev.toml", column: 1 });
    } finally {
      await project.write("env_dev.toml", before);
    }
  });

  test("more connections than the server allows", async () => {
    const { code, found } = await check(
      "--set",
      "node.workers=64",
      "--set",
      "databases.app.connections=100",
    );
    expect(code).toBe(1);
    expect(found.map((each) => each.code)).toEqual(["BEDS-C010"]);
    expect(found[0]?.detail).toContain("12800");
    expect(found[0]?.where?.line).toBeGreaterThan(1);
  });

  test("every finding as people read it: code, what, where, remedy", async () => {
    const file = "templates/example_rel.toml";
    const before = await readFile(join(project.folder, file), "utf8");
    await project.write(file, before.replace('object = "exr_create"', 'object = "exr_creat"'));
    const ran = await project.beds("check");
    await project.write(file, before);
    expect(ran.out).toMatch(/^error\[BEDS-T014\]: .*exr_creat/m);
    expect(ran.out).toMatch(/^ {2}--> templates\/example_rel\.toml:\d+:\d+$/m);
    expect(ran.out).toMatch(/^ {2}hint: /m);
  });
});
