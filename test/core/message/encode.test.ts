import { describe, expect, test } from "bun:test";
import { BedsError, type Result } from "../../../core/contract/index.ts";
import { encodeError, encodeOk } from "../../../core/message/encode.ts";
import { isEventId } from "../../../core/message/event-id.ts";
import { eventId, stillMint } from "./samples.ts";

const request = { eventId, parentId: "", rootId: eventId, depth: 0 };
const timing = { queueMs: 0.4449, execMs: 1.23456 };
const result: Result = { rows: [{ usr_email: "ü" }], next: null, version: 8, token: "t" };

describe("an answer", () => {
  test("of status ok is exactly this", () => {
    const { body, error } = encodeOk(request, result, false, timing, stillMint(), 10_000);
    expect(error).toBeNull();
    const answer = JSON.parse(body);
    expect(isEventId(answer.event_id)).toBe(true);
    expect(answer).toEqual({
      v: 1,
      event_id: answer.event_id,
      parent_id: eventId,
      depth: 1,
      status: "ok",
      result: { rows: [{ usr_email: "ü" }], next: null, version: 8, token: "t" },
      replayed: false,
      error: null,
      ticket: null,
      timing: { queue_ms: 0.4, exec_ms: 1.23 },
    });
  });

  test("of status error is exactly this", () => {
    const cause = new Error("hunter2");
    const failed = new BedsError("BEDS-D404", { detail: "no such user", cause });
    const { body, error } = encodeError(
      { ...request, depth: 3 },
      failed,
      false,
      timing,
      stillMint(),
    );
    expect(error).toBe(failed);
    const answer = JSON.parse(body);
    expect(answer).toEqual({
      v: 1,
      event_id: answer.event_id,
      parent_id: eventId,
      depth: 4,
      status: "error",
      result: null,
      replayed: false,
      error: {
        code: "BEDS-D404",
        class: "BUSINESS",
        message: "the record does not exist",
        detail: "no such user",
        hint: "check the key that was sent",
        retryable: false,
      },
      ticket: null,
      timing: { queue_ms: 0.4, exec_ms: 1.23 },
    });
    expect(body).not.toContain("hunter2");
  });

  test("is measured in bytes of UTF-8, to the byte", () => {
    const size = Buffer.byteLength(
      encodeOk(request, result, false, timing, stillMint(), 10_000).body,
    );
    expect(encodeOk(request, result, false, timing, stillMint(), size).error).toBeNull();
    const tooLarge = encodeOk(request, result, false, timing, stillMint(), size - 1);
    expect(tooLarge.error?.code).toBe("BEDS-M030");
    const answer = JSON.parse(tooLarge.body);
    expect(answer).toMatchObject({ status: "error", result: null, parent_id: eventId });
    expect(answer.error.detail).toBe(`${size} bytes; the limit is ${size - 1}`);
  });

  test("does not tell what is the operator's", () => {
    const secret = "Access denied for 'beds_run'@'10.0.0.7'";
    for (const code of ["BEDS-D001", "BEDS-D008", "BEDS-B001", "BEDS-A001", "BEDS-Q006"] as const) {
      const failed = new BedsError(code, { detail: secret });
      expect(encodeError(request, failed, false, timing, stillMint()).body).not.toContain(
        "10.0.0.7",
      );
    }
  });

  test("bounds a detail that an object made", () => {
    const failed = new BedsError("BEDS-D400", { detail: "\u{1f600}".repeat(100_000) });
    const { body } = encodeError(request, failed, false, timing, stillMint());
    expect(body.length).toBeLessThan(6000);
    expect(JSON.parse(body).error.code).toBe("BEDS-D400");
  });
});
