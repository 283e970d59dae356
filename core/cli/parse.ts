import { BedsError } from "../contract/errors.ts";
import { suggestion } from "../contract/suggest.ts";
import type { Command, OptionRule } from "./command.ts";
import { commonOptions, Options } from "./options.ts";

/** A command line, taken apart. */
export interface ParsedLine {
  /** Undefined when no command was named: `beds`, `beds --help`. */
  readonly command: Command | undefined;
  /**
   * What stands behind the command; without a command, the words that begin one: `db` of `beds db
   * --help`.
   */
  readonly words: readonly string[];
  readonly options: Options;
}

/**
 * Takes a command line apart: `beds [options] <command> [words and options in any order] [--
 * words]`.
 *
 * In: the arguments behind the program's name, and the commands. Values follow as `--name value` or
 * `--name=value`. Errors: BEDS-U001 for the command, BEDS-U002 for an option, BEDS-U003 for a
 * missing or surplus word or value; none when help is asked for, since whoever asks for help may
 * have the rest wrong. Pure.
 */
export function parseLine(args: readonly string[], commands: readonly Command[]): ParsedLine {
  const line = new LineReader(args, commands);
  const options = new Options(line.values);
  const { command, words } = line;
  if (!options.has("help")) {
    if (line.problem !== undefined) throw line.problem;
    if (command === undefined && words.length > 0) throw incompleteCommand(words, commands);
    if (command !== undefined) refuseWordCount(command, words);
  }
  return { command, words, options };
}

/** Walks the arguments once. */
class LineReader {
  readonly values = new Map<string, string[]>();
  words: string[] = [];
  command: Command | undefined;
  /** The first thing that is wrong. */
  problem: BedsError | undefined;
  readonly #commands: readonly Command[];
  readonly #rest: string[];

  constructor(args: readonly string[], commands: readonly Command[]) {
    this.#commands = commands;
    this.#rest = [...args];
    for (let word = this.#rest.shift(); word !== undefined; word = this.#rest.shift()) {
      if (word === "--") {
        for (const plain of this.#rest.splice(0)) this.#readWord(plain);
      } else if (word.startsWith("-") && word !== "-") {
        this.#readOption(word);
      } else {
        this.#readWord(word);
      }
    }
  }

  #readWord(word: string): void {
    this.words.push(word);
    if (this.command !== undefined) return;
    const typed = this.words.join(" ");
    this.command = this.#commands.find(({ name }) => name === typed);
    if (this.command !== undefined) this.words = [];
    else if (!this.#commands.some(({ name }) => name.startsWith(`${typed} `))) {
      this.#note(unknownCommand(this.words, this.#commands));
    }
  }

  #readOption(word: string): void {
    const [, dashes = "", name = "", given] = /^(--?)([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
    const rules = [...(this.command?.options ?? []), ...commonOptions];
    const rule = rules.find((known) => (dashes === "--" ? known.name : known.short) === name);
    if (rule === undefined) {
      this.#note(unknownOption(word, rules, this.command));
      return;
    }
    const value = this.#readValue(rule, given);
    const values = this.values.get(rule.name);
    if (values === undefined) this.values.set(rule.name, [value]);
    else values.push(value);
  }

  #readValue(rule: OptionRule, given: string | undefined): string {
    if (rule.value === undefined) {
      if (given !== undefined) this.#note(wrongWord(`--${rule.name} takes no value`));
      return "";
    }
    if (given !== undefined) return given;
    const next = this.#rest[0];
    if (next === undefined || next.startsWith("--")) {
      this.#note(wrongWord(`--${rule.name} wants ${rule.value}`));
      return "";
    }
    this.#rest.shift();
    return next;
  }

  #note(problem: BedsError): void {
    this.problem ??= problem;
  }
}

function unknownCommand(words: readonly string[], commands: readonly Command[]): BedsError {
  const shown = commands.filter(({ group }) => group !== undefined).map(({ name }) => name);
  const [first = ""] = words;
  const known = words.length > 1 ? shown : shown.map((name) => name.split(" ")[0] ?? name);
  const typed = words.length > 1 ? words.join(" ") : first;
  return new BedsError("BEDS-U001", { detail: `beds ${typed}${suggestion(typed, known)}` });
}

function incompleteCommand(words: readonly string[], commands: readonly Command[]): BedsError {
  const begin = `${words.join(" ")} `;
  const names = commands.map(({ name }) => name).filter((name) => name.startsWith(begin));
  const whole = names.map((name) => `beds ${name}`).join(", ");
  return new BedsError("BEDS-U001", { detail: `beds ${begin.trim()}: one of ${whole} is wanted` });
}

function unknownOption(
  word: string,
  rules: readonly OptionRule[],
  command: Command | undefined,
): BedsError {
  const name = word.split("=")[0] ?? word;
  const known = rules.filter(({ hidden }) => hidden !== true).map((rule) => `--${rule.name}`);
  const before = command === undefined ? "beds" : `beds ${command.name}`;
  const detail = `${before} ${name}${suggestion(name, known)}`;
  const hint = `run \`beds help${command === undefined ? "" : ` ${command.name}`}\``;
  return new BedsError("BEDS-U002", { detail, hint });
}

function refuseWordCount({ name, words: rule }: Command, words: readonly string[]): void {
  if (words.length >= rule.min && words.length <= rule.max) return;
  const wanted = rule.usage === "" ? "nothing more" : rule.usage;
  const surplus = words[rule.max];
  const found = surplus === undefined ? "" : `, not '${surplus}'`;
  const detail = `beds ${name} wants ${wanted}${found}`;
  throw new BedsError("BEDS-U003", { detail, hint: `run \`beds help ${name}\` for an example` });
}

function wrongWord(detail: string): BedsError {
  return new BedsError("BEDS-U003", { detail });
}
