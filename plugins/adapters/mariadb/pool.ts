import { BedsError } from "../../../core/contract/index.ts";
import type { Connection } from "./connection.ts";
import { accessError } from "./errors.ts";

export interface PoolSettings {
  /** For people: `app`. */
  readonly database: string;
  readonly size: number;
  readonly open: () => Promise<Connection>;
}

interface Waiter {
  readonly give: (connection: Connection) => void;
  readonly fail: (error: BedsError) => void;
}

/**
 * Up to `size` connections of one role, opened when they are needed and handed out in the order of
 * asking. A broken one is replaced when somebody waits. While the server is down every attempt to
 * connect fails fast and takes all who wait with it; there is no back-off here, so the first call
 * after the server's return succeeds.
 */
export class Pool {
  readonly #settings: PoolSettings;
  readonly #idle: Connection[] = [];
  readonly #busy = new Set<Connection>();
  /** In the order of asking, which a Set keeps. */
  readonly #waiters = new Set<Waiter>();
  #opening = 0;
  #closed = false;

  constructor(settings: PoolSettings) {
    this.#settings = settings;
  }

  /**
   * A connection of the caller's own until `release`. Errors: BEDS-D001, BEDS-D008, BEDS-D002 after
   * `waitMs`.
   */
  acquire(waitMs: number): Promise<Connection> {
    if (this.#closed) return Promise.reject(this.#closedError());
    const idle = this.#idle.pop();
    if (idle !== undefined) {
      this.#busy.add(idle);
      return Promise.resolve(idle);
    }
    return new Promise<Connection>((resolve, reject) => {
      const timer = setTimeout(() => waiter.fail(this.#lateError(waitMs)), waitMs);
      const leave = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
      };
      const waiter: Waiter = {
        give: (connection) => {
          leave();
          resolve(connection);
        },
        fail: (error) => {
          leave();
          reject(error);
        },
      };
      this.#waiters.add(waiter);
      this.#grow();
    });
  }

  /** Gives a connection back; one that is broken or condemned is closed and replaced. */
  release(connection: Connection): void {
    if (!this.#busy.delete(connection)) return;
    if (connection.alive && !this.#closed) return this.#give(connection);
    connection.destroy();
    this.#grow();
  }

  /** Ends what is idle with a goodbye and what is busy at once; who waits gets BEDS-D001. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const waiter of [...this.#waiters]) waiter.fail(this.#closedError());
    for (const connection of [...this.#busy]) connection.destroy();
    const idle = this.#idle.splice(0);
    await Promise.all(idle.map((connection) => connection.end()));
  }

  #give(connection: Connection): void {
    const [waiter] = this.#waiters;
    if (waiter === undefined) {
      this.#idle.push(connection);
      return;
    }
    this.#busy.add(connection);
    waiter.give(connection);
  }

  /** Opens as many connections as there are waiters without one on its way. */
  #grow(): void {
    const room = (): number =>
      this.#settings.size - this.#idle.length - this.#busy.size - this.#opening;
    while (this.#opening < this.#waiters.size && room() > 0) {
      this.#opening += 1;
      void this.#open();
    }
  }

  async #open(): Promise<void> {
    try {
      const connection = await this.#settings.open();
      this.#opening -= 1;
      if (this.#closed) return connection.destroy();
      connection.onDead = () => this.#forget(connection);
      this.#give(connection);
    } catch (thrown) {
      this.#opening -= 1;
      // Where other connections work (the server may be full), who waits is better served by one of
      // those.
      if (this.#opening + this.#busy.size > 0) return;
      const error = accessError(thrown, this.#settings.database);
      for (const waiter of [...this.#waiters]) waiter.fail(error);
    }
  }

  #forget(connection: Connection): void {
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
  }

  #closedError(): BedsError {
    const detail = `the connections to database ${this.#settings.database} were closed`;
    return new BedsError("BEDS-D001", { detail });
  }

  #lateError(waitMs: number): BedsError {
    const detail = `no connection to database ${this.#settings.database} came free in ${waitMs} ms`;
    return new BedsError("BEDS-D002", { detail });
  }
}
