import type { Observe } from "../contract/events.ts";
import type { LogSink } from "../contract/logger.ts";
import { createLog } from "../observe/log.ts";
import type { LoadedNode } from "./load.ts";

/** The log of a process. */
export interface Log {
  readonly observe: Observe;
  /** Writes out what is buffered. */
  close(): Promise<void>;
}

/**
 * Opens the sinks that the configuration names. `worker` marks the records of a worker process.
 * Errors: those of the logger plugins. Called once a process.
 */
export async function openLog({ loaded, plugins }: LoadedNode, worker?: number): Promise<Log> {
  const names = loaded.config.log.sinks;
  const sinks: LogSink[] = [];
  for (const name of names) sinks.push(await plugins.create("logger", name));
  return {
    observe: createLog(sinks, loaded.config.log, Date.now, worker),
    close: async () => {
      await Promise.allSettled(sinks.map((sink) => sink.close()));
    },
  };
}
