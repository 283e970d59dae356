import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { stageNames, wholeName } from "../../bench/dispatch.ts";
import { type Baseline, judge, mostOfWhole, toBaseline } from "../../bench/gate.ts";
import type { Measurement } from "../../bench/measure.ts";

const root = join(import.meta.dir, "../..");

/** Runs the benchmark as a person would. */
function bench(flags: readonly string[], slowdown = "") {
  const ran = Bun.spawnSync([process.execPath, "bench/run.ts", ...flags], {
    cwd: root,
    env: { ...process.env, BEDS_BENCH_SLOWDOWN: slowdown },
  });
  return { code: ran.exitCode, out: ran.stdout.toString(), err: ran.stderr.toString() };
}

function slowStages(out: string): readonly string[] {
  const { stages }: { stages: readonly { name: string; passes: boolean }[] } = JSON.parse(out);
  return stages.filter(({ passes }) => !passes).map(({ name }) => name);
}

describe("the benchmark itself", () => {
  test("passes its gate as the code is", () => {
    const { code, out, err } = bench(["--gate", "--quick", "--json"]);
    expect([err, slowStages(out), code]).toEqual(["", [], 0]);
    const { stages }: { stages: readonly { name: string }[] } = JSON.parse(out);
    const names = stages.map(({ name }) => name);
    for (const name of [...stageNames, wholeName]) expect(names).toContain(name);
  }, 60_000);

  test("fails its gate when a stage is slowed down, and names the stage", () => {
    const { code, out } = bench(["--gate", "--quick", "--json"], "decode");
    expect(code).toBe(1);
    expect(slowStages(out)).toEqual(expect.arrayContaining(["decode", wholeName]));
    expect(slowStages(out)).not.toContain("route");
  }, 60_000);

  test("refuses words that mean nothing", () => {
    expect(bench(["--gat"]).code).toBe(64);
    expect(bench(["--gate"], "parse").code).toBe(64);
    expect(bench(["--help"]).out).toContain("--record");
  });
});

describe("a verdict", () => {
  const baseline: Baseline = {
    recorded: "by hand",
    stages: { decode: { ratio: 1, tolerance: 0.25 }, whole: { ratio: 2.9, tolerance: 0.25 } },
  };
  const measured = (name: string, ratio: number): Measurement => ({
    calibrationNs: 500,
    stages: [{ name, ns: ratio * 500, ratio, spread: 0.01 }],
  });

  const cases: readonly (readonly [name: string, ratio: number, passes: boolean])[] = [
    ["decode", 1, true],
    ["decode", 1.3, true],
    ["decode", 1.31, false],
    ["whole", mostOfWhole, true],
    ["whole", mostOfWhole + 0.01, false],
    ["a stage that was never recorded", 0.01, false],
  ];
  for (const [name, ratio, passes] of cases) {
    test(`${name} at ${ratio} ${passes ? "passes" : "fails"}`, () => {
      expect(judge(measured(name, ratio), baseline)[0]?.passes).toBe(passes);
    });
  }

  test("is made from what was recorded, with a tolerance of at least a quarter", () => {
    const calm = toBaseline(measured("decode", 1.23456), "here").stages["decode"];
    expect(calm).toEqual({ ratio: 1.235, tolerance: 0.25 });
    const noisy = {
      calibrationNs: 500,
      stages: [{ name: "route", ns: 5, ratio: 0.01, spread: 0.4 }],
    };
    expect(toBaseline(noisy, "here").stages["route"]?.tolerance).toBe(0.8);
  });
});
