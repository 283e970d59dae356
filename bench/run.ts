import { join } from "node:path";
import { parseArgs } from "node:util";
import * as v from "valibot";
import { say } from "../config/stack/say.ts";
import { createDispatch, stageNames } from "./dispatch.ts";
import { baselineSchema, judge, mostOfWhole, toBaseline, type Verdict } from "./gate.ts";
import { type Effort, type Measurement, measureDispatch } from "./measure.ts";

const usage = `bun bench/run.ts [--gate | --record] [--quick] [--json]

Measures what a message costs in process, each stage as a ratio to JSON.parse and JSON.stringify
of the same message in the same run.

  --gate    exit 1 when a ratio has grown by more than the tolerance in bench/baseline.json, or
            when the whole dispatch is above ${mostOfWhole.toFixed(1)}
  --record  write bench/baseline.json
  --quick   fewer and shorter rounds
  --json    print JSON instead of a table

BEDS_BENCH_SLOWDOWN=<${stageNames.join("|")}> slows a stage down on purpose.
`;

/**
 * A neighbour on the machine can spoil a measurement; what is really slower is slower each time.
 */
const furtherLooks = 3;

const baselinePath = join(import.meta.dir, "baseline.json");
const thorough: Effort = { rounds: 25, sampleMs: 12 };
const quick: Effort = { rounds: 13, sampleMs: 6 };

process.exitCode = await main(process.argv.slice(2));

/** Out: the exit code, by sysexits. */
async function main(words: readonly string[]): Promise<number> {
  const options = readOptions(words);
  const slowdown = process.env["BEDS_BENCH_SLOWDOWN"] ?? "";
  if (options === undefined || !["", ...stageNames].includes(slowdown)) {
    say(usage);
    return 64;
  }
  if (options.help) {
    console.log(usage);
    return 0;
  }
  const dispatch = createDispatch(slowdown);
  const effort = options.quick ? quick : thorough;
  const measured = await measureDispatch(dispatch, effort);
  if (options.record) {
    const recorded = `Bun ${Bun.version}, ${process.platform} ${process.arch}`;
    await Bun.write(baselinePath, `${JSON.stringify(toBaseline(measured, recorded), null, 2)}\n`);
  }
  const baseline = v.parse(baselineSchema, await Bun.file(baselinePath).json());
  let verdicts = judge(measured, baseline);
  for (let look = 0; options.gate && look < furtherLooks; look++) {
    const slow = verdicts.filter(({ passes }) => !passes).map(({ name }) => name);
    if (slow.length === 0) break;
    const again = judge(await measureDispatch(dispatch, effort, slow), baseline);
    verdicts = verdicts.map(
      (verdict) => again.find(({ name }) => name === verdict.name) ?? verdict,
    );
  }
  if (options.json) {
    const { calibrationNs } = measured;
    console.log(
      JSON.stringify({ bytes: dispatch.bytes, calibrationNs, stages: verdicts }, null, 2),
    );
  } else {
    console.log(tableOf(measured, verdicts, dispatch.bytes));
  }
  return options.gate && verdicts.some(({ passes }) => !passes) ? 1 : 0;
}

interface Options {
  readonly gate: boolean;
  readonly record: boolean;
  readonly quick: boolean;
  readonly json: boolean;
  readonly help: boolean;
}

/** Undefined for words that mean nothing here. */
function readOptions(words: readonly string[]): Options | undefined {
  const flag = { type: "boolean", default: false } as const;
  const options = { gate: flag, record: flag, quick: flag, json: flag, help: flag };
  try {
    return parseArgs({ args: [...words], options }).values;
  } catch {
    return undefined;
  }
}

function tableOf(
  { calibrationNs }: Measurement,
  verdicts: readonly Verdict[],
  bytes: number,
): string {
  const rows = verdicts.map(({ name, ns, ratio, baseline, most, passes }) => [
    name,
    ns.toFixed(0),
    ratio.toFixed(2),
    baseline?.toFixed(2) ?? "-",
    most.toFixed(2),
    passes ? "ok" : baseline === undefined ? "NOT RECORDED" : "TOO SLOW",
  ]);
  const table = [["stage", "ns", "ratio", "baseline", "at most", "verdict"], ...rows];
  const widths = [26, 8, 8, 10, 9, 0];
  const lines = table.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(26) : cell.padStart(widths[column] ?? 0)))
      .map((cell, column) => (column === 5 ? `  ${cell}` : cell))
      .join(""),
  );
  const head = `one operation is one message of ${bytes} bytes; 1.00 is JSON.parse and`;
  return `${head} JSON.stringify of it: ${calibrationNs.toFixed(0)} ns\n\n${lines.join("\n")}`;
}
