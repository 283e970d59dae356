import { BedsError } from "../contract/errors.ts";
import { Sweep } from "./sweep.ts";

/** Bounds of what waits for RabbitMQ's confirm. */
export interface ConfirmLimits {
  /** More at once is BEDS-Q010. */
  readonly maxInFlight: number;
  /** Milliseconds from publishing to BEDS-Q004. */
  readonly timeLimitMs: number;
}

export const defaultConfirmLimits: ConfirmLimits = { maxInFlight: 10_000, timeLimitMs: 10_000 };

/** Called once for each message: null when RabbitMQ has it. Must not throw. */
export type Confirmed = (error: BedsError | null) => void;

/**
 * The messages published on one channel that RabbitMQ has not confirmed yet, in the order of
 * publishing. Each is settled exactly once: confirmed, refused (BEDS-Q005), returned (BEDS-Q008),
 * out of time (BEDS-Q004), or lost with its channel.
 */
export class ConfirmWindow {
  readonly #limits: ConfirmLimits;
  readonly #elapsed: () => number;
  /** By sequence number; insertion order is their order, and that of their time limits. */
  readonly #waiting = new Map<number, Waiting>();
  readonly #sweep: Sweep;
  #published = 0;

  constructor(limits: ConfirmLimits, elapsed: () => number) {
    this.#limits = limits;
    this.#elapsed = elapsed;
    this.#sweep = new Sweep(SWEEP_MS, () => this.#expire());
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Called before a message is written. Errors: BEDS-Q010. */
  checkRoom(): void {
    const { maxInFlight } = this.#limits;
    if (this.#waiting.size < maxInFlight) return;
    throw new BedsError("BEDS-Q010", { detail: `${maxInFlight} messages are not confirmed yet` });
  }

  /** A message was written: RabbitMQ counts them from 1 on each channel, and so does this. */
  add(messageId: string, confirmed: Confirmed): void {
    const expiresAt = this.#elapsed() + this.#limits.timeLimitMs;
    this.#waiting.set(++this.#published, { messageId, confirmed, expiresAt, returned: null });
    this.#sweep.wake();
  }

  /** basic.ack (`positive`) or basic.nack came. */
  confirm(tag: number, multiple: boolean, positive: boolean): void {
    if (!multiple) return this.#settle(tag, positive);
    for (const waiting of this.#waiting.keys()) {
      if (waiting > tag) return;
      this.#settle(waiting, positive);
    }
  }

  /** basic.return came; it stands before the confirm of the same message, which settles it. */
  returned(messageId: string, detail: string): void {
    for (const waiting of this.#waiting.values()) {
      if (waiting.messageId !== messageId || waiting.returned !== null) continue;
      waiting.returned = detail;
      return;
    }
  }

  /** The channel is gone: nobody will confirm what is left. */
  fail(error: BedsError): void {
    this.#sweep.stop();
    const left = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { confirmed } of left) confirmed(error);
  }

  #settle(tag: number, positive: boolean): void {
    const waiting = this.#waiting.get(tag);
    // Its time was over before.
    if (waiting === undefined) return;
    this.#waiting.delete(tag);
    waiting.confirmed(outcomeOf(waiting, positive));
  }

  #expire(): boolean {
    const elapsed = this.#elapsed();
    for (const [tag, waiting] of this.#waiting) {
      if (waiting.expiresAt > elapsed) return true;
      this.#waiting.delete(tag);
      const detail = `no confirm in ${this.#limits.timeLimitMs} ms`;
      waiting.confirmed(new BedsError("BEDS-Q004", { detail }));
    }
    return this.#waiting.size > 0;
  }
}

interface Waiting {
  readonly messageId: string;
  readonly confirmed: Confirmed;
  readonly expiresAt: number;
  /** RabbitMQ's reason for sending it back. */
  returned: string | null;
}

/** How late a time limit may be noticed. */
const SWEEP_MS = 50;

function outcomeOf(waiting: Waiting, positive: boolean): BedsError | null {
  if (!positive) return new BedsError("BEDS-Q005");
  if (waiting.returned === null) return null;
  return new BedsError("BEDS-Q008", { detail: waiting.returned });
}
