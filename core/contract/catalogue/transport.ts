import type { CatalogueEntry } from "./entry.ts";

/** What RabbitMQ can answer. */
export const transportErrors = {
  "BEDS-Q001": {
    class: "DEPENDENCY_DOWN",
    message: "RabbitMQ cannot be reached",
    hint: "start it, or correct host and port of the broker service",
    retryable: true,
  },
  "BEDS-Q002": {
    class: "DEPENDENCY_DOWN",
    message: "RabbitMQ refused the account",
    hint: "check user, pass and vhost of the broker service",
    retryable: true,
  },
  "BEDS-Q003": {
    class: "BOOT",
    message: "RabbitMQ has a queue or exchange that differs from the contract",
    hint: "delete it when it is empty, or correct it, then start again",
    retryable: false,
  },
  "BEDS-Q004": {
    class: "DEPENDENCY_DOWN",
    message: "RabbitMQ did not confirm a message in time",
    hint: "look at its alarms and its log",
    retryable: true,
  },
  "BEDS-Q005": {
    class: "OVERLOADED",
    message: "RabbitMQ refused a message because the queue is full",
    hint: "send it again later, or raise the instance count",
    retryable: true,
  },
  "BEDS-Q006": {
    class: "DEPENDENCY_DOWN",
    message: "the connection to RabbitMQ was lost",
    hint: "nothing: the node reconnects by itself",
    retryable: true,
  },
  "BEDS-Q007": {
    class: "TIMEOUT",
    message: "no answer came in time",
    hint: "run `beds doctor`; look whether a node serves the routing key",
    retryable: true,
  },
  "BEDS-Q008": {
    class: "UNSUPPORTED",
    message: "no queue takes this routing key",
    hint: "start a node that runs the broker of the key",
    retryable: true,
  },
  "BEDS-Q009": {
    class: "DEPENDENCY_DOWN",
    message: "RabbitMQ closed a channel",
    hint: "the detail is RabbitMQ's own text",
    retryable: true,
  },
  "BEDS-Q010": {
    class: "OVERLOADED",
    message: "too much is waiting to be written to RabbitMQ",
    hint: "send it again later",
    retryable: true,
  },
  "BEDS-Q011": {
    class: "DEPENDENCY_DOWN",
    message: "RabbitMQ broke the protocol",
    hint: "the connection is replaced by itself; report it when it returns",
    retryable: true,
  },
  "BEDS-Q012": {
    class: "TIMEOUT",
    message: "the caller stopped waiting for RabbitMQ",
    hint: "nothing: it was aborted on purpose",
    retryable: true,
  },
} as const satisfies Record<string, CatalogueEntry>;
