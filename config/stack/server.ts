/**
 * The life of one private server, the same for all: find or install, make data, start, wait until
 * it really answers, set up accounts, stop, kill. What differs is a `Recipe`.
 */
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HOST, type Layout } from "./layout.ts";
import { DataUnusable, messageOf, ServerEnded, StackError } from "./failure.ts";
import { withLock } from "./lock.ts";
import { isListening, requireFreePort } from "./port.ts";
import {
  type Command,
  isAlive,
  launchDetached,
  logTail,
  type Mark,
  markedProcess,
  sendSignal,
  serverProcesses,
} from "./process.ts";
import { stopwatch, waitUntil } from "./wait.ts";

export type ServerName = "rabbitmq" | "mariadb" | "mariadb-secondary" | "mongodb";

export interface LocalServer {
  readonly name: ServerName;
  readonly port: number;
  /** Installs if needed, makes data, starts, and waits until it really answers. */
  start(): Promise<void>;
  /** Ends it cleanly; returns when no process is left. */
  stop(): Promise<void>;
  /** SIGKILL to the server's processes, for fault tests; `start` brings it back. */
  kill(): void;
  /** The process id of the running server, or null. */
  pid(): number | null;
  /** Whether the accounts can log in and be served, by a real handshake. */
  ready(): Promise<boolean>;
}

/** What one kind of server adds to the common life cycle. */
export interface Recipe {
  readonly name: ServerName;
  /** For progress lines: "mariadb primary". */
  readonly label: string;
  readonly port: number;
  /** Ports besides `port` that must be free before it starts. */
  readonly otherPorts: readonly number[];
  /** Tells the server's command line from its helpers'. */
  readonly program: RegExp;
  /** Finds or installs the programs; first, and without a lock on anything. */
  install(): Promise<void>;
  /** Fills the empty data folder. Called only when there is no complete one. */
  makeData(folder: string): Promise<void>;
  /** Whether complete data are still of use; without it they always are. */
  isCurrent?(folder: string): boolean;
  /** Writes the configuration and says how to start. */
  command(folder: string): Promise<Command>;
  /** Accounts, databases, replication on a server that listens; may be repeated. */
  provision(): Promise<void>;
  ready(): Promise<boolean>;
  /** Ends helpers that outlive the server. */
  afterStop?(): Promise<void>;
}

const START_LIMIT_MS = 90_000;
const ANSWER_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 30_000;
const KILL_LIMIT_MS = 10_000;

/** Written into a data folder when it is whole; a folder without it is made anew. */
export const COMPLETE = ".beds-complete";

export class ManagedServer implements LocalServer {
  readonly name: ServerName;
  readonly port: number;
  readonly #layout: Layout;
  readonly #recipe: Recipe;
  readonly #report: (line: string) => void;
  readonly #mark: Mark;

  constructor(layout: Layout, recipe: Recipe, report: (line: string) => void) {
    this.name = recipe.name;
    this.port = recipe.port;
    this.#layout = layout;
    this.#recipe = recipe;
    this.#report = report;
    this.#mark = { home: layout.home, server: recipe.name, program: recipe.program };
  }

  async start(): Promise<void> {
    await withLock(this.#layout, this.#report, () => this.bringUp());
  }

  async stop(): Promise<void> {
    await withLock(this.#layout, this.#report, () => this.bringDown());
  }

  kill(): void {
    const main = this.pid();
    if (main !== null) sendSignal(main, "SIGKILL");
    for (const pid of serverProcesses(this.#mark)) sendSignal(pid, "SIGKILL");
  }

  pid(): number | null {
    return markedProcess(this.#mark, this.#pidFile);
  }

  async ready(): Promise<boolean> {
    return this.pid() !== null && (await this.#recipe.ready());
  }

  /** `start` for who holds the lock already. True when it was not running before. */
  async bringUp(): Promise<boolean> {
    const clock = stopwatch();
    const { label, port } = this.#recipe;
    if (await this.#isServing()) {
      this.#report(`stack: ${label} already up on ${HOST}:${port} (${clock()})`);
      return false;
    }
    await this.#recipe.install();
    const whole = this.#isWhole();
    try {
      await this.#launch();
    } catch (cause) {
      const damaged = cause instanceof ServerEnded || cause instanceof DataUnusable;
      if (!whole || !damaged) throw cause;
      this.#report(`stack: ${cause.message.split("\n", 1).join()}`);
      await this.#launchAnew();
    }
    this.#report(`stack: ${label} up on ${HOST}:${port} (${clock()})`);
    return true;
  }

  /** `stop` for who holds the lock already. */
  async bringDown(): Promise<void> {
    const clock = stopwatch();
    const pid = this.pid();
    if (pid !== null) {
      sendSignal(pid, "SIGTERM");
      sendSignal(pid, "SIGCONT");
      if (!(await waitUntil(() => !isAlive(pid), STOP_LIMIT_MS))) {
        this.#report(`stack: ${this.#recipe.label} does not stop within 30 s; killing it`);
      }
    }
    await this.#endStrays();
    await this.#recipe.afterStop?.();
    rmSync(this.#pidFile, { force: true });
    if (pid !== null) this.#report(`stack: ${this.#recipe.label} stopped (${clock()})`);
  }

  /** A server of ours runs and serves; missing accounts are made again, a hung one is ended. */
  async #isServing(): Promise<boolean> {
    const pid = this.pid();
    if (pid === null) return false;
    // A test may have stopped it with SIGSTOP.
    sendSignal(pid, "SIGCONT");
    if (!this.#isWhole()) {
      await this.bringDown();
      return false;
    }
    if (await this.#recipe.ready()) return true;
    if (await waitUntil(() => this.pid() === null || isListening(this.port), ANSWER_LIMIT_MS)) {
      if (this.pid() === null) return false;
      try {
        await this.#settle();
        return true;
      } catch (cause) {
        this.#report(`stack: ${this.#recipe.label} is restarted: ${messageOf(cause)}`);
        await this.bringDown();
        if (cause instanceof DataUnusable) this.#setDataAside();
        return false;
      }
    }
    await this.bringDown();
    return false;
  }

  /** Makes the data if there is no whole folder, starts the process and waits until it serves. */
  async #launch(): Promise<void> {
    const { label, port, otherPorts } = this.#recipe;
    await this.#endStrays();
    for (const needed of [port, ...otherPorts]) {
      await requireFreePort(needed, label, this.#report);
    }
    await this.#completeData();
    const command = await this.#recipe.command(this.#dataFolder);
    const pid = launchDetached(this.#mark, command, this.#log, this.#pidFile);
    const up = await waitUntil(() => !isAlive(pid) || isListening(port), START_LIMIT_MS);
    if (!isAlive(pid)) {
      throw new ServerEnded(`${label} ended while starting (${this.#log}):\n${logTail(this.#log)}`);
    }
    if (!up) {
      throw new StackError(`${label} does not listen on ${port} after 90 s; see ${this.#log}`);
    }
    await this.#settle();
    writeFileSync(join(this.#dataFolder, COMPLETE), "");
  }

  /** Accounts, then the proof that they work. */
  async #settle(): Promise<void> {
    const { label } = this.#recipe;
    let failure = "its accounts cannot log in";
    const served = await waitUntil(async () => {
      if (this.pid() === null) {
        throw new ServerEnded(
          `${label} ended while starting (${this.#log}):\n${logTail(this.#log)}`,
        );
      }
      try {
        await this.#recipe.provision();
        return await waitUntil(() => this.#recipe.ready(), 2000);
      } catch (cause) {
        if (cause instanceof DataUnusable) throw cause;
        failure = messageOf(cause);
        return false;
      }
    }, ANSWER_LIMIT_MS);
    if (!served) {
      throw new StackError(`${label} listens but does not serve: ${failure}; see ${this.#log}`);
    }
  }

  #isWhole(): boolean {
    const folder = this.#dataFolder;
    return existsSync(join(folder, COMPLETE)) && (this.#recipe.isCurrent?.(folder) ?? true);
  }

  /** Removes a data folder that was never finished and fills a new one. */
  async #completeData(): Promise<void> {
    if (this.#isWhole()) return;
    rmSync(this.#dataFolder, { recursive: true, force: true });
    mkdirSync(this.#dataFolder, { recursive: true, mode: 0o700 });
    await this.#recipe.makeData(this.#dataFolder);
  }

  /**
   * The server cannot work with data that were whole once: somebody damaged them. They are kept
   * aside and put back if a start on new data fails as well.
   */
  async #launchAnew(): Promise<void> {
    await this.#endStrays();
    const aside = this.#setDataAside();
    try {
      await this.#launch();
    } catch (cause) {
      await this.#endStrays();
      rmSync(this.#dataFolder, { recursive: true, force: true });
      renameSync(aside, this.#dataFolder);
      throw cause;
    }
  }

  /** Moves the data where they can be looked at, one generation a server; returns the place. */
  #setDataAside(): string {
    const folder = join(this.#layout.home, "broken");
    const aside = join(folder, this.name);
    this.#report(`stack: ${this.#recipe.label} cannot use its data; kept in ${aside}, made anew`);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    rmSync(aside, { recursive: true, force: true });
    renameSync(this.#dataFolder, aside);
    return aside;
  }

  /** Ends what is left of a server that does not run, so that data and ports are free. */
  async #endStrays(): Promise<void> {
    const left = (): readonly number[] => serverProcesses(this.#mark);
    for (const pid of left()) sendSignal(pid, "SIGKILL");
    if (!(await waitUntil(() => left().length === 0, KILL_LIMIT_MS))) {
      throw new StackError(`${this.#recipe.label}: process ${left().join(", ")} cannot be ended`);
    }
  }

  get #dataFolder(): string {
    return join(this.#layout.home, "data", this.name);
  }

  get #pidFile(): string {
    return join(this.#layout.home, "run", `${this.name}.pid`);
  }

  get #log(): string {
    return join(this.#layout.home, "logs", `${this.name}.log`);
  }
}
