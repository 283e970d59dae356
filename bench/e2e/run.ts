import { availableParallelism, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { binary, build } from "../../config/stack/build.ts";
import { say } from "../../config/stack/say.ts";
import { startStack } from "../../config/stack/stack.ts";
import { compare } from "./compare.ts";
import { BenchDatabase } from "./database.ts";
import type { Figures, Report } from "./figures.ts";
import { jsonOf } from "./json.ts";
import type { Effort } from "./measure.ts";
import { Project } from "./project.ts";
import { deleteQueues } from "./queues.ts";
import { type ScenarioName, scenarioNames, scenarios } from "./scenario.ts";
import { tableOf } from "./table.ts";

const usage = `npm run bench:e2e -- [--quick] [--json] [--only <scenario>] [--workers <n>] [--binary <file>]

The compiled program against a plain service on the same servers: separate client and server
processes, interleaved rounds, medians. Every ratio is BEDS to baseline.

  --quick         about half a minute instead of two
  --json          one JSON object on stdout instead of a table
  --only <name>   ${scenarioNames.join(", ")}; may be repeated
  --workers <n>   workers of the node; 1, which is fair to a baseline of one process
  --binary <file> measure this program instead of building dist/beds
`;

const thorough: Effort = { rounds: 11, sampleMs: 1000, warmUpMs: 700 };
const quick: Effort = { rounds: 4, sampleMs: 400, warmUpMs: 300 };

process.exitCode = await main(process.argv.slice(2));

/** Out: the exit code, by sysexits. */
async function main(words: readonly string[]): Promise<number> {
  const options = readOptions(words);
  if (options === undefined) {
    say(usage);
    return 64;
  }
  if (options.help) {
    console.log(usage);
    return 0;
  }
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"]) {
    process.on(name, () => stop.abort(new Error("interrupted")));
  }
  try {
    const report = await measureAll(options, stop.signal);
    console.log(options.json ? jsonOf(report) : tableOf(report));
    return 0;
  } catch (thrown) {
    say(`bench:e2e: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    return 1;
  }
}

/** Starts whatever is not there, measures, and leaves nothing behind. */
async function measureAll(options: Options, signal: AbortSignal): Promise<Report> {
  if (process.env["BEDS_STACK"] === "external") {
    throw new Error("it needs the private servers of config/stack, whose processes it measures");
  }
  await using stack = new AsyncDisposableStack();
  const local = await startStack({ report: say });
  stack.defer(() => local.stop());
  if (options.binary === undefined) await build(say);
  signal.throwIfAborted();
  await deleteQueues();
  stack.defer(deleteQueues);
  const database = stack.use(await BenchDatabase.create());
  const { workers, only } = options;
  const project = stack.use(await Project.create(options.binary ?? binary, workers, database));
  await database.seed();
  const effort = options.quick ? quick : thorough;
  const figures: Figures[] = [];
  let keyed: boolean | null = null;
  const load = loadavg()[0] ?? 0;
  const around = { servers: local.servers, database, project, effort, signal };
  for (const name of only) {
    say(`bench:e2e: ${name}, ${effort.rounds} rounds`);
    const compared = await compare(scenarios[name], around);
    figures.push(...compared.figures);
    keyed ??= compared.keyed;
  }
  const machine = { cores: availableParallelism(), load };
  return { workers, rounds: effort.rounds, machine, figures, keyed, scenarios: only };
}

interface Options {
  readonly quick: boolean;
  readonly json: boolean;
  readonly help: boolean;
  readonly only: readonly ScenarioName[];
  readonly workers: number;
  /** Undefined: dist/beds, built first. */
  readonly binary: string | undefined;
}

/** Undefined for words that mean nothing here. */
function readOptions(words: readonly string[]): Options | undefined {
  const flag = { type: "boolean", default: false } as const;
  const text = { type: "string" } as const;
  const known = {
    quick: flag,
    json: flag,
    help: flag,
    only: { ...text, multiple: true } as const,
    workers: { ...text, default: "1" },
    binary: text,
  };
  try {
    const { values } = parseArgs({ args: [...words], options: known });
    const asked: readonly string[] = values.only ?? scenarioNames;
    const only = scenarioNames.filter((name) => asked.includes(name));
    const workers = Number(values.workers);
    const isSound = asked.every((word) => only.some((name) => name === word));
    if (!isSound || !Number.isInteger(workers) || workers < 1 || workers > 8) return undefined;
    return { ...values, only, workers, binary: values.binary };
  } catch {
    return undefined;
  }
}
