import { expect, test } from "bun:test";
import { BedsError } from "../../../core/contract/errors.ts";
import { Mint } from "../../../core/message/event-id.ts";
import { encodeError } from "../../../core/message/encode.ts";
import { readAnswer } from "../../../core/ipl/answer.ts";

const mint = new Mint({
  node: "n",
  env: "dev",
  now: Date.now,
  random: crypto.getRandomValues.bind(crypto),
});
const lineage = { eventId: mint.next(), parentId: "", rootId: "", depth: 0 };

test("reads what a node writes", () => {
  const { body } = encodeError(
    lineage,
    new BedsError("BEDS-D404"),
    false,
    { queueMs: 1, execMs: 2 },
    mint,
  );
  const answer = readAnswer(new TextEncoder().encode(body));
  expect(answer).toMatchObject({
    status: "error",
    parent_id: lineage.eventId,
    error: { code: "BEDS-D404" },
  });
});

test.each([
  ["no JSON", "{", "BEDS-M001"],
  ["another version", '{"v":2}', "BEDS-M012"],
  ["a list", "[]", "BEDS-M012"],
])("refuses %s", (_name, text, code) => {
  let found = "none";
  try {
    readAnswer(new TextEncoder().encode(text));
  } catch (thrown) {
    found = BedsError.from(thrown).code;
  }
  expect(found).toBe(code);
});
