import { isatty } from "node:tty";
import { formatTable, type Table } from "./table.ts";

export interface OutputSettings {
  readonly json: boolean;
  /** From `--no-color`. */
  readonly noColor: boolean;
  /** From `--no-input`. */
  readonly noInput: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * Where a command speaks: data on standard output, everything else on standard error. A reader that
 * has gone away (`beds list ops | head -1`) is no error.
 *
 * The writers are Bun's own because `process.stdout` alone takes longer to load than the rest of a
 * small command.
 */
export class Output {
  /** Whether one JSON document is wanted on standard output instead of text. */
  readonly json: boolean;
  readonly #settings: OutputSettings;
  readonly #data = Bun.stdout.writer();
  readonly #messages = Bun.stderr.writer();

  constructor(settings: OutputSettings) {
    this.json = settings.json;
    this.#settings = settings;
  }

  /** Whether standard output is a terminal. */
  get isTerminal(): boolean {
    return isatty(1);
  }

  /** Whether a person reads the messages, so that progress may be shown. */
  get isWatched(): boolean {
    return isatty(2);
  }

  /** Whether a person can be asked. */
  get canAsk(): boolean {
    return !this.#settings.noInput && isatty(0) && isatty(2);
  }

  get colorsData(): boolean {
    return this.#wantsColor && isatty(1);
  }

  get colorsMessages(): boolean {
    return this.#wantsColor && isatty(2);
  }

  /** Data for people or for the next program in the pipe; a line end is added. */
  data(text: string): void {
    this.#data.write(`${text}\n`);
  }

  /** The one JSON document of `--json`. */
  document(value: unknown): void {
    this.data(JSON.stringify(value, null, 2));
  }

  /** A message for people; it appears at once, below the data that were written before it. */
  say(text: string): void {
    void send(this.#data);
    this.#messages.write(`${text}\n`);
    void send(this.#messages);
  }

  /** Text that stays on its line, for progress. */
  show(text: string): void {
    this.#messages.write(text);
    void send(this.#messages);
  }

  /**
   * A table as data. On a terminal long cells are cut; elsewhere only those that `printable` finds
   * endless.
   */
  table(table: Table): void {
    this.data(formatTable(table, this.isTerminal ? longestShownCell : Infinity));
  }

  /** Sends what is buffered; called while a long command has shown something worth reading. */
  async flush(): Promise<void> {
    await send(this.#data);
    await send(this.#messages);
  }

  get #wantsColor(): boolean {
    const { environment, noColor } = this.#settings;
    const asked = environment["NO_COLOR"];
    return !noColor && (asked === undefined || asked === "") && environment["TERM"] !== "dumb";
  }
}

/** Wide enough for an event id, so that what a person copies is whole. */
const longestShownCell = 64;

/** Sends what is buffered; a reader that is gone wants nothing more. */
async function send(sink: Bun.FileSink): Promise<void> {
  try {
    await sink.flush();
  } catch (thrown) {
    if (!isGone(thrown)) throw thrown;
  }
}

function isGone(thrown: unknown): boolean {
  return thrown instanceof Error && "code" in thrown && thrown.code === "EPIPE";
}
