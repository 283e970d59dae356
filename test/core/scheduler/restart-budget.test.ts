import { expect, test } from "bun:test";
import { RestartBudget } from "../../../core/scheduler/restart-budget.ts";

test("restarts are free within the budget, slow beyond it, and free again once time has passed", () => {
  let now = 0;
  const budget = new RestartBudget({ restarts: 2, perMs: 1000, slowMs: 500 }, () => now);
  expect([budget.take(), budget.take(), budget.take()]).toEqual([0, 0, 500]);
  now = 999;
  expect(budget.take()).toBe(500);
  now = 1000;
  expect([budget.take(), budget.take(), budget.take()]).toEqual([0, 0, 500]);
});
