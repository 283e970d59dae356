import { BedsError } from "../contract/errors.ts";
import type { Health, Observe, WorkerObserved } from "../contract/events.ts";
import type { FromWorker } from "./protocol.ts";
import { type BudgetLimits, RestartBudget } from "./restart-budget.ts";
import type { StartWorker, WorkerProcess } from "./worker-process.ts";

export interface SupervisorParts {
  /** How many worker processes to keep. */
  readonly workers: number;
  readonly start: StartWorker;
  readonly budget: BudgetLimits;
  /**
   * A worker that has not given a sign of life for so long has a blocked event loop and is killed.
   */
  readonly hangMs: number;
  /** A worker that has not drained after so long is killed. */
  readonly drainMs: number;
  readonly now: () => number;
  readonly observe: Observe;
}

/** Why the node never became ready, and the exit code that says so. */
export interface StartFailure {
  readonly exitCode: number;
  readonly error: BedsError;
}

/** Looks in a row without a sign of life after which a worker counts as hanging. */
const looksBeforeKill = 5;

/** One place for a worker process; the process in it changes, the place stays. */
interface Seat {
  readonly index: number;
  process: WorkerProcess | null;
  /** Looks of the parent since the last sign of life. */
  silentLooks: number;
  ready: boolean;
  lacks: readonly string[];
  unfinished: number;
}

/**
 * The parent's work: keeps the worker processes running, replaces those that die or hang, and
 * drains them at the end. It holds no driver and no connection of its own.
 */
export class Supervisor {
  readonly #parts: SupervisorParts;
  readonly #seats: readonly Seat[];
  readonly #budget: RestartBudget;
  readonly #started = Promise.withResolvers<StartFailure | null>();
  readonly #watch: ReturnType<typeof setInterval>;
  readonly #drainBegan = Promise.withResolvers<void>();
  #keepers: readonly Promise<void>[] = [];
  #everReady = false;
  #draining = false;
  #health: Health = "starting";

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
    this.#budget = new RestartBudget(parts.budget, parts.now);
    this.#seats = Array.from({ length: parts.workers }, (_, index) => emptySeat(index));
    this.#watch = setInterval(() => this.#killHanging(), parts.hangMs / looksBeforeKill);
  }

  /**
   * Starts all workers. Out: null once each of them consumes, or why the node never became ready.
   */
  start(): Promise<StartFailure | null> {
    this.#keepers = this.#seats.map((seat) => this.#keep(seat));
    return this.#started.promise;
  }

  /**
   * Lets every worker finish what it has begun and end. Out: how many messages were left
   * unfinished, which RabbitMQ delivers again elsewhere. A second call waits for the first.
   */
  async drain(): Promise<number> {
    if (!this.#draining) {
      this.#beginDrain();
      this.#turn("draining", "");
      for (const seat of this.#seats) seat.process?.send({ type: "drain" });
    }
    const late = setTimeout(() => this.#killAll("it did not drain in time"), this.#parts.drainMs);
    await Promise.all(this.#keepers);
    clearTimeout(late);
    clearInterval(this.#watch);
    this.#turn("stopped", "");
    return this.#seats.reduce((sum, seat) => sum + seat.unfinished, 0);
  }

  /** Ends every worker at once, for a second Ctrl-C and for a node that never became ready. */
  kill(): void {
    this.#beginDrain();
    this.#killAll("the node is stopped at once");
  }

  #beginDrain(): void {
    this.#draining = true;
    this.#drainBegan.resolve();
  }

  /** Keeps one seat taken until the node drains. */
  async #keep(seat: Seat): Promise<void> {
    for (let first = true; !this.#draining; first = false) {
      const process = this.#parts.start(seat.index, (message) => this.#hear(seat, message));
      seat.process = process;
      seat.silentLooks = 0;
      seat.unfinished = 0;
      this.#say(seat, first ? "started" : "replaced", "");
      const end = await process.ended;
      seat.process = null;
      seat.ready = false;
      if (this.#draining) return;
      const how = end.signal === null ? `exit code ${end.exitCode}` : `signal ${end.signal}`;
      this.#say(seat, "died", `pid ${process.pid}, ${how}`);
      const delayMs = this.#budget.take();
      if (delayMs > 0) this.#giveUpStarting(how);
      this.#weigh(delayMs > 0 ? "the restart budget is spent; workers restart slowly" : "");
      if (delayMs > 0) await Promise.race([Bun.sleep(delayMs), this.#drainBegan.promise]);
    }
  }

  #hear(seat: Seat, message: FromWorker): void {
    seat.silentLooks = 0;
    if (message.type === "ready") {
      seat.ready = true;
      seat.lacks = message.lacks;
      this.#say(seat, "ready", message.lacks.join(", "));
      this.#weigh("");
    } else if (message.type === "failed" && !this.#everReady) {
      const error = new BedsError("BEDS-N003", { detail: `${message.code}: ${message.detail}` });
      this.#started.resolve({ exitCode: message.exitCode, error });
    } else if (message.type === "drained") {
      seat.unfinished = message.unfinished;
      this.#say(seat, "drained", message.unfinished === 0 ? "" : `${message.unfinished} left`);
    }
  }

  /** Only a node that never became ready ends; one that was keeps trying slowly. */
  #giveUpStarting(how: string): void {
    if (this.#everReady) return;
    const detail = `the restart budget is spent; the last worker ended with ${how}`;
    this.#started.resolve({ exitCode: 70, error: new BedsError("BEDS-N003", { detail }) });
  }

  #killHanging(): void {
    for (const seat of this.#seats) {
      // Looks are counted, not time: when the whole machine stood still, nobody could give a sign.
      seat.silentLooks += 1;
      if (seat.process === null || seat.silentLooks <= looksBeforeKill) continue;
      const detail = `worker ${seat.index}, pid ${seat.process.pid}`;
      const error = new BedsError("BEDS-N004", { detail });
      this.#parts.observe({ kind: "problem", severity: "error", during: "supervision", error });
      this.#killSeat(seat, "its event loop is blocked");
    }
  }

  #killAll(detail: string): void {
    for (const seat of this.#seats) this.#killSeat(seat, detail);
  }

  #killSeat(seat: Seat, detail: string): void {
    if (seat.process === null) return;
    this.#say(seat, "killed", detail);
    seat.process.kill();
  }

  /** Judges the node's health anew after something changed. */
  #weigh(trouble: string): void {
    if (this.#draining) return;
    const missing = this.#seats.filter((seat) => !seat.ready).map((seat) => `worker ${seat.index}`);
    const lacking = this.#seats.flatMap((seat) => seat.lacks);
    if (missing.length === 0 && !this.#everReady) {
      this.#everReady = true;
      this.#started.resolve(null);
    }
    const worst = [trouble, missing.join(", "), [...new Set(lacking)].join(", ")].filter(Boolean);
    if (worst.length === 0) this.#turn("ready", "");
    else if (this.#everReady) this.#turn("degraded", worst.join("; "));
  }

  #turn(health: Health, detail: string): void {
    if (health === this.#health) return;
    this.#health = health;
    this.#parts.observe({ kind: "health", health, detail });
  }

  #say(seat: Seat, change: WorkerObserved["change"], detail: string): void {
    const pid = seat.process?.pid ?? 0;
    this.#parts.observe({ kind: "worker", worker: seat.index, pid, change, detail });
  }
}

function emptySeat(index: number): Seat {
  return { index, process: null, silentLooks: 0, ready: false, lacks: [], unfinished: 0 };
}
