import { describe, expect, test } from "bun:test";
import type { Observation } from "../../../core/contract/events.ts";
import type { LogRecord, LogSink } from "../../../core/contract/logger.ts";
import { createLog, type LogSettings } from "../../../core/observe/log.ts";

const ready: Observation = { kind: "health", health: "ready", detail: "" };
const degraded: Observation = { kind: "health", health: "degraded", detail: "" };
const died: Observation = { kind: "worker", worker: 1, pid: 2, change: "died", detail: "" };

describe("createLog", () => {
  test("hands every record to every sink, with the clock's time", () => {
    const [one, other] = [new MemorySink(), new MemorySink()];
    createLog([one, other], { level: "debug", requests: "all" }, () => 42)(ready);
    expect(one.messages()).toEqual(["node ready"]);
    expect(one.records[0]?.time).toBe(42);
    expect(other.records).toEqual(one.records);
  });

  const levels: readonly (readonly [LogSettings["level"], number])[] = [
    ["debug", 3],
    ["info", 3],
    ["warning", 2],
    ["error", 1],
  ];
  for (const [level, count] of levels) {
    test(`level ${level} logs ${count} of info, warning and error`, () => {
      const sink = new MemorySink();
      const observe = createLog([sink], { level, requests: "all" }, () => 0);
      for (const observation of [ready, degraded, died]) observe(observation);
      expect(sink.records.length).toBe(count);
    });
  }

  const requests: readonly (readonly [LogSettings["requests"], readonly string[]])[] = [
    ["all", ["T.o ok", "T.o BEDS-D404", "node ready"]],
    ["errors", ["T.o BEDS-D404", "node ready"]],
    ["none", ["node ready"]],
  ];
  for (const [setting, messages] of requests) {
    test(`requests = ${setting}`, () => {
      const sink = new MemorySink();
      const observe = createLog([sink], { level: "info", requests: setting }, () => 0);
      for (const outcome of ["ok", "BEDS-D404"]) observe(request(outcome));
      observe(ready);
      expect(sink.messages()).toEqual([...messages]);
    });
  }

  test("a sink that throws stops nobody, and is told of once", () => {
    const [sink, broken] = [new MemorySink(), new BrokenSink()];
    const observe = createLog([broken, sink], { level: "info", requests: "all" }, () => 0);
    observe(ready);
    observe(degraded);
    expect(sink.messages()).toEqual([
      "logging: the node failed in a way that nobody foresaw: disk full",
      "node ready",
      "node degraded",
    ]);
    expect(broken.asked).toBe(3);
  });

  test("a log of broken sinks alone throws nothing", () => {
    const settings = { level: "info", requests: "all" } as const;
    const observe = createLog([new BrokenSink(), new BrokenSink()], settings, () => 0);
    expect(() => observe(ready)).not.toThrow();
  });
});

function request(outcome: string): Observation {
  const lineage = { eventId: "e", parentId: "", depth: 0, principal: "p", queue: "q" };
  const settling = { error: null, settled: "answered", attempt: 0 } as const;
  const times = { queueMs: 0, execMs: 0 };
  return { kind: "request", template: "T", op: "o", outcome, ...lineage, ...settling, ...times };
}

class MemorySink implements LogSink {
  readonly records: LogRecord[] = [];

  write(record: LogRecord): void {
    this.records.push(record);
  }

  messages(): string[] {
    return this.records.map(({ message }) => message);
  }

  async close(): Promise<void> {}
}

class BrokenSink implements LogSink {
  asked = 0;

  write(): void {
    this.asked++;
    throw new Error("disk full");
  }

  async close(): Promise<void> {}
}
