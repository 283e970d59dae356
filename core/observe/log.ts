import { BedsError } from "../contract/errors.ts";
import type { Observation, Observe } from "../contract/events.ts";
import type { LogLevel, LogRecord, LogSink } from "../contract/logger.ts";
import { logRecord } from "./record.ts";

/** What is logged; the `[log]` section of the configuration has this shape. */
export interface LogSettings {
  readonly level: LogLevel;
  readonly requests: "errors" | "all" | "none";
}

/**
 * Hands every observation that the settings want to every sink. A sink that throws is told of once,
 * to the others, and is asked again the next time: logging must not take a node down. `clock` gives
 * milliseconds since 1970.
 *
 * Called once at boot; what it returns is called for every observation, so that an unwanted one
 * costs a comparison.
 */
export function createLog(
  sinks: readonly LogSink[],
  settings: LogSettings,
  clock: () => number,
  worker?: number,
): Observe {
  const least = severities[settings.level];
  const failed = new Set<LogSink>();

  function write(record: LogRecord): void {
    for (const sink of sinks) {
      try {
        sink.write(record);
      } catch (thrown) {
        if (failed.has(sink)) continue;
        failed.add(sink);
        tellOthers(thrown);
      }
    }
  }

  function tellOthers(thrown: unknown): void {
    const error = BedsError.from(thrown);
    write(logRecord({ kind: "problem", severity: "error", during: "logging", error }, clock()));
  }

  return (observation) => {
    if (!isWanted(observation, settings.requests)) return;
    const record = logRecord(observation, clock(), worker);
    if (severities[record.level] >= least) write(record);
  };
}

const severities = { debug: 0, info: 1, warning: 2, error: 3 } as const;

function isWanted(observation: Observation, requests: LogSettings["requests"]): boolean {
  if (observation.kind !== "request" || requests === "all") return true;
  return requests === "errors" && observation.outcome !== "ok";
}
