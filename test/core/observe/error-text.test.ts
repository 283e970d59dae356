import { describe, expect, test } from "bun:test";
import { BedsError } from "../../../core/contract/errors.ts";
import { Findings } from "../../../core/contract/findings.ts";
import { errorJson, renderError } from "../../../core/observe/error-text.ts";

const where = { file: "templates/posts.toml", line: 31, column: 11 };
const full = new BedsError("BEDS-D404", { detail: "no user 7", hint: "look again", where });
const bare = new BedsError("BEDS-D410", { hint: "" });
const plain = { color: false };

describe("renderError", () => {
  test("has the form of the wiki", () => {
    expect(renderError(full, plain)).toBe(
      "error[BEDS-D404]: the record does not exist: no user 7\n" +
        "  --> templates/posts.toml:31:11\n" +
        "  hint: look again",
    );
  });

  test("leaves out what is not known", () => {
    expect(renderError(bare, plain)).toBe("error[BEDS-D410]: the record is gone");
  });

  test("shows findings one after the other", () => {
    const both = `${renderError(full, plain)}\n\n${renderError(bare, plain)}`;
    expect(renderError(new Findings([full, bare]), plain)).toBe(both);
  });

  test("keeps the lines of a detail below it, and steers no terminal", () => {
    const odd = new BedsError("BEDS-D410", { detail: "one\ntwo\u001b[2J\r", hint: "a\nb\n" });
    expect(renderError(odd, plain)).toBe(
      "error[BEDS-D410]: the record is gone: one\n        two\\u001b[2J\n  hint: a\n        b",
    );
  });

  test("colours nothing but the marks", () => {
    const text = renderError(full, { color: true });
    expect(text).toStartWith("\u001b[1;31merror[BEDS-D404]\u001b[0m: the record");
    expect(text.replaceAll(/\u001b\[[\d;]*m/g, "")).toBe(renderError(full, plain));
    expect(renderError(full, plain)).not.toContain("\u001b");
  });

  test("calls what nobody foresaw a bug", () => {
    expect(renderError(new TypeError("x is not a function"), plain)).toStartWith(
      "error[BEDS-B001]: the node failed in a way that nobody foresaw: x is not a function\n",
    );
  });
});

test("errorJson has one element for each error", () => {
  expect(errorJson(new Findings([full, bare]))).toEqual([
    {
      code: "BEDS-D404",
      class: "BUSINESS",
      message: "the record does not exist",
      detail: "no user 7",
      hint: "look again",
      retryable: false,
      where,
    },
    {
      code: "BEDS-D410",
      class: "BUSINESS",
      message: "the record is gone",
      detail: "",
      hint: "",
      retryable: false,
      where: null,
    },
  ]);
});
