import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { asDba } from "../helpers/dba.ts";
import { runIn } from "../helpers/project.ts";
import { type Block, blocksOf, commandsOf, isAsShown, readPage, root } from "./page.ts";
import { Terminal } from "./terminal.ts";

/** `wiki/Tutorial.md`, every file and command, in a folder that looks like a checkout. */
const blocks = blocksOf(readPage("Tutorial.md"));
const terminals = new Map<string, Terminal>();
let folder: string;

beforeAll(async () => {
  await removeBooks();
  folder = await mkdtemp(join(tmpdir(), "beds-tutorial-"));
  // Builds the program when it is not there.
  await runIn(folder, ["version"]);
  for (const name of ["config", "dist", ".stack"])
    await symlink(join(root, name), join(folder, name));
});

afterAll(async () => {
  for (const terminal of terminals.values()) await terminal[Symbol.asyncDispose]();
  await removeBooks();
  await rm(folder, { recursive: true, force: true });
});

describe("the tutorial", () => {
  for (const block of blocks) {
    const file = block.marks.get("file");
    const where = `line ${block.line}`;
    if (file !== undefined) {
      test(`${where}: ${file}`, async () => {
        await Bun.write(join(folder, "demo", file), block.text);
      });
    } else if (block.language === "console") {
      const names = commandsOf(block).map(({ command }) => command.slice(0, 60));
      test(`${where}: ${names.join("; ")}`, () => runBlock(block), 120_000);
    }
  }

  test("has what it is about: files, commands, a node, and calls that fail", () => {
    const consoles = blocks.filter(({ language }) => language === "console");
    const commands = consoles.flatMap(commandsOf).map(({ command }) => command);
    expect(blocks.filter(({ marks }) => marks.has("file")).length).toBeGreaterThanOrEqual(5);
    for (const wanted of ["init", "db apply", "check", "run", "call Books.create"]) {
      expect(commands.some((command) => command.startsWith(`beds ${wanted}`))).toBe(true);
    }
  });

  test("the node of the second terminal drains when it is told to", async () => {
    const { code } = await terminalOf("2").stop();
    expect(code).toBe(0);
  });
});

/** Each command must print what is shown; the last one ends with the block's exit code. */
async function runBlock(block: Block): Promise<void> {
  const commands = commandsOf(block);
  const terminal = terminalOf(block.marks.get("terminal") ?? "1");
  for (const [index, { command, shown }] of commands.entries()) {
    if (command === "beds run") {
      await terminal.start(command, shown.trim().replaceAll("…", ""));
      continue;
    }
    const { output, code } = await terminal.run(command);
    // Said this way so that a failure shows both texts.
    if (!isAsShown(output, shown)) expect(`$ ${command}\n${output}`).toBe(`$ ${command}\n${shown}`);
    const isLast = index === commands.length - 1;
    const wanted = isLast ? Number(block.marks.get("exit") ?? 0) : 0;
    expect(`${command}: exit code ${code}`).toBe(`${command}: exit code ${wanted}`);
  }
}

function terminalOf(name: string): Terminal {
  const terminal = terminals.get(name) ?? new Terminal(folder);
  terminals.set(name, terminal);
  return terminal;
}

/** The domain of the tutorial must not be there yet, and must be gone afterwards. */
async function removeBooks(): Promise<void> {
  // A view that is dropped leaves its grants behind; where it was never made this fails.
  await asDba("REVOKE SELECT ON app.bok_book_v FROM 'beds_run'@'%'").catch(() => undefined);
  await asDba(
    "DROP PROCEDURE IF EXISTS bok_create",
    "DROP PROCEDURE IF EXISTS bok_fetch_by_isbn",
    "DROP VIEW IF EXISTS bok_book_v",
    "DROP TABLE IF EXISTS bok_book",
  );
  const forget = "DELETE FROM beds_object_source WHERE path LIKE 'db/app/%/bok\\_%'";
  await asDba(forget).catch(() => undefined);
}
