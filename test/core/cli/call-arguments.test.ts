import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { readArguments, readMeta } from "../../../core/cli/call-arguments.ts";
import { envelopeSchema } from "../../../core/message/envelope-schema.ts";
import { safeParse } from "valibot";
import { BedsError } from "../../../core/contract/errors.ts";

async function codeOf(work: () => unknown): Promise<string> {
  try {
    await work();
  } catch (thrown) {
    return BedsError.from(thrown).code;
  }
  return "none";
}

describe("arguments", () => {
  test("come from the word, from --data, from a file, or are none", async () => {
    const file = join(import.meta.dir, "..", "..", "fixtures", "cli", "arguments.json");
    expect(await readArguments('{"a":1}', undefined)).toEqual({ a: 1 });
    expect(await readArguments(undefined, '{"a":[null]}')).toEqual({ a: [null] });
    expect(await readArguments(undefined, `@${file}`)).toEqual({ name: "from a file" });
    expect(await readArguments(undefined, undefined)).toEqual({});
  });

  const wrong = [
    ["{", undefined, "BEDS-U004"],
    ["[1]", undefined, "BEDS-U004"],
    ["null", undefined, "BEDS-U004"],
    ["7", undefined, "BEDS-U004"],
    ["{}", "{}", "BEDS-U003"],
    [undefined, "@no/such/file.json", "BEDS-U003"],
  ] as const;
  test.each(wrong)("%s and --data %s: %s", async (word, option, code) => {
    expect(await codeOf(() => readArguments(word, option))).toBe(code);
  });
});

describe("meta", () => {
  test("has the types of the wire", () => {
    const pairs = {
      principal: "app2",
      idempotency_key: "7",
      expected_version: "3",
      deadline: "1700000000000",
      consistency: "session",
      token: "x",
      ticket: "true",
    };
    const meta = readMeta(pairs);
    expect(meta).toMatchObject({ idempotency_key: "7", expected_version: 3, ticket: true });
    const envelope = { v: 1, template: "A", op: "b", meta };
    expect(safeParse(envelopeSchema, envelope).success).toBe(true);
  });

  test.each([
    { ticket: "yes" },
    { deadline: "soon" },
    { expected_version: "-1" },
    { tiket: "true" },
  ])("%p is refused", async (pairs) => {
    const given = Object.fromEntries(Object.entries(pairs));
    expect(await codeOf(() => readMeta(given))).toBe("BEDS-U003");
  });
});
