import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { CpuMeter } from "../../../bench/e2e/cpu.ts";
import { figuresOf, type Report } from "../../../bench/e2e/figures.ts";
import { jsonOf } from "../../../bench/e2e/json.ts";
import { baseline, beds, type Sample } from "../../../bench/e2e/measure.ts";
import { scenarios } from "../../../bench/e2e/scenario.ts";
import { tableOf } from "../../../bench/e2e/table.ts";

const root = join(import.meta.dir, "../../..");

/** A second in which so many were answered. */
function sample(answers: number, p50: number, cpuUs: number): Sample {
  const load = { answers, ms: 1000, p50, p99: p50, requestBytes: 160, answerBytes: 350 };
  return { load, cpu: new Map([["server", cpuUs]]) };
}

/** The third round met a neighbour, which slowed both sides alike. */
const figures = figuresOf(
  scenarios.keyed_write,
  64,
  new Map([
    [beds, [sample(2000, 1, 4000), sample(3000, 2, 6000), sample(400, 9, 800)]],
    [baseline, [sample(1000, 4, 4000), sample(1000, 4, 4000), sample(200, 36, 800)]],
  ]),
);

function reportOf(keyed: boolean): Report {
  const machine = { cores: 2, load: 0.5 };
  const only = ["keyed_write"] as const;
  return { workers: 1, rounds: 3, machine, figures: [figures], keyed, scenarios: only };
}

describe("the figures of bench:e2e", () => {
  test("are medians of what each round says, ours to theirs", () => {
    expect(figures.ratio).toEqual({ median: 2, low: 2, high: 2.5 });
    expect(figures.p50Ratio.median).toBe(0.25);
    expect(figures.beds.perSecond).toBe(2000);
    // 10,800 µs for 5,400 answers against 8,800 µs for 2,200.
    expect(figures.beds.cpuUs.get("server")).toBe(2);
    expect(figures.cpuRatio).toBe(0.5);
  });

  test("have the names that programs look for", () => {
    const found = JSON.parse(jsonOf(reportOf(true)));
    expect(found["keyed_write.c64.ratio"]).toBe(2);
    expect(found["keyed_write.c64.p50_ratio"]).toBe(0.25);
    expect(found["keyed_write.c64.baseline.cpu_us.server"]).toBe(4);
    expect(found["keyed_write.keyed"]).toBe(true);
  });

  test("say when a write is not keyed", () => {
    expect(JSON.parse(jsonOf(reportOf(false)))["keyed_write.note"]).toBe("not keyed yet");
    expect(tableOf(reportOf(false))).toContain("NOT KEYED YET");
    expect(tableOf(reportOf(true))).not.toContain("NOT KEYED YET");
  });
});

test("a meter counts the processor time of a process and of what it started", async () => {
  const busy = "sh -c 'while :; do :; done' & wait";
  const shell = Bun.spawn(["sh", "-c", `${busy}`], { stdio: ["ignore", "ignore", "ignore"] });
  try {
    await Bun.sleep(100);
    const meter = new CpuMeter(shell.pid);
    const before = meter.read();
    await Bun.sleep(400);
    expect(meter.read() - before).toBeGreaterThan(20_000);
  } finally {
    Bun.spawnSync(["sh", "-c", `kill $(cat /proc/${shell.pid}/task/*/children) ${shell.pid}`]);
    await shell.exited;
  }
});

describe("the command", () => {
  const run = (...words: readonly string[]) =>
    Bun.spawnSync([process.execPath, "bench/e2e/run.ts", ...words], { cwd: root });

  test("refuses words that mean nothing", () => {
    for (const words of [["--onyl"], ["--only", "ping"], ["--workers", "0"]]) {
      const { exitCode, stderr } = run(...words);
      expect([exitCode, stderr.toString()]).toEqual([64, expect.stringContaining("bench:e2e")]);
    }
  });

  test("says what failed, and fails", () => {
    const { exitCode, stdout, stderr } = run("--quick", "--json", "--binary", "/bin/false");
    expect([exitCode, stdout.toString()]).toEqual([1, ""]);
    expect(stderr.toString()).toContain("beds db apply failed");
  });
});
