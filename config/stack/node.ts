import { say } from "./say.ts";

/** A running node: the compiled program with `run`, its log passed through to this terminal. */
export class Node {
  readonly #process: Bun.Subprocess<"ignore", "inherit", "pipe">;
  /** Milliseconds from exec to the log line that says ready. */
  readonly readyMs: number;

  private constructor(process: Bun.Subprocess<"ignore", "inherit", "pipe">, readyMs: number) {
    this.#process = process;
    this.readyMs = readyMs;
  }

  get pid(): number {
    return this.#process.pid;
  }

  get exited(): Promise<number> {
    return this.#process.exited;
  }

  /**
   * Starts a node in `folder` and waits until its log says that it is ready. `log` gets every line.
   * Errors: the node ended before, or was not ready within 60 s; its last lines are the message.
   */
  static async start(
    binary: string,
    folder: string,
    signal: AbortSignal,
    log: (line: string) => void = say,
    words: readonly string[] = [],
  ): Promise<Node> {
    const started = performance.now();
    const process = Bun.spawn([binary, "run", ...words], {
      cwd: folder,
      stdio: ["ignore", "inherit", "pipe"],
    });
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const tail: string[] = [];
    const late = setTimeout(() => reject(new Error("it was not ready within 60 s")), 60_000);
    signal.addEventListener("abort", () => reject(new Error("interrupted")));
    const hear = (line: string) => {
      tail.push(line);
      if (tail.length > 20) tail.shift();
      log(line);
      if (/\bnode (ready|degraded)\b/.test(line)) resolve(performance.now() - started);
    };
    eachLine(process.stderr, hear).then(() => reject(new Error("it ended before it was ready")));
    try {
      return new Node(process, await promise);
    } catch (thrown) {
      process.kill("SIGKILL");
      throw new Error(`the node did not start: ${String(thrown)}\n${tail.join("\n")}`);
    } finally {
      clearTimeout(late);
    }
  }

  /**
   * Asks the node to drain, waits for its end, and ends it by force after 30 s. Out: its exit code.
   */
  async stop(): Promise<number> {
    this.#process.kill("SIGTERM");
    const late = setTimeout(() => this.#process.kill("SIGKILL"), 30_000);
    const code = await this.#process.exited;
    clearTimeout(late);
    return code;
  }
}

async function eachLine(
  stream: ReadableStream<Uint8Array>,
  take: (line: string) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) take(line);
  }
  if (rest !== "") take(rest);
}
