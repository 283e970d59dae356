import { describe, expect, test } from "bun:test";
import { commands } from "../../../core/cli/commands.ts";
import { parseLine } from "../../../core/cli/parse.ts";
import { BedsError } from "../../../core/contract/errors.ts";

function parse(line: string) {
  return parseLine(line === "" ? [] : line.split(" "), commands);
}

function refusal(line: string): BedsError {
  try {
    parse(line);
  } catch (thrown) {
    if (thrown instanceof BedsError) return thrown;
  }
  throw new Error(`'${line}' was not refused`);
}

describe("a command line that is right", () => {
  const table: readonly (readonly [line: string, command: string, words: readonly string[]])[] = [
    ["version", "version", []],
    ["--json version", "version", []],
    ["list ops", "list", ["ops"]],
    ["--config x.toml list --json ops", "list", ["ops"]],
    ["config show", "config show", []],
    ["config --json show", "config show", []],
    ["db plan", "db plan", []],
    ["db plan app docs", "db plan", ["app", "docs"]],
    ["call A.b {} --timeout 5", "call", ["A.b", "{}"]],
    ["call A.b -- --odd", "call", ["A.b", "--odd"]],
    ["call A.b -- -h", "call", ["A.b", "-h"]],
    ["call A.b --data -", "call", ["A.b"]],
    ["-- version", "version", []],
  ];
  test.each(table)("%s", (line, command, words) => {
    const parsed = parse(line);
    expect(parsed.command?.name).toBe(command);
    expect(parsed.words).toEqual([...words]);
  });

  test("no words at all name no command", () => {
    expect(parse("").command).toBeUndefined();
    expect(parse("--json").command).toBeUndefined();
  });

  test("values are taken with a space and with =, the last one wins, all are kept", () => {
    const { options } = parse("config show --set a.b=1 --set=c=d=e --config one --config=two");
    expect(options.all("set")).toEqual(["a.b=1", "c=d=e"]);
    expect(options.pairs("set")).toEqual({ "a.b": "1", c: "d=e" });
    expect(options.value("config")).toBe("two");
    expect(options.has("json")).toBe(false);
  });

  test("an empty value is a value", () => {
    expect(parse("call A.b --data=").options.value("data")).toBe("");
  });

  test("standard input is a value, not an option", () => {
    expect(parse("call A.b --data -").options.value("data")).toBe("-");
  });
});

describe("a command line that is wrong", () => {
  const table = [
    ["chekc", "BEDS-U001", "did you mean 'check'?"],
    ["chekc --offline", "BEDS-U001", "did you mean 'check'?"],
    ["confg show", "BEDS-U001", "did you mean 'config'?"],
    ["db aply", "BEDS-U001", "did you mean 'db apply'?"],
    ["db", "BEDS-U001", "beds db plan, beds db apply"],
    ["nothingofthekind", "BEDS-U001", "beds nothingofthekind"],
    ["wroker", "BEDS-U001", "beds wroker"],
    ["check --ofline", "BEDS-U002", "did you mean '--offline'?"],
    ["--jsno version", "BEDS-U002", "did you mean '--json'?"],
    ["run -x", "BEDS-U002", "beds run -x"],
    ["run --offline", "BEDS-U002", "beds run --offline"],
    ["run now", "BEDS-U003", "nothing more, not 'now'"],
    ["list", "BEDS-U003", "templates|ops|brokers|plugins"],
    ["call", "BEDS-U003", "<Template.operation>"],
    ["version --config", "BEDS-U003", "--config wants <file>"],
    ["version --config --json", "BEDS-U003", "--config wants <file>"],
    ["version --json=yes", "BEDS-U003", "--json takes no value"],
  ] as const;
  test.each(table)("%s", (line, code, detail) => {
    const error = refusal(line);
    expect(error.code).toBe(code);
    expect(error.detail).toContain(detail);
  });

  test("a command that people do not type is not suggested", () => {
    expect(refusal("wroker").detail).not.toContain("worker");
  });

  test("the hint leads to the command's own help", () => {
    expect(refusal("check --ofline").hint).toContain("beds help check");
  });

  test("whoever asks for help may have the rest wrong", () => {
    expect(parse("call --help --nonsense").command?.name).toBe("call");
    expect(parse("db -h").words).toEqual(["db"]);
  });
});

describe("values", () => {
  const numbers = [
    ["5", 5],
    ["0", undefined],
    ["-1", undefined],
    ["1e3", undefined],
    ["", undefined],
    ["3600001", undefined],
  ] as const;
  test.each(numbers)("a time limit of '%s'", (text, wanted) => {
    const { options } = parse(`call A.b --timeout=${text}`);
    const read = () => options.integer("timeout", { min: 1, max: 3_600_000 });
    if (wanted === undefined) expect(read).toThrow(BedsError);
    else expect(read()).toBe(wanted);
  });

  test("a pair without = is refused", () => {
    expect(() => parse("config show --set a.b").options.pairs("set")).toThrow(BedsError);
    expect(() => parse("config show --set =b").options.pairs("set")).toThrow(BedsError);
  });
});
