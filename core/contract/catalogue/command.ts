import type { CatalogueEntry } from "./entry.ts";

/** What a person can get wrong on the command line. */
export const commandErrors = {
  "BEDS-U001": {
    class: "USAGE",
    message: "there is no such command",
    hint: "run `beds help`",
    retryable: false,
  },
  "BEDS-U002": {
    class: "USAGE",
    message: "there is no such option",
    hint: "run `beds help <command>`",
    retryable: false,
  },
  "BEDS-U003": {
    class: "USAGE",
    message: "an argument is missing or wrong",
    hint: "run `beds help <command>` for an example",
    retryable: false,
  },
  "BEDS-U004": {
    class: "USAGE",
    message: "the data is not JSON",
    hint: "give one JSON object, @file, or - for standard input",
    retryable: false,
  },
  "BEDS-U005": {
    class: "USAGE",
    message: "the target exists already",
    hint: "choose an empty folder",
    retryable: false,
  },
} as const satisfies Record<string, CatalogueEntry>;
