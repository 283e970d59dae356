import type { Plugin } from "../core/contract/plugin.ts";
import mariadb from "./adapters/mariadb/index.ts";
import mongodb from "./adapters/mongodb/index.ts";
import readBroker from "./brokers/read.ts";
import writeBroker from "./brokers/write.ts";
import consoleLogger from "./loggers/console.ts";

/** Every plugin that is part of the program. A test holds the list against the folders. */
export const builtInPlugins: readonly Plugin[] = [
  mariadb,
  mongodb,
  readBroker,
  writeBroker,
  consoleLogger,
];
