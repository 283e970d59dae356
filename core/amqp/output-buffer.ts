import { BedsError } from "../contract/errors.ts";

/** Bounds of one connection's output, in bytes. */
export interface OutputLimits {
  /** Reaching this many flushes without waiting for the end of the turn. */
  readonly flushBytes: number;
  /** More than this waiting for a slow server is BEDS-Q010. */
  readonly maxBytes: number;
}

export const defaultOutputLimits: OutputLimits = { flushBytes: 65_536, maxBytes: 67_108_864 };

/**
 * The one output buffer of a connection. Frames are encoded straight into it and leave in one write
 * at the end of the event-loop turn, or as soon as `flushBytes` are there: the system call, and
 * RabbitMQ's read of it, is what a message costs.
 *
 * Encoding is `reserve`, write behind `length`, `commit`. What throws in between leaves no trace.
 * While the socket is full nothing is written; the buffer grows up to `maxBytes` until `resume` is
 * called.
 */
export class OutputBuffer {
  readonly #write: (bytes: Buffer) => boolean;
  readonly #limits: OutputLimits;
  readonly #hooks = new Set<() => void>();
  readonly #endTurn = (): void => {
    this.#scheduled = false;
    this.flush();
  };
  #bytes = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  #length = 0;
  #scheduled = false;
  #collecting = false;
  #writable = true;
  #closed = false;
  #waiting: (() => void)[] = [];
  #flushes = 0;

  /**
   * `write` takes bytes that it may keep, and says whether the socket wants more (`socket.write`).
   */
  constructor(write: (bytes: Buffer) => boolean, limits: OutputLimits = defaultOutputLimits) {
    this.#write = write;
    this.#limits = limits;
  }

  /** Where the next frame begins. */
  get length(): number {
    return this.#length;
  }

  /** How often bytes were handed to the socket; the heartbeat looks whether it moved. */
  get flushes(): number {
    return this.#flushes;
  }

  /**
   * Makes room for `size` bytes behind `length` and returns the buffer to write them into. Errors:
   * BEDS-Q010 when too much is waiting, BEDS-Q006 when the connection is gone.
   */
  reserve(size: number): Buffer {
    if (this.#closed) throw new BedsError("BEDS-Q006");
    if (this.#length + size > this.#limits.maxBytes) {
      const detail = `${this.#length} bytes are waiting, at most ${this.#limits.maxBytes} may`;
      throw new BedsError("BEDS-Q010", { detail });
    }
    return this.reserveAlways(size);
  }

  /**
   * The same without a limit, for acks and control frames: they are small, and refusing one loses
   * the connection.
   */
  reserveAlways(size: number): Buffer {
    const needed = this.#length + size;
    if (needed > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
      this.#bytes.copy(grown, 0, 0, this.#length);
      this.#bytes = grown;
    }
    return this.#bytes;
  }

  /** Ends an encoding: everything before `length` belongs to the output now. */
  commit(length: number): void {
    this.#length = length;
    // What a hook appends leaves with the flush that called it.
    if (this.#collecting) return;
    if (length >= this.#limits.flushBytes) this.flush();
    else this.touch();
  }

  /** Appends a frame that is encoded already; the library's own go this way. */
  append(bytes: Uint8Array): void {
    this.reserveAlways(bytes.length).set(bytes, this.#length);
    this.commit(this.#length + bytes.length);
  }

  /** Makes sure that the hooks run and the bytes leave at the end of this turn. */
  touch(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    setImmediate(this.#endTurn);
  }

  /**
   * Calls `hook` before each flush, so that what it appends stands behind everything else: grouped
   * acks follow the replies that they belong to. Out: call it to take the hook away.
   */
  beforeFlush(hook: () => void): () => void {
    this.#hooks.add(hook);
    return () => this.#hooks.delete(hook);
  }

  /** Runs the hooks now. For whoever appends a frame that nothing may follow (`channel.close`). */
  collect(): void {
    if (this.#collecting || this.#closed) return;
    this.#collecting = true;
    try {
      for (const hook of this.#hooks) hook();
    } finally {
      this.#collecting = false;
    }
  }

  /** Writes what there is, unless the socket is full: then `resume` does it. */
  flush(): void {
    if (this.#collecting || this.#closed || !this.#writable) return;
    this.collect();
    if (this.#length > 0) {
      this.#flushes++;
      this.#writable = this.#write(this.#take());
    }
    if (this.#writable) this.#wake();
  }

  /** The socket has drained. */
  resume(): void {
    this.#writable = true;
    this.flush();
  }

  /**
   * Resolves when everything committed so far was taken by the socket, or the connection is gone.
   */
  flushed(): Promise<void> {
    this.flush();
    if (this.#closed || (this.#length === 0 && this.#writable)) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Drops what is left. Nothing is written afterwards. */
  close(): void {
    this.#closed = true;
    this.#length = 0;
    this.#hooks.clear();
    this.#wake();
  }

  /** The bytes to write, safe to keep: a small batch is copied, a grown buffer is given away. */
  #take(): Buffer {
    const filled = this.#bytes.subarray(0, this.#length);
    this.#length = 0;
    if (this.#bytes.length === INITIAL_BYTES) return Buffer.from(filled);
    this.#bytes = Buffer.allocUnsafeSlow(INITIAL_BYTES);
    return filled;
  }

  #wake(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

/** Four flushes: a frame that goes over the flush mark does not make the buffer grow. */
const INITIAL_BYTES = 262_144;
