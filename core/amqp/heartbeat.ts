/** What a heartbeat watches and does. */
export interface HeartbeatTarget {
  /** Moves with each read from the socket. */
  reads(): number;
  /** Moves with each write to the socket. */
  writes(): number;
  sendHeartbeat(): void;
  /** Nothing was read for two intervals: the peer is dead, whatever TCP says. */
  onSilence(silentMs: number): void;
}

/**
 * Keeps one connection alive and notices when it is not: sends a heartbeat when nothing else was
 * written for half an interval, and ends it when nothing was read for nearly two (AMQP 0-9-1
 * §4.2.7). Ticks are counted, not time, so that a process that slept does not blame its peer.
 * `seconds` is the interval that both sides agreed on; 0 means never.
 */
export class Heartbeat {
  readonly #target: HeartbeatTarget;
  readonly #tickMs: number;
  readonly #timer: ReturnType<typeof setInterval> | null;
  #reads = 0;
  #writes = 0;
  #silentTicks = 0;
  #idleTicks = 0;

  constructor(seconds: number, target: HeartbeatTarget) {
    this.#target = target;
    this.#tickMs = (seconds * 1000) / TICKS;
    this.#timer = seconds === 0 ? null : setInterval(() => this.#tick(), this.#tickMs);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  #tick(): void {
    const reads = this.#target.reads();
    const writes = this.#target.writes();
    this.#silentTicks = reads === this.#reads ? this.#silentTicks + 1 : 0;
    this.#idleTicks = writes === this.#writes ? this.#idleTicks + 1 : 0;
    this.#reads = reads;
    this.#writes = writes;
    if (this.#idleTicks === IDLE_TICKS) {
      this.#idleTicks = 0;
      this.#target.sendHeartbeat();
    }
    if (this.#silentTicks < SILENT_TICKS) return;
    this.stop();
    this.#target.onSilence(this.#silentTicks * this.#tickMs);
  }
}

/** Ticks of an interval. */
const TICKS = 4;

const IDLE_TICKS = 2;

/** One less than two intervals: the tick in which the last read fell does not count. */
const SILENT_TICKS = 7;
