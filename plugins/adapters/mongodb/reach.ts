/** Milliseconds after which a command is given up whose server is known to be gone. */
const lossGraceMs = 300;

/** The connection of a command is gone, although nothing on it has said so. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";
}

/**
 * Whether a server takes commands, as the driver's monitor sees it, and what is in flight.
 *
 * On Bun a socket that is written to in the moment in which its peer dies closes without an error,
 * and the driver then waits for it to drain for ever. The monitor notices the loss at once, so that
 * what is still in flight a little later is given up.
 */
export class Reach {
  #isUp = false;
  #ups = 0;
  readonly #inFlight = new Set<AbortController>();

  /** Counts the moments at which a server was found: the same number twice and down means none. */
  get mark(): { readonly isUp: boolean; readonly ups: number } {
    return { isUp: this.#isUp, ups: this.#ups };
  }

  /** Whether a command that began at `mark` can have been sent at all. */
  couldSend(mark: Reach["mark"]): boolean {
    return mark.isUp || this.#ups > mark.ups;
  }

  /** Holds a command for as long as it is in flight; its controller is aborted when it is lost. */
  hold(controller: AbortController): Disposable {
    this.#inFlight.add(controller);
    return { [Symbol.dispose]: () => void this.#inFlight.delete(controller) };
  }

  /** The monitor has a new view. */
  see(isUp: boolean): void {
    if (isUp && !this.#isUp) this.#ups++;
    if (!isUp && this.#isUp && this.#inFlight.size > 0) {
      const held = [...this.#inFlight];
      setTimeout(() => this.#giveUp(held), lossGraceMs);
    }
    this.#isUp = isUp;
  }

  #giveUp(held: readonly AbortController[]): void {
    for (const controller of held) {
      if (this.#inFlight.has(controller)) controller.abort(new ConnectionLost("server lost"));
    }
  }
}
