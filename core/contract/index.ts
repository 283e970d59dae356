/**
 * The contract between the core and its plugins, and the only core module that a plugin may import.
 * Third-party plugins reach it as `@beds/sdk`; `v` is valibot, so that they need no copy of their
 * own.
 */
export * as v from "valibot";
export * from "./adapter.ts";
export * from "./broker.ts";
export * from "./errors.ts";
export * from "./events.ts";
export * from "./logger.ts";
export * from "./message.ts";
export * from "./plugin.ts";
export * from "./template.ts";
export * from "./version.ts";
