import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import packageJson from "../../../package.json" with { type: "json" };
import { binary } from "../../../config/stack/build.ts";

const main = join(import.meta.dir, "..", "..", "..", "core", "main.ts");
const programs: readonly (readonly [name: string, command: readonly string[]])[] = [
  ["from source", [process.execPath, main]],
  ...(existsSync(binary) ? [["compiled", [binary]] as const] : []),
];

describe.each(programs)("the program %s", (_name, command) => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "beds-cli-"));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  async function beds(words: readonly string[], cwd = folder, env: Record<string, string> = {}) {
    const { PATH = "", HOME = "" } = process.env;
    const child = Bun.spawn([...command, ...words], {
      cwd,
      env: { PATH, HOME, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [out, err, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    return { out, err, code };
  }

  test("says its version, for people and for programs", async () => {
    const { out, err, code } = await beds(["version"]);
    expect({ err, code }).toEqual({ err: "", code: 0 });
    expect(out).toStartWith(`beds ${packageJson.version} (Bun ${Bun.version}`);
    const json: unknown = JSON.parse((await beds(["version", "--json"])).out);
    expect(json).toMatchObject({ version: packageJson.version, contract: 1, bun: Bun.version });
    expect((await beds(["--version"])).out).toBe(out);
  });

  test("alone lists the commands", async () => {
    const { out, code } = await beds([]);
    expect(code).toBe(0);
    expect(out).toBe((await beds(["help"])).out);
    expect(out).toContain("config show");
  });

  const failures = [
    [["chekc"], 64, "error[BEDS-U001]"],
    [["run", "--jso"], 64, "did you mean '--json'?"],
    [["list", "op"], 64, "did you mean 'ops'?"],
    [["worker"], 64, "--index"],
    [["call", "NoDot"], 64, "Template.operation"],
    [["call", "A.b", "{"], 65, "error[BEDS-U004]"],
    [["run"], 78, "error[BEDS-C001]"],
    [["config", "show"], 78, "error[BEDS-C001]"],
  ] as const;
  test.each(failures)("%p ends with %d", async (words, wanted, text) => {
    const { out, err, code } = await beds(words);
    expect(code).toBe(wanted);
    expect(err).toContain(text);
    expect(out).toBe("");
  });

  test("with --json a failure is one document on standard output", async () => {
    const { out, err, code } = await beds(["chekc", "--json"]);
    expect({ err, code }).toEqual({ err: "", code: 64 });
    expect(JSON.parse(out)).toMatchObject({ errors: [{ code: "BEDS-U001", class: "USAGE" }] });
  });

  test("uses no colour off a terminal", async () => {
    expect((await beds(["chekc"])).err).not.toContain("\u001b");
  });

  test("makes a project that works, and never a second time", async () => {
    const made = await beds(["init", "shop"]);
    expect({ code: made.code, files: made.out.split("\n").length > 10 }).toEqual({
      code: 0,
      files: true,
    });
    expect(made.err).toContain("next: ");
    const shop = join(folder, "shop");
    const check = await beds(["check", "--offline"], shop);
    expect(check.err).toBe("");
    expect(check.out).toStartWith("ok: ");
    expect(check.code).toBe(0);
    const listing = async () => (await readdir(shop, { recursive: true })).toSorted();
    const before = await listing();
    const again = await beds(["init"], shop);
    expect({ code: again.code, out: again.out }).toEqual({ code: 64, out: "" });
    expect(again.err).toContain("error[BEDS-U005]");
    expect(await listing()).toEqual(before);
  });

  test("lists what the project has, as tables and as JSON with the same columns", async () => {
    const shop = join(folder, "shop");
    for (const what of ["templates", "ops", "brokers", "plugins"]) {
      const { out, code } = await beds(["list", what], shop);
      expect(code).toBe(0);
      const rows: unknown = JSON.parse((await beds(["list", what, "--json"], shop)).out);
      if (!Array.isArray(rows)) throw new Error("not a list");
      expect(out.trimEnd().split("\n")).toHaveLength(rows.length + 1);
      expect(Object.keys(rows[0]).join(" ")).toBe(
        (out.split("\n")[0] ?? "").trim().replace(/\s+/g, " "),
      );
    }
    const { out } = await beds(["list", "ops"], shop);
    expect(out).toMatch(/^ExampleRel\.create +create +sku:string .* rel\.write +exr_create$/m);
    expect(out).toMatch(/^ExampleRel\.count +fetch +\[kind:enum\] .* rel\.read +exr_count$/m);
  });

  test("shows the configuration with origins and without secrets", async () => {
    const shop = join(folder, "shop");
    const env = { BEDS__NODE__WORKERS: "3", BEDS_CLIENT_PASS: "hidden-secret" };
    const words = ["config", "show", "--origin", "--set", "log.level=error"];
    const { out, code } = await beds(words, shop, env);
    expect(code).toBe(0);
    expect(out).toMatch(/^node\.workers = 3 +# environment BEDS__NODE__WORKERS$/m);
    expect(out).toMatch(/^log\.level = "error" +# flag --set log\.level$/m);
    expect(out).toMatch(/^templates\.path = "templates" +# beds\.toml:\d+:\d+$/m);
    expect(out).not.toContain("hidden-secret");
    const plain = await beds(["config", "show"], shop);
    expect(plain.out).not.toContain("#");
  });

  test("a finding is exit code 1, and its place is named", async () => {
    const shop = join(folder, "shop");
    const { out, code } = await beds(["check", "--offline", "--set", "node.wrokers=3"], shop);
    expect(code).toBe(1);
    expect(out).toContain("error[BEDS-C003]");
    const json = await beds(["check", "--offline", "--json", "--set", "node.wrokers=3"], shop);
    expect(json.code).toBe(1);
    expect(JSON.parse(json.out)).toMatchObject({ ok: false, findings: [{ code: "BEDS-C003" }] });
  });

  test("a plugin of somebody else's is listed, and a crash in it is a bug with exit code 70", async () => {
    const shop = join(folder, "shop");
    const plugin = `import { definePlugin, v } from "@beds/sdk";
export default definePlugin({
  contract: 1, kind: "logger", name: "mine", summary: "mine", options: v.strictObject({}),
  example: "", create: () => ({ write() {}, async close() {} }),
});`;
    await Bun.write(join(shop, "mine.ts"), plugin);
    const listed = await beds(["list", "plugins", "--set", 'plugins.paths=["mine.ts"]'], shop);
    expect({ err: listed.err, code: listed.code }).toEqual({ err: "", code: 0 });
    expect(listed.out).toMatch(/^mine +logger +mine\.ts +mine$/m);
    await Bun.write(join(shop, "boom.ts"), `Promise.reject(new TypeError("boom"));\n${plugin}`);
    const words = ["check", "--offline", "--set", 'plugins.paths=["boom.ts"]'];
    const crashed = await beds(words, shop);
    expect(crashed.code).toBe(70);
    expect(crashed.err).toStartWith("error[BEDS-B001]: ");
    expect(crashed.err).toContain("boom");
  });

  test("an interrupt ends a command that waits", async () => {
    const child = Bun.spawn([...command, "call", "A.b", "--data", "-"], {
      cwd: folder,
      stdio: ["pipe", "pipe", "pipe"],
    });
    await Bun.sleep(500);
    expect(child.exitCode).toBeNull();
    child.kill("SIGINT");
    expect(await child.exited).toBe(130);
  });

  test("a reader that goes away is no error", async () => {
    const shell = `${command.map((word) => `'${word}'`).join(" ")} help | true; echo "\${PIPESTATUS[0]}"`;
    const ran = Bun.spawnSync(["bash", "-c", shell], { cwd: folder });
    expect(ran.stderr.toString()).toBe("");
    expect(ran.stdout.toString()).toBe("0\n");
  });

  test("generated pages are written once, and compared with --check", async () => {
    const words = ["docs", "md", "--out", "pages"];
    expect((await beds([...words, "--check"])).code).toBe(1);
    expect((await beds(words)).code).toBe(0);
    expect((await readdir(join(folder, "pages"))).toSorted()).toEqual([
      "Commands.md",
      "Configuration.md",
      "Errors.md",
    ]);
    expect((await beds([...words, "--check"])).code).toBe(0);
    await Bun.write(join(folder, "pages", "Errors.md"), "changed\n");
    const changed = await beds([...words, "--check"]);
    expect({ code: changed.code, names: changed.err.includes("Errors.md") }).toEqual({
      code: 1,
      names: true,
    });
  });
});
