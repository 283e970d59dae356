import { describe, expect, test } from "bun:test";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LogRecord } from "../../../core/contract/logger.ts";
import plugin, {
  automaticFormat,
  BufferedOutput,
  formatter,
} from "../../../plugins/loggers/console.ts";

const script = join(import.meta.dir, "console-process.ts");

const record: LogRecord = {
  time: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
  level: "error",
  message: "drift check: it differs",
  fields: { kind: "problem", code: "BEDS-T014", depth: 0, hint: 'run "beds db plan"', detail: "x" },
};

describe("formats", () => {
  test("json", () => {
    expect(formatter("json", true)(record)).toBe(
      '{"time":"2026-01-02T03:04:05.678Z","level":"error","message":"drift check: it differs",' +
        '"kind":"problem","code":"BEDS-T014","depth":0,"hint":"run \\"beds db plan\\"","detail":"x"}',
    );
  });

  test("journal", () => {
    const rest = 'drift check: it differs code=BEDS-T014 depth=0 hint="run \\"beds db plan\\""';
    const line = formatter("journal", true);
    expect(line(record)).toBe(`<3>${rest}`);
    const priorities = (["debug", "info", "warning", "error"] as const).map((level) => {
      return line({ ...record, level }).slice(0, 3);
    });
    expect(priorities).toEqual(["<7>", "<6>", "<4>", "<3>"]);
  });

  test("pretty", () => {
    const text =
      '03:04:05.678 error   drift check: it differs code=BEDS-T014 depth=0 hint="run \\"beds db plan\\""';
    expect(formatter("pretty", false)(record)).toBe(text);
    const colored = formatter("pretty", true)(record);
    expect(colored).toContain("\u001b[31merror  \u001b[0m drift check");
    expect(colored.replaceAll(/\u001b\[\d+m/g, "")).toBe(text);
  });

  test("auto", () => {
    expect(automaticFormat({}, true)).toBe("pretty");
    expect(automaticFormat({ JOURNAL_STREAM: "8:1" }, true)).toBe("pretty");
    expect(automaticFormat({ JOURNAL_STREAM: "8:1" }, false)).toBe("journal");
    expect(automaticFormat({ JOURNAL_STREAM: "" }, false)).toBe("json");
    expect(automaticFormat({}, false)).toBe("json");
  });
});

describe("BufferedOutput", () => {
  test("writes the lines of one turn at once, and one write at a time", async () => {
    const out = new Recorder();
    const output = new BufferedOutput(out.write, 1000, String);
    output.write("a\n");
    output.write("b\n");
    expect(out.texts).toEqual([]);
    await turn();
    expect(out.texts).toEqual(["a\nb\n"]);
    output.write("c\n");
    output.write("d\n");
    await turn();
    expect(out.texts.length).toBe(1);
    out.finish();
    expect(out.texts).toEqual(["a\nb\n", "c\nd\n"]);
  });

  test("drops what nobody reads, and says how much", async () => {
    const out = new Recorder();
    const output = new BufferedOutput(out.write, 6, (count) => `${count} dropped`);
    output.write("aa\n");
    await turn();
    for (const line of ["bb\n", "cc\n", "dd\n"]) output.write(line);
    out.finish();
    expect(out.texts).toEqual(["aa\n", "bb\n2 dropped\n"]);
    out.finish();
    output.write("ee\n");
    await turn();
    expect(out.texts.at(-1)).toBe("ee\n");
  });

  test("drained waits for the write that is under way", async () => {
    const out = new Recorder();
    const output = new BufferedOutput(out.write, 1000, String);
    await output.drained();
    output.write("a\n");
    let isDrained = false;
    const drained = output.drained().then(() => (isDrained = true));
    await turn();
    expect(isDrained).toBe(false);
    out.finish();
    await drained;
  });
});

describe("a process that logs", () => {
  test("writes JSON lines to standard error, all of them before close ends", async () => {
    const { lines } = await run(["{}", "500"], {});
    expect(lines.length).toBe(500);
    expect(JSON.parse(lines[499] ?? "")).toEqual({
      time: "2023-11-14T22:13:20.123Z",
      level: "warning",
      message: "record 499",
      queue: "q",
      ms: 499,
      detail: "said",
    });
  });

  test("writes priorities for the journal", async () => {
    const { lines } = await run(["{}"], { JOURNAL_STREAM: "8:1" });
    expect(lines).toEqual(["<4>record 0 queue=q ms=0"]);
  });

  test("is neither blocked nor kept by a reader that does not read", async () => {
    const said = join(await mkdtemp(join(tmpdir(), "beds-console-")), "said.json");
    // Bun itself would read a pipe ahead, so that the reader is one that certainly does not.
    const line = `"$0" "$1" '{"format":"json","buffer_bytes":100000}' 20000 2>&1 >"$2" | sleep 3`;
    const started = Bun.spawn(["sh", "-c", line, process.execPath, script, said]);
    expect(await started.exited).toBe(0);
    const { writeMs, closeMs } = await Bun.file(said).json();
    expect(writeMs).toBeLessThan(2500);
    expect(closeMs).toBeGreaterThan(900);
    expect(closeMs).toBeLessThan(2000);
  });

  test("survives a reader that goes away", async () => {
    const started = start(["{}", "2000"], {});
    await started.stderr.cancel();
    expect(await started.exited).toBe(0);
  });
});

test("options are checked by the plugin's own schema", async () => {
  expect(plugin.create({ format: "xml" })).rejects.toThrow("a plugin's options are wrong");
  expect(plugin.create({ colour: true })).rejects.toThrow("a plugin's options are wrong");
});

class Recorder {
  readonly texts: string[] = [];
  #done: (() => void) | undefined;

  readonly write = (text: string, done: () => void): void => {
    this.texts.push(text);
    this.#done = done;
  };

  finish(): void {
    this.#done?.();
  }
}

function turn(): Promise<void> {
  return new Promise((done) => setImmediate(done));
}

function start(args: readonly string[], environment: Readonly<Record<string, string>>) {
  const { JOURNAL_STREAM: _, ...own } = process.env;
  return Bun.spawn([process.execPath, script, ...args], {
    env: { ...own, ...environment },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
}

async function run(args: readonly string[], environment: Readonly<Record<string, string>>) {
  const started = start(args, environment);
  const text = await new Response(started.stderr).text();
  expect(await started.exited).toBe(0);
  return { lines: text.trimEnd().split("\n") };
}
