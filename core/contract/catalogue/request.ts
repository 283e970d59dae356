import type { CatalogueEntry } from "./entry.ts";

/** What can be wrong with a request: M message, R routing, A authorization, E expiry. */
export const requestErrors = {
  "BEDS-M001": {
    class: "MALFORMED",
    message: "the body is not JSON",
    hint: "send one JSON object in UTF-8",
    retryable: false,
  },
  "BEDS-M002": {
    class: "MALFORMED",
    message: "the message is larger than the node accepts",
    hint: "send less in one message, or raise limits.message_bytes",
    retryable: false,
  },
  "BEDS-M003": {
    class: "MALFORMED",
    message: "the body is nested too deeply",
    hint: "flatten the arguments",
    retryable: false,
  },
  "BEDS-M004": {
    class: "MALFORMED",
    message: "the body is not valid UTF-8",
    hint: "encode the JSON text as UTF-8",
    retryable: false,
  },
  "BEDS-M010": {
    class: "UNSUPPORTED",
    message: "the envelope's version is not served here",
    hint: 'send "v": 1 (wiki/Wire-Protocol.md)',
    retryable: false,
  },
  "BEDS-M011": {
    class: "INVALID",
    message: "the envelope has a key that version 1 does not know",
    hint: "remove the key, or move it into args",
    retryable: false,
  },
  "BEDS-M012": {
    class: "INVALID",
    message: "an envelope key is missing or has the wrong type",
    hint: "compare the request with wiki/Wire-Protocol.md",
    retryable: false,
  },
  "BEDS-M020": {
    class: "INVALID",
    message: "an argument is missing",
    hint: "add the argument to args",
    retryable: false,
  },
  "BEDS-M021": {
    class: "INVALID",
    message: "the operation has no such argument",
    hint: "run `beds list ops` to see what it takes",
    retryable: false,
  },
  "BEDS-M022": {
    class: "INVALID",
    message: "an argument has the wrong type or is out of its limits",
    hint: "compare the value with the template's field",
    retryable: false,
  },
  "BEDS-M030": {
    class: "INVALID",
    message: "the answer is larger than the node sends",
    hint: "ask for fewer rows, or raise limits.answer_bytes",
    retryable: false,
  },
  "BEDS-R001": {
    class: "UNSUPPORTED",
    message: "no template has this name",
    hint: "run `beds list templates` for those that the node serves",
    retryable: false,
  },
  "BEDS-R002": {
    class: "UNSUPPORTED",
    message: "the template has no such operation",
    hint: "run `beds list ops` for those that the node serves",
    retryable: false,
  },
  "BEDS-R003": {
    class: "UNSUPPORTED",
    message: "the request came with the wrong routing key for its operation",
    hint: "publish it with the key that the detail names",
    retryable: false,
  },
  "BEDS-R004": {
    class: "UNSUPPORTED",
    message: "the operation is switched off on this node",
    hint: "run `beds check`: its object differs from the template",
    retryable: false,
  },
  "BEDS-A001": {
    class: "DENIED",
    message: "the request is not allowed",
    hint: "ask the operator for a role that the operation accepts",
    retryable: false,
  },
  "BEDS-E001": {
    class: "EXPIRED",
    message: "the deadline passed before the request was executed",
    hint: "send a later deadline, or find out why the queue is long",
    retryable: true,
  },
} as const satisfies Record<string, CatalogueEntry>;
