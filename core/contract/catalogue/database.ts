import type { CatalogueEntry } from "./entry.ts";

/**
 * What a database can answer: D database (D4xx are the objects' own business errors), K idempotency
 * key, B broken invariant.
 */
export const databaseErrors = {
  "BEDS-D001": {
    class: "DEPENDENCY_DOWN",
    message: "the database cannot be reached",
    hint: "wait for it to come back; `beds doctor` tests every server",
    retryable: true,
  },
  "BEDS-D002": {
    class: "TIMEOUT",
    message: "the operation took longer than its time limit",
    hint: "raise timeout_ms in the template, or make the object faster",
    retryable: true,
  },
  "BEDS-D003": {
    class: "CONFLICT",
    message: "the database chose this request as the victim of a conflict",
    hint: "send it again",
    retryable: true,
  },
  "BEDS-D004": {
    class: "UNKNOWN_OUTCOME",
    message: "the connection was lost before the outcome was known",
    hint: "send it again with the same idempotency key",
    retryable: true,
  },
  "BEDS-D005": {
    class: "BROKEN_OBJECT",
    message: "the database refused what the object tried to do",
    hint: "the DBA repairs the object and runs `beds db apply`",
    retryable: false,
  },
  "BEDS-D006": {
    class: "BUSINESS",
    message: "a record with this key exists already",
    hint: "use another key, or update the record",
    retryable: false,
  },
  "BEDS-D007": {
    class: "BUSINESS",
    message: "the database refused a value",
    hint: "compare the value with the column's type and constraints",
    retryable: false,
  },
  "BEDS-D008": {
    class: "DEPENDENCY_DOWN",
    message: "the database refused the account",
    hint: "check user and pass of the database in the configuration",
    retryable: true,
  },
  "BEDS-D009": {
    class: "BUG",
    message: "the object's answer does not have the declared shape",
    hint: "compare the object with its operation in the template",
    retryable: false,
  },
  "BEDS-D010": {
    class: "INVALID",
    message: "the object returned more rows than the operation allows",
    hint: "ask for fewer rows, or raise row_cap in the template",
    retryable: false,
  },
  "BEDS-D011": {
    class: "BROKEN_OBJECT",
    message: "the database lacks BEDS's own objects, or has those of another version",
    hint: "run `beds db apply`",
    retryable: false,
  },
  "BEDS-D400": {
    class: "BUSINESS",
    message: "the object refused the request",
    hint: "the detail is the object's own text",
    retryable: false,
  },
  "BEDS-D401": {
    class: "BUSINESS",
    message: "the object wants the caller to identify itself",
    hint: "the detail is the object's own text",
    retryable: false,
  },
  "BEDS-D403": {
    class: "BUSINESS",
    message: "the object does not allow this to the caller",
    hint: "the detail is the object's own text",
    retryable: false,
  },
  "BEDS-D404": {
    class: "BUSINESS",
    message: "the record does not exist",
    hint: "check the key that was sent",
    retryable: false,
  },
  "BEDS-D409": {
    class: "BUSINESS",
    message: "the record is in conflict with the request",
    hint: "read it again and decide anew",
    retryable: false,
  },
  "BEDS-D410": {
    class: "BUSINESS",
    message: "the record is gone",
    hint: "it was removed for good",
    retryable: false,
  },
  "BEDS-D422": {
    class: "BUSINESS",
    message: "the object found the request invalid",
    hint: "the detail is the object's own text",
    retryable: false,
  },
  "BEDS-D429": {
    class: "BUSINESS",
    message: "the object asks the caller to slow down",
    hint: "send it again later",
    retryable: true,
  },
  "BEDS-K001": {
    class: "INVALID",
    message: "the idempotency key was used for another request",
    hint: "use a new key for new arguments",
    retryable: false,
  },
  "BEDS-B001": {
    class: "BUG",
    message: "the node failed in a way that nobody foresaw",
    hint: "report it with the event id; the node's log has the cause",
    retryable: true,
  },
} as const satisfies Record<string, CatalogueEntry>;
