import { expect, test } from "bun:test";
import { settlements } from "../../core/reliability/settle.ts";
import { retrySteps } from "../../core/amqp/index.ts";
import { readPage } from "./page.ts";

test("the page's table of settlements is the program's", () => {
  const rows = [...readPage("Reliability.md").matchAll(/^\| ([A-Z_]+) +\| (\d+) +\| (\w+) +\|$/gm)];
  const said = Object.fromEntries(
    rows.map(([, name = "", tries = "", deadLetter = ""]) => {
      return [name, { delayedTries: Number(tries), deadLetter }];
    }),
  );
  const { BOOT: _boot, USAGE: _usage, ...onTheWire } = settlements;
  expect(said).toEqual(JSON.parse(JSON.stringify(onTheWire)));
});

test("the topology page has every retry step", () => {
  const page = readPage("Queue-Topology.md");
  for (const { name } of retrySteps) expect(page).toContain(`\`${name}\``);
});
