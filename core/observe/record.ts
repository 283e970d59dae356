import { BedsError, findCatalogueEntry } from "../contract/errors.ts";
import type {
  ConnectionObserved,
  HealthObserved,
  Observation,
  PoolObserved,
  ProblemObserved,
  RequestObserved,
  StepObserved,
  WorkerObserved,
} from "../contract/events.ts";
import type { LogLevel, LogRecord } from "../contract/logger.ts";
import { printable } from "./printable.ts";

/**
 * The only names that a log record may carry beside its message (wiki/Compliance.md). Bodies,
 * arguments, rows and secrets have no name here, so that they cannot be logged by accident.
 */
export const logFields = [
  "kind",
  "step",
  "outcome",
  "ms",
  "event_id",
  "parent_id",
  "depth",
  "template",
  "op",
  "principal",
  "queue",
  "settled",
  "attempt",
  "queue_ms",
  "exec_ms",
  "worker",
  "pid",
  "change",
  "target",
  "instances",
  "health",
  "during",
  "code",
  "class",
  "detail",
  "hint",
  "where",
  "cause",
] as const;
type FieldName = (typeof logFields)[number];
type Fields = { readonly [Name in FieldName]?: string | number | boolean };

/**
 * What one observation says in a log. `worker` is the worker process that observed it, if it was
 * one. Pure; called for every observation that is logged.
 */
export function logRecord(observation: Observation, time: number, worker?: number): LogRecord {
  const { level, message, fields: own } = describe(observation);
  const fields: Fields = worker === undefined ? own : { worker, ...own };
  const kept = logFields.flatMap((name) => {
    const value = fields[name];
    if (value === undefined || value === "") return [];
    return [[name, typeof value === "string" ? printable(value) : value] as const];
  });
  return { time, level, message: printable(message), fields: Object.fromEntries(kept) };
}

interface Description {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: Fields;
}

function describe(observation: Observation): Description {
  switch (observation.kind) {
    case "step":
      return describeStep(observation);
    case "request":
      return describeRequest(observation);
    case "worker":
      return describeWorker(observation);
    case "connection":
      return describeConnection(observation);
    case "pool":
      return describePool(observation);
    case "health":
      return describeHealth(observation);
    case "problem":
      return describeProblem(observation);
  }
}

const stepLevels = { ok: "info", skipped: "warning", failed: "error" } as const;

function describeStep({ kind, step, outcome, ms, detail }: StepObserved): Description {
  return {
    level: stepLevels[outcome],
    message: behind(`${step}: ${outcome}`, detail),
    fields: { kind, step, outcome, ms: rounded(ms) },
  };
}

function describeRequest(request: RequestObserved): Description {
  const { kind, template, op, outcome } = request;
  return {
    level: requestLevel(outcome),
    message: `${template}.${op} ${outcome}`,
    fields: {
      kind,
      outcome,
      event_id: request.eventId,
      parent_id: request.parentId,
      depth: request.depth,
      template,
      op,
      principal: request.principal,
      queue: request.queue,
      settled: request.settled,
      attempt: request.attempt,
      detail: request.error?.detail ?? "",
      cause: causeText(request.error?.cause),
      queue_ms: rounded(request.queueMs),
      exec_ms: rounded(request.execMs),
    },
  };
}

/** Classes that speak of the node and its servers; all others are the caller's own affair. */
const nodeClasses: ReadonlySet<string> = new Set([
  "BUG",
  "BROKEN_OBJECT",
  "DEPENDENCY_DOWN",
  "TIMEOUT",
  "UNKNOWN_OUTCOME",
]);

function requestLevel(outcome: string): LogLevel {
  if (outcome === "ok") return "info";
  const found = findCatalogueEntry(outcome)?.class;
  if (found === "BUSINESS") return "info";
  return found === undefined || nodeClasses.has(found) ? "error" : "warning";
}

const workerLevels = {
  started: "info",
  ready: "info",
  drained: "info",
  replaced: "info",
  orphaned: "warning",
  died: "error",
  killed: "error",
} as const;

function describeWorker({ kind, worker, pid, change, detail }: WorkerObserved): Description {
  return {
    level: workerLevels[change],
    message: behind(`worker ${worker} ${change}`, detail),
    fields: { kind, worker, pid, change },
  };
}

const connectionLevels = {
  up: "info",
  unblocked: "info",
  down: "warning",
  retrying: "warning",
  blocked: "warning",
} as const;

function describeConnection({ kind, target, change, detail }: ConnectionObserved): Description {
  return {
    level: connectionLevels[change],
    message: behind(`${target} ${change}`, detail),
    fields: { kind, target, change },
  };
}

function describePool({ kind, queue, change, instances, detail }: PoolObserved): Description {
  const isSetback = change === "paused" || change === "instance-replaced";
  return {
    level: isSetback ? "warning" : "debug",
    message: behind(`${queue} ${change}, ${instances} instances`, detail),
    fields: { kind, queue, change, instances },
  };
}

function describeHealth({ kind, health, detail }: HealthObserved): Description {
  return {
    level: health === "degraded" ? "warning" : "info",
    message: behind(`node ${health}`, detail),
    fields: { kind, health },
  };
}

function describeProblem({ kind, severity, during, error }: ProblemObserved): Description {
  const { where } = error;
  return {
    level: severity,
    message: `${during}: ${behind(error.message, error.detail)}`,
    fields: {
      kind,
      during,
      code: error.code,
      class: error.class,
      detail: error.detail,
      hint: error.hint,
      where: where === undefined ? "" : `${where.file}:${where.line}:${where.column}`,
      cause: causeText(error.cause),
    },
  };
}

/**
 * Code and message alone: a driver's error may hold the statement and its values in other
 * properties.
 */
function causeText(cause: unknown): string {
  if (cause === undefined || cause === null) return "";
  if (cause instanceof BedsError) return `${cause.code}: ${behind(cause.message, cause.detail)}`;
  if (!(cause instanceof Error)) return typeof cause === "string" ? cause : typeof cause;
  const code = "code" in cause ? String(cause.code) : cause.name;
  return `${code}: ${cause.message}`;
}

function behind(text: string, detail: string): string {
  return detail === "" ? text : `${text}: ${detail}`;
}

/** Tenths of a millisecond are more than anyone reads in a log. */
function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}
