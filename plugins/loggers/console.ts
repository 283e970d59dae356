import * as v from "valibot";
import {
  definePlugin,
  type LogLevel,
  type LogRecord,
  type LogSink,
} from "../../core/contract/index.ts";

/**
 * Writes log records to standard error: for people on a terminal, with priorities for the journal
 * under systemd, as JSON lines for everything else. tslog carries the records; it is loaded when a
 * node logs, and not before, because short commands must start fast.
 */
export default definePlugin({
  contract: 1,
  kind: "logger",
  name: "console",
  summary: "standard error: pretty on a terminal, prioritised in the journal, JSON lines elsewhere",
  options: v.strictObject({
    format: v.optional(
      v.pipe(
        v.picklist(["auto", "pretty", "json", "journal"]),
        v.description("How records look; auto: pretty on a terminal, journal under systemd, json"),
      ),
      "auto",
    ),
    buffer_bytes: v.optional(
      v.pipe(
        v.number(),
        v.integer(),
        v.minValue(1024),
        v.maxValue(1_073_741_824),
        v.description(
          "What may wait while nobody reads; records beyond it are dropped and counted",
        ),
      ),
      4_194_304,
    ),
  }),
  example: '[plugins.options.console]\nformat = "json"',
  create: async ({ format, buffer_bytes: maxBytes }) => {
    const isTerminal = process.stderr.isTTY === true;
    const chosen = format === "auto" ? automaticFormat(process.env, isTerminal) : format;
    const hasColor = isTerminal && (process.env["NO_COLOR"] ?? "") === "";
    const output = new BufferedOutput(standardError, maxBytes, droppedLine(chosen));
    return await openSink(formatter(chosen, hasColor), output);
  },
});

export type ConsoleFormat = "pretty" | "json" | "journal";
type Format = (record: LogRecord) => string;

/** A shell below a desktop's service inherits JOURNAL_STREAM, so that a terminal counts first. */
export function automaticFormat(
  environment: Readonly<Record<string, string | undefined>>,
  isTerminal: boolean,
): ConsoleFormat {
  if (isTerminal) return "pretty";
  return (environment["JOURNAL_STREAM"] ?? "") === "" ? "json" : "journal";
}

/** One record as one line, without the line break. */
export function formatter(format: ConsoleFormat, hasColor: boolean): Format {
  if (format === "json") return jsonLine;
  if (format === "journal") return journalLine;
  return (record) => prettyLine(record, hasColor);
}

function jsonLine({ time, level, message, fields }: LogRecord): string {
  return JSON.stringify({ time: new Date(time).toISOString(), level, message, ...fields });
}

/** sd-daemon(3): the numbers of syslog's priorities. */
const priorities: Readonly<Record<LogLevel, number>> = { debug: 7, info: 6, warning: 4, error: 3 };

/** The journal knows the time and shows the level by itself. */
function journalLine({ level, message, fields }: LogRecord): string {
  return `<${priorities[level]}>${[message, ...pairs(fields)].join(" ")}`;
}

const levelColors: Readonly<Record<LogLevel, number>> = {
  debug: 2,
  info: 32,
  warning: 33,
  error: 31,
};

function prettyLine({ time, level, message, fields }: LogRecord, hasColor: boolean): string {
  const paint = (style: number, text: string): string => {
    return hasColor && text !== "" ? `\u001b[${style}m${text}\u001b[0m` : text;
  };
  const clock = new Date(time).toISOString().slice(11, 23);
  const name = level.padEnd(7);
  const details = pairs(fields).join(" ");
  const parts = [paint(2, clock), paint(levelColors[level], name), message, paint(2, details)];
  return parts.filter((part) => part !== "").join(" ");
}

/** Fields that the message of their record repeats. */
const said: ReadonlySet<string> = new Set([
  "kind",
  "step",
  "outcome",
  "template",
  "op",
  "worker",
  "change",
  "target",
  "instances",
  "health",
  "during",
  "detail",
]);

function pairs(fields: LogRecord["fields"]): string[] {
  return Object.entries(fields).flatMap(([name, value]) => {
    if (said.has(name)) return [];
    const isBare = typeof value !== "string" || /^[\w.:/@-]+$/.test(value);
    return [`${name}=${isBare ? value : `"${value.replaceAll('"', '\\"')}"`}`];
  });
}

/** tslog's own numbers for levels; the names stay ours. */
const levelIds: Readonly<Record<LogLevel, number>> = { debug: 2, info: 3, warning: 4, error: 5 };

/** A node that stops does not wait longer than this for somebody who reads its log. */
const closeMs = 1000;

/** Whoever read the log is gone: that is no reason for a node to end. Said once a process. */
function outliveReaders(): void {
  if (process.stderr.listenerCount("error") === 0) process.stderr.on("error", () => undefined);
}

async function openSink(format: Format, output: BufferedOutput): Promise<LogSink> {
  outliveReaders();
  const { Logger } = await import("tslog/slim");
  // "hidden" keeps tslog off standard output: the transport is the only way out.
  const logger = new Logger<LogRecord>({ type: "hidden", minLevel: 0 });
  logger.attachTransport({
    name: "standard error",
    format,
    write: (_record, line) => output.write(`${line}\n`),
    flush: () => output.drained(),
  });
  return {
    write: (record) => {
      logger.log(levelIds[record.level], record.level, record);
    },
    close: () => Promise.race([logger.flush(), Bun.sleep(closeMs)]),
  };
}

/** Takes a text and says when it has been written, or cannot be. Must not block. */
export type WriteText = (text: string, done: () => void) => void;

function standardError(text: string, done: () => void): void {
  process.stderr.write(text, () => done());
}

/** What stands in the log for the records that were dropped. */
function droppedLine(format: ConsoleFormat): (count: number) => string {
  return (count) => {
    const message = `${count} log records were dropped: nobody reads standard error fast enough`;
    return formatter(format, false)({ time: Date.now(), level: "warning", message, fields: {} });
  };
}

/**
 * Gathers the lines of one turn of the event loop into one write and has one write under way at a
 * time. While nobody reads, it keeps at most `maxBytes` and counts what it drops.
 */
export class BufferedOutput {
  readonly #write: WriteText;
  readonly #maxBytes: number;
  readonly #droppedLine: (count: number) => string;
  #lines: string[] = [];
  #bytes = 0;
  #dropped = 0;
  #isBusy = false;
  #waiting: (() => void)[] = [];

  constructor(write: WriteText, maxBytes: number, droppedLine: (count: number) => string) {
    this.#write = write;
    this.#maxBytes = maxBytes;
    this.#droppedLine = droppedLine;
  }

  write(line: string): void {
    const bytes = Buffer.byteLength(line);
    if (this.#bytes + bytes > this.#maxBytes) {
      this.#dropped++;
      return;
    }
    this.#lines.push(line);
    this.#bytes += bytes;
    if (this.#isBusy) return;
    this.#isBusy = true;
    setImmediate(() => this.#next());
  }

  /** Settles when everything that was written so far is out. */
  async drained(): Promise<void> {
    if (this.#isBusy) await new Promise<void>((done) => this.#waiting.push(done));
  }

  #next(): void {
    if (this.#dropped > 0) this.#lines.push(`${this.#droppedLine(this.#dropped)}\n`);
    this.#dropped = 0;
    const text = this.#lines.join("");
    this.#lines = [];
    if (text === "") {
      this.#isBusy = false;
      for (const done of this.#waiting.splice(0)) done();
      return;
    }
    // What is on its way counts as buffered until it is out.
    const bytes = this.#bytes;
    this.#write(text, () => {
      this.#bytes -= bytes;
      this.#next();
    });
  }
}
