import { join } from "node:path";

/** What a client is told: keep so many requests in flight for so long. */
export interface LoadOrder {
  readonly concurrency: number;
  readonly ms: number;
}

/** What a client found. Times in milliseconds. */
export interface LoadResult {
  readonly answers: number;
  readonly ms: number;
  readonly p50: number;
  readonly p99: number;
  /** Of the last message, in bytes. */
  readonly requestBytes: number;
  readonly answerBytes: number;
}

/** What a process of the benchmark says to the one that started it. */
export type Word =
  | { readonly kind: "ready" }
  | { readonly kind: "result"; readonly result: LoadResult }
  | { readonly kind: "replayed"; readonly replayed: boolean }
  | { readonly kind: "failed"; readonly reason: string };

/** What it is asked. */
export type Order =
  { readonly kind: "load"; readonly load: LoadOrder } | { readonly kind: "ask twice" };

/**
 * A process of the benchmark: a script of this folder, told what it is by one JSON argument, spoken
 * to over Bun's IPC. It ends when this process does, because its channel closes.
 */
export class Child {
  /** Resolves when the process is gone, with what is known of it. */
  readonly ended: Promise<string>;
  readonly #process: Bun.Subprocess;
  readonly #name: string;
  #waiting: PromiseWithResolvers<Word> | null = null;
  #ended = "";

  private constructor(script: string, settings: object) {
    this.#name = script;
    const { promise, resolve } = Promise.withResolvers<string>();
    this.ended = promise;
    this.#process = Bun.spawn(
      [process.execPath, join(import.meta.dir, script), JSON.stringify(settings)],
      {
        stdio: ["ignore", "inherit", "inherit"],
        ipc: (word: Word) => this.#waiting?.resolve(word),
        onExit: (_, code, signal) => {
          this.#ended = `${script} ended (${signal ?? `exit code ${code}`})`;
          this.#waiting?.reject(new Error(this.#ended));
          resolve(this.#ended);
        },
      },
    );
  }

  /** Starts the script and waits until it says that it is ready. */
  static async start(script: string, settings: object): Promise<Child> {
    const child = new Child(script, settings);
    await child.#hear("ready", 15_000, () => undefined);
    return child;
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Clients alone: loads the server and says what came of it. */
  async load(load: LoadOrder): Promise<LoadResult> {
    const order: Order = { kind: "load", load };
    const word = await this.#hear("result", load.ms + 15_000, () => this.#process.send(order));
    return word.result;
  }

  /**
   * Clients alone: sends one request twice, with one key. Out: whether the second answer was a
   * replay.
   */
  async askTwice(): Promise<boolean> {
    const order: Order = { kind: "ask twice" };
    return (await this.#hear("replayed", 15_000, () => this.#process.send(order))).replayed;
  }

  async stop(): Promise<void> {
    this.#process.kill("SIGTERM");
    const late = setTimeout(() => this.#process.kill("SIGKILL"), 5_000);
    await this.#process.exited;
    clearTimeout(late);
  }

  async #hear<K extends Word["kind"]>(
    kind: K,
    limitMs: number,
    ask: () => void,
  ): Promise<Extract<Word, { kind: K }>> {
    if (this.#ended !== "") throw new Error(this.#ended);
    const waiting = Promise.withResolvers<Word>();
    this.#waiting = waiting;
    const late = () => waiting.reject(new Error(`${this.#name} did not answer in ${limitMs} ms`));
    const timer = setTimeout(late, limitMs);
    try {
      ask();
      const word = await waiting.promise;
      if (isKind(word, kind)) return word;
      const reason = word.kind === "failed" ? word.reason : `unexpected word '${word.kind}'`;
      throw new Error(`${this.#name}: ${reason}`);
    } finally {
      clearTimeout(timer);
      this.#waiting = null;
    }
  }
}

function isKind<K extends Word["kind"]>(word: Word, kind: K): word is Extract<Word, { kind: K }> {
  return word.kind === kind;
}
