import { constants } from "node:os";

/** What a command printed, both streams as they came, and how it ended. */
export interface Ended {
  readonly output: string;
  readonly code: number;
}

/** Cannot be part of what a command prints. */
const mark = "\u0001";

/** How long a command of a page may take, in milliseconds. */
const patienceMs = 60_000;

/** A person's shell: what one command changes (folder, variables) the next one finds. */
export class Terminal implements AsyncDisposable {
  readonly #shell: Bun.Subprocess<"pipe", "pipe", "inherit">;
  readonly #output: AsyncIterator<string>;
  #seen = "";
  #running: number | null = null;

  /** Opens a shell in `folder`, with an environment of nothing but a path and a home. */
  constructor(folder: string) {
    const env = { PATH: "/usr/bin:/bin", HOME: folder, LC_ALL: "C.UTF-8" };
    this.#shell = Bun.spawn(["bash", "--norc", "--noprofile"], {
      cwd: folder,
      env,
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#output = textOf(this.#shell.stdout)[Symbol.asyncIterator]();
    this.#type("exec 2>&1");
  }

  /** Runs a command to its end. */
  async run(command: string): Promise<Ended> {
    this.#type(`{ ${command}\n} < /dev/null\nprintf '${mark}%d${mark}' $?`);
    return await this.#end();
  }

  /** Starts a command that keeps running, and waits until it has printed `text`. */
  async start(command: string, text: string): Promise<void> {
    this.#type(`${command} < /dev/null &\nprintf '${mark}%d${mark}' $!`);
    this.#running = await this.#number();
    this.#type(`wait $!\nprintf '${mark}%d${mark}' $?`);
    while (!this.#seen.includes(text)) await this.#more();
  }

  /** Tells what `start` has started to end, as Ctrl-C or a supervisor does. */
  async stop(): Promise<Ended> {
    if (this.#running === null) throw new Error("nothing is running");
    process.kill(this.#running, constants.signals.SIGTERM);
    this.#running = null;
    return await this.#end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#running !== null) await this.stop();
    this.#shell.kill();
    await this.#shell.exited;
  }

  #type(line: string): void {
    this.#shell.stdin.write(`${line}\n`);
    this.#shell.stdin.flush();
  }

  async #end(): Promise<Ended> {
    while (!/\u0001\d+\u0001/.test(this.#seen)) await this.#more();
    const [output = "", code = ""] = this.#seen.split(mark);
    this.#seen = this.#seen.slice(output.length + code.length + 2);
    return { output, code: Number(code) };
  }

  /** A number that stands alone; what else was printed before it stays. */
  async #number(): Promise<number> {
    const { output, code } = await this.#end();
    this.#seen = output + this.#seen;
    return code;
  }

  async #more(): Promise<void> {
    const late = Bun.sleep(patienceMs).then(() => {
      throw new Error(`nothing more came within ${patienceMs} ms after:\n${this.#seen}`);
    });
    const next = await Promise.race([this.#output.next(), late]);
    if (next.done === true) throw new Error(`the shell ended after:\n${this.#seen}`);
    this.#seen += next.value;
  }
}

async function* textOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  for await (const chunk of stream) yield decoder.decode(chunk, { stream: true });
}
