import type { BedsError } from "./errors.ts";

/** How well a node is. */
export type Health = "starting" | "ready" | "degraded" | "draining" | "stopped";

/** Everything that the product says about itself. Sinks decide what is logged or counted. */
export type Observation =
  | StepObserved
  | RequestObserved
  | WorkerObserved
  | ConnectionObserved
  | PoolObserved
  | HealthObserved
  | ProblemObserved;

/** Passed to whoever has something to say; must not throw and must not wait. */
export type Observe = (observation: Observation) => void;

/** One step of the program load ended. */
export interface StepObserved {
  readonly kind: "step";
  readonly step: string;
  readonly outcome: "ok" | "skipped" | "failed";
  readonly ms: number;
  readonly detail: string;
}

/** One request was settled. */
export interface RequestObserved {
  readonly kind: "request";
  readonly eventId: string;
  readonly parentId: string;
  readonly depth: number;
  readonly template: string;
  readonly op: string;
  readonly principal: string;
  readonly queue: string;
  /** `ok`, or the code of the error. */
  readonly outcome: string;
  /** Why it failed, with what the sender is not told; null when it did not. */
  readonly error: BedsError | null;
  /** What became of the message; `put off` and `returned` mean that it comes again. */
  readonly settled: "answered" | "put off" | "returned" | "dead" | "dropped";
  /** How often it had been put off before. */
  readonly attempt: number;
  readonly queueMs: number;
  readonly execMs: number;
}

/** A worker process changed. */
export interface WorkerObserved {
  readonly kind: "worker";
  readonly worker: number;
  readonly pid: number;
  readonly change: "started" | "ready" | "drained" | "died" | "killed" | "replaced" | "orphaned";
  readonly detail: string;
}

/** A connection of this process changed. */
export interface ConnectionObserved {
  readonly kind: "connection";
  /** `rabbitmq app_server data`, `database app` */
  readonly target: string;
  readonly change: "up" | "down" | "retrying" | "blocked" | "unblocked";
  readonly detail: string;
}

/** A pool of instances changed. */
export interface PoolObserved {
  readonly kind: "pool";
  readonly queue: string;
  readonly change: "consuming" | "paused" | "draining" | "drained" | "instance-replaced";
  readonly instances: number;
  readonly detail: string;
}

/** The node's health changed. */
export interface HealthObserved {
  readonly kind: "health";
  readonly health: Health;
  readonly detail: string;
}

/** Something went wrong that an operator should know about, outside the answer to one request. */
export interface ProblemObserved {
  readonly kind: "problem";
  readonly severity: "warning" | "error";
  /** What was being done: `drift check`, `worker 1`. */
  readonly during: string;
  readonly error: BedsError;
}
