import { expect, test } from "bun:test";
import { Output } from "../../../core/cli/output.ts";
import { Progress } from "../../../core/cli/progress.ts";

test("says count, rate and time left", () => {
  let now = 0;
  const output = new Output({ json: false, noColor: true, noInput: true, environment: {} });
  const progress = new Progress(output, "changes", 40, () => now);
  for (let step = 0; step < 10; step++) progress.step(undefined);
  now = 5000;
  expect(progress.text(now)).toBe("10 of 40 changes, 2.0/s, 15 s left");
});
