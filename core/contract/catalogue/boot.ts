import type { CatalogueEntry } from "./entry.ts";

/** What keeps a node from starting: C configuration, P plugin, N node. */
export const bootErrors = {
  "BEDS-C001": {
    class: "BOOT",
    message: "a configuration file cannot be read",
    hint: "run `beds init`, or name it with --config",
    retryable: false,
  },
  "BEDS-C002": {
    class: "BOOT",
    message: "a configuration file is not TOML",
    hint: "correct the line",
    retryable: false,
  },
  "BEDS-C003": {
    class: "BOOT",
    message: "the configuration has an unknown key",
    hint: "correct the key, or remove it",
    retryable: false,
  },
  "BEDS-C004": {
    class: "BOOT",
    message: "a configuration value is missing or wrong",
    hint: "compare it with wiki/Configuration.md",
    retryable: false,
  },
  "BEDS-C005": {
    class: "BOOT",
    message: "the configuration has another schema version",
    hint: "use a configuration of this version",
    retryable: false,
  },
  "BEDS-C006": {
    class: "BOOT",
    message: "a secret cannot be read",
    hint: "create what the reference names, readable by the node alone",
    retryable: false,
  },
  "BEDS-C007": {
    class: "BOOT",
    message: "a variable that the configuration needs is not set",
    hint: "set it, or give a default with ${NAME:-default}",
    retryable: false,
  },
  "BEDS-C008": {
    class: "BOOT",
    message: "the configuration names something that does not exist",
    hint: "correct the name",
    retryable: false,
  },
  "BEDS-C009": {
    class: "BOOT",
    message: "the node runs no broker",
    hint: "set is_local = true on a broker service and give it brokers",
    retryable: false,
  },
  "BEDS-C010": {
    class: "BOOT",
    message: "the nodes would open more connections than the database allows",
    hint: "lower workers or instances, or raise the server's limit",
    retryable: false,
  },
  "BEDS-P001": {
    class: "BOOT",
    message: "a plugin file cannot be loaded",
    hint: "check the path and what the file imports",
    retryable: false,
  },
  "BEDS-P002": {
    class: "BOOT",
    message: "a plugin file does not export a plugin",
    hint: "write `export default definePlugin({ … })`",
    retryable: false,
  },
  "BEDS-P003": {
    class: "BOOT",
    message: "a plugin was written for another version of the contract",
    hint: "use a plugin for this version of BEDS",
    retryable: false,
  },
  "BEDS-P004": {
    class: "BOOT",
    message: "a plugin's definition is incomplete or wrong",
    hint: "compare it with wiki/Plugins.md",
    retryable: false,
  },
  "BEDS-P005": {
    class: "BOOT",
    message: "a plugin failed while it was being created",
    hint: "the detail is the plugin's own text",
    retryable: false,
  },
  "BEDS-P006": {
    class: "BOOT",
    message: "two plugins have the same kind and name",
    hint: "rename one of them",
    retryable: false,
  },
  "BEDS-P007": {
    class: "BOOT",
    message: "a plugin's options are wrong",
    hint: "compare them with the plugin's example",
    retryable: false,
  },
  "BEDS-N003": {
    class: "BOOT",
    message: "the node never became ready",
    hint: "the failed steps stand above",
    retryable: false,
  },
  "BEDS-N004": {
    class: "BUG",
    message: "a worker process stopped answering",
    hint: "it is killed and replaced by itself",
    retryable: true,
  },
  "BEDS-N005": {
    class: "BOOT",
    message: "the system allows a process less than a worker needs",
    hint: "raise the limit",
    retryable: false,
  },
} as const satisfies Record<string, CatalogueEntry>;
