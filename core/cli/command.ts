import type { Plugin } from "../contract/plugin.ts";
import type { Options } from "./options.ts";
import type { Output } from "./output.ts";

/** The headings under which `beds help` lists commands. */
export const groups = ["Start", "Inspect", "Act", "Generate"] as const;
export type Group = (typeof groups)[number];

/**
 * A command as a person sees it, and how to get at its code. Plain data: `beds help` needs nothing
 * else.
 */
export interface Command {
  /** What is typed behind `beds`, one word or two. */
  readonly name: string;
  /** Absent for a command that people do not type. */
  readonly group?: Group;
  /** One line, lower case, without a full stop. */
  readonly summary: string;
  /** Whole command lines that work; help begins with them. */
  readonly examples: readonly [string, ...string[]];
  readonly words: WordRule;
  /** The command's own options, common ones first; those of every command stand in `options.ts`. */
  readonly options: readonly OptionRule[];
  /** The wiki page that says more. */
  readonly page: string;
  /** Further lines of help, for what a list of options cannot say. */
  readonly notes?: readonly string[];
  /**
   * What an interrupt does. `stops`: the command is given up at once. `drains`: it is told and ends
   * by itself. `ignores`: somebody else ends it.
   */
  readonly interrupt: "stops" | "drains" | "ignores";
  /** Imports the command's file, so that no command pays for the code of another. */
  readonly load: () => Promise<Run>;
}

/** What may stand behind a command's name besides options. */
export interface WordRule {
  /** As help shows it: `[folder]`. */
  readonly usage: string;
  readonly min: number;
  readonly max: number;
}

export interface OptionRule {
  /** Without the dashes. */
  readonly name: string;
  readonly short?: string;
  /** What stands for the value in help; absent for a switch. */
  readonly value?: string;
  readonly summary: string;
  /** For the program itself, not for people. */
  readonly hidden?: boolean;
}

/**
 * Does what a command says and returns the exit code. Errors: `BedsError` or `Findings`, shown by
 * the frame.
 */
export type Run = (invocation: Invocation) => Promise<number>;

/** A command line, understood, with everything that a command may use. */
export interface Invocation {
  readonly words: readonly string[];
  readonly options: Options;
  readonly output: Output;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The command line that starts this program, without arguments. */
  readonly program: readonly string[];
  readonly builtIn: () => Promise<readonly Plugin[]>;
  /** The first interrupt: end in good order. */
  readonly stop: AbortSignal;
  /** The second interrupt: end now. */
  readonly kill: AbortSignal;
}
