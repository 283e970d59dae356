import { describe, expect, test } from "bun:test";
import { ConfirmWindow } from "../../../core/amqp/confirm-window.ts";
import { BedsError } from "../../../core/contract/index.ts";
import { Random } from "../../helpers/random.ts";

const limits = { maxInFlight: 1_000, timeLimitMs: 1_000 };

/** A window with `count` messages, and what became of each. */
function filled(count: number, now = () => 0): [ConfirmWindow, string[]] {
  const window = new ConfirmWindow(limits, now);
  const outcomes: string[] = [];
  for (let at = 0; at < count; at++) {
    window.add(`m${at}`, (error) => {
      const before = outcomes[at];
      outcomes[at] = `${before === undefined ? "" : `${before}+`}${error?.code ?? "ok"}`;
    });
  }
  return [window, outcomes];
}

describe("the confirm window", () => {
  test("confirms one", () => {
    const [window, outcomes] = filled(3);
    window.confirm(2, false, true);
    expect(outcomes[1]).toBe("ok");
    expect(outcomes.filter((outcome) => outcome !== undefined)).toEqual(["ok"]);
    expect(window.size).toBe(2);
    window.fail(new BedsError("BEDS-Q006"));
    expect(outcomes).toEqual(["BEDS-Q006", "ok", "BEDS-Q006"]);
  });

  test("confirms and refuses many at once", () => {
    const [window, outcomes] = filled(5);
    window.confirm(2, true, true);
    window.confirm(4, true, false);
    window.confirm(5, true, true);
    expect(outcomes).toEqual(["ok", "ok", "BEDS-Q005", "BEDS-Q005", "ok"]);
  });

  test("a returned message is known by its id and fails at its confirm", () => {
    const [window, outcomes] = filled(3);
    window.returned("m1", "NO_ROUTE");
    window.returned("unknown", "NO_ROUTE");
    expect(outcomes).toEqual([]);
    window.confirm(3, true, true);
    expect(outcomes).toEqual(["ok", "BEDS-Q008", "ok"]);
  });

  test("two messages of one id are returned one after the other", () => {
    const window = new ConfirmWindow(limits, () => 0);
    const outcomes: string[] = [];
    for (let left = 2; left > 0; left--) {
      window.add("same", (error) => outcomes.push(error?.code ?? "ok"));
    }
    window.returned("same", "NO_ROUTE");
    window.returned("same", "NO_ROUTE");
    window.confirm(2, true, true);
    expect(outcomes).toEqual(["BEDS-Q008", "BEDS-Q008"]);
  });

  test("time ends for those whose time it is, once", async () => {
    let now = 0;
    const [window, outcomes] = filled(2, () => now);
    now = 500;
    window.add("late", (error) => outcomes.push(error?.code ?? "ok"));
    now = 1_100;
    await Bun.sleep(120);
    expect(outcomes).toEqual(["BEDS-Q004", "BEDS-Q004"]);
    window.confirm(3, true, true);
    expect(outcomes).toEqual(["BEDS-Q004", "BEDS-Q004", "ok"]);
  });

  test("is bounded", () => {
    const window = new ConfirmWindow({ maxInFlight: 2, timeLimitMs: 1_000 }, () => 0);
    window.checkRoom();
    window.add("a", () => undefined);
    window.add("b", () => undefined);
    expect(() => window.checkRoom()).toThrow(new BedsError("BEDS-Q010").message);
    window.confirm(1, false, true);
    window.checkRoom();
    window.fail(new BedsError("BEDS-Q006"));
  });

  test("whatever the order of confirms: each message settles once", () => {
    for (let round = 0; round < 100; round++) {
      const random = new Random();
      const [window, outcomes] = filled(50);
      const tags = random.shuffle(Array.from({ length: 50 }, (_, at) => at + 1));
      for (const tag of tags.slice(0, 30))
        window.confirm(tag, random.chance(0.1), random.chance(0.9));
      window.fail(new BedsError("BEDS-Q006"));
      const note = `seed ${random.seed}`;
      expect(outcomes, note).toHaveLength(50);
      for (const outcome of outcomes) expect(outcome, note).not.toContain("+");
    }
  });
});
