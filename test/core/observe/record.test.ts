import { describe, expect, test } from "bun:test";
import { BedsError } from "../../../core/contract/errors.ts";
import type { Observation, RequestObserved } from "../../../core/contract/events.ts";
import type { LogLevel } from "../../../core/contract/logger.ts";
import { logFields, logRecord } from "../../../core/observe/record.ts";

const request: RequestObserved = {
  kind: "request",
  eventId: "app1.dev.0190",
  parentId: "",
  depth: 0,
  template: "Users",
  op: "fetch",
  principal: "app1",
  queue: "beds.rBroker.rel",
  outcome: "ok",
  error: null,
  settled: "answered",
  attempt: 0,
  queueMs: 0.449,
  execMs: 1.25,
};
const cause = Object.assign(new Error("access denied"), {
  code: "ER_ACCESS_DENIED",
  sql: "SELECT secret",
});
const error = new BedsError("BEDS-D008", {
  detail: "app: beds_run",
  where: { file: "a.toml", line: 1, column: 2 },
  cause,
});

const table: readonly (readonly [Observation, LogLevel, string])[] = [
  [step("ok", "5 templates"), "info", "templates: ok: 5 templates"],
  [step("skipped", "no file"), "warning", "templates: skipped: no file"],
  [step("failed", ""), "error", "templates: failed"],
  [request, "info", "Users.fetch ok"],
  [{ ...request, outcome: "BEDS-D404" }, "info", "Users.fetch BEDS-D404"],
  [{ ...request, outcome: "BEDS-A001" }, "warning", "Users.fetch BEDS-A001"],
  [{ ...request, outcome: "BEDS-B001" }, "error", "Users.fetch BEDS-B001"],
  [{ ...request, outcome: "BEDS-D001" }, "error", "Users.fetch BEDS-D001"],
  [{ ...request, outcome: "what?" }, "error", "Users.fetch what?"],
  [worker("ready", ""), "info", "worker 1 ready"],
  [worker("died", "signal 9"), "error", "worker 1 died: signal 9"],
  [worker("orphaned", ""), "warning", "worker 1 orphaned"],
  [connection("up", ""), "info", "database app up"],
  [connection("down", "refused"), "warning", "database app down: refused"],
  [pool("consuming", ""), "debug", "beds.rBroker.rel consuming, 8 instances"],
  [pool("paused", "breaker"), "warning", "beds.rBroker.rel paused, 8 instances: breaker"],
  [{ kind: "health", health: "ready", detail: "" }, "info", "node ready"],
  [{ kind: "health", health: "degraded", detail: "budget" }, "warning", "node degraded: budget"],
  [
    { kind: "problem", severity: "error", during: "authenticate", error },
    "error",
    "authenticate: the database refused the account: app: beds_run",
  ],
];

describe("logRecord", () => {
  for (const [observation, level, message] of table) {
    test(message, () => {
      const record = logRecord(observation, 17);
      expect([record.time, record.level, record.message]).toEqual([17, level, message]);
      const known: readonly string[] = logFields;
      expect(Object.keys(record.fields).filter((name) => !known.includes(name))).toEqual([]);
      expect(record.fields["kind"]).toBe(observation.kind);
    });
  }

  test("a request has its lineage and times, and no empty field", () => {
    expect(logRecord(request, 0).fields).toEqual({
      kind: "request",
      outcome: "ok",
      event_id: "app1.dev.0190",
      depth: 0,
      template: "Users",
      op: "fetch",
      principal: "app1",
      queue: "beds.rBroker.rel",
      settled: "answered",
      attempt: 0,
      queue_ms: 0.4,
      exec_ms: 1.3,
    });
  });

  test("a problem has code, hint and place, and its cause's code and message alone", () => {
    const problem = { kind: "problem", severity: "error", during: "boot", error } as const;
    const { fields } = logRecord(problem, 0);
    expect(fields["code"]).toBe("BEDS-D008");
    expect(fields["hint"]).toBe(error.hint);
    expect(fields["where"]).toBe("a.toml:1:2");
    expect(fields["cause"]).toBe("ER_ACCESS_DENIED: access denied");
    expect(JSON.stringify(logRecord(problem, 0))).not.toContain("SELECT");
  });

  test("names from outside forge no line and are not endless", () => {
    const forged = { ...request, op: "x\nerror root\u001b[31m\u202e", principal: "p".repeat(9000) };
    const { message, fields } = logRecord(forged, 0);
    expect(message).toBe("Users.x\\u000aerror root\\u001b[31m\\u202e ok");
    expect(String(fields["principal"]).length).toBeLessThan(2100);
  });
});

function step(outcome: "ok" | "skipped" | "failed", detail: string): Observation {
  return { kind: "step", step: "templates", outcome, ms: 1, detail };
}

function worker(change: "ready" | "died" | "orphaned", detail: string): Observation {
  return { kind: "worker", worker: 1, pid: 2, change, detail };
}

function connection(change: "up" | "down", detail: string): Observation {
  return { kind: "connection", target: "database app", change, detail };
}

function pool(change: "consuming" | "paused", detail: string): Observation {
  return { kind: "pool", queue: "beds.rBroker.rel", change, instances: 8, detail };
}
