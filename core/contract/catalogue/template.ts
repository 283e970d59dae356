import type { CatalogueEntry } from "./entry.ts";

/**
 * What templates and database objects can get wrong: T template and drift, W the DBA's workbench.
 */
export const templateErrors = {
  "BEDS-T001": {
    class: "BOOT",
    message: "a template is not TOML",
    hint: "correct the line",
    retryable: false,
  },
  "BEDS-T002": {
    class: "BOOT",
    message: "a template has an unknown key",
    hint: "correct the key, or remove it",
    retryable: false,
  },
  "BEDS-T003": {
    class: "BOOT",
    message: "a template's value is missing or wrong",
    hint: "compare it with wiki/Templates.md",
    retryable: false,
  },
  "BEDS-T004": {
    class: "BOOT",
    message: "two templates have the same name",
    hint: "rename one of them",
    retryable: false,
  },
  "BEDS-T005": {
    class: "BOOT",
    message: "two templates have the same TLA",
    hint: "choose another three-letter acronym",
    retryable: false,
  },
  "BEDS-T006": {
    class: "BOOT",
    message: "a template names a database that is not configured",
    hint: "add it under [databases], or correct the name",
    retryable: false,
  },
  "BEDS-T007": {
    class: "BOOT",
    message: "a template names a broker that does not exist",
    hint: "run `beds list brokers` for those that do",
    retryable: false,
  },
  "BEDS-T008": {
    class: "BOOT",
    message: "a template and its database are of different classes",
    hint: "rec templates live in MongoDB, rel templates in MariaDB/MySQL",
    retryable: false,
  },
  "BEDS-T009": {
    class: "BOOT",
    message: "an operation names a field that the template does not have",
    hint: "declare the field, or give the parameter a type of its own",
    retryable: false,
  },
  "BEDS-T010": {
    class: "BOOT",
    message: "an operation is of a kind that its broker does not accept",
    hint: "name another broker",
    retryable: false,
  },
  "BEDS-T011": {
    class: "BOOT",
    message: "a template folder cannot be read",
    hint: "check templates.path in the configuration",
    retryable: false,
  },
  "BEDS-T014": {
    class: "BOOT",
    message: "an operation names an object that does not exist",
    hint: "run `beds db apply`",
    retryable: false,
  },
  "BEDS-T015": {
    class: "BOOT",
    message: "an object's parameters differ from the operation's",
    hint: "make template and object agree, then run `beds db apply`",
    retryable: false,
  },
  "BEDS-T016": {
    class: "BOOT",
    message: "the runtime account may do more than the templates need",
    hint: "REVOKE it, or drop what nobody needs",
    retryable: false,
  },
  "BEDS-T017": {
    class: "BOOT",
    message: "the runtime account may not do what an operation needs",
    hint: "run `beds db apply`",
    retryable: false,
  },
  "BEDS-T018": {
    class: "BOOT",
    message: "an object's columns differ from the template's fields",
    hint: "make template and object agree",
    retryable: false,
  },
  "BEDS-T019": {
    class: "BOOT",
    message: "an object is of another type than the operation says",
    hint: "correct object_type in the template",
    retryable: false,
  },
  "BEDS-T020": {
    class: "BOOT",
    message: "a command object is not allowed",
    hint: "compare it with wiki/Templates.md: its slots and operators are limited",
    retryable: false,
  },
  "BEDS-W001": {
    class: "BOOT",
    message: "an object file is wrong",
    hint: "correct the file",
    retryable: false,
  },
  "BEDS-W002": {
    class: "BOOT",
    message: "the database refused an object file",
    hint: "the detail is the database's own text",
    retryable: false,
  },
  "BEDS-W003": {
    class: "BOOT",
    message: "an object file was changed after it was applied once",
    hint: "tables and collections change by a new file, not by editing one",
    retryable: false,
  },
  "BEDS-W004": {
    class: "BOOT",
    message: "the database has no DBA account in the configuration",
    hint: "give [databases.<name>.dba] user and pass",
    retryable: false,
  },
} as const satisfies Record<string, CatalogueEntry>;
