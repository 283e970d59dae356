/**
 * Which deliveries of one channel are finished, and how to say so with the fewest frames: one
 * `multiple` ack for the finished prefix, one ack each for what finished beyond a slow delivery.
 * Tags count from 1 on each channel.
 *
 * Each tag is settled once: by `finish`, whose ack leaves at the next `write`, or by `settle`, for
 * a reject that was written at once.
 */
export class AckWindow {
  /** The lowest tag that is not settled. */
  #base = 1;
  /**
   * The highest tag that may be acknowledged with `multiple`: itself unacknowledged, all before it
   * finished.
   */
  #prefix = 0;
  /** Finished beyond `#base`, not yet acknowledged. */
  #finished = new Set<number>();
  /** Beyond `#base`, acknowledged or rejected on their own. */
  readonly #settled = new Set<number>();
  #delivered = 0;
  #done = 0;

  /** Deliveries that are neither finished nor rejected. */
  get open(): number {
    return this.#delivered - this.#done;
  }

  /** Whether `write` has something to say. */
  get dirty(): boolean {
    return this.#prefix > 0 || this.#finished.size > 0;
  }

  /** A delivery arrived. */
  deliver(): void {
    this.#delivered++;
  }

  /** The work of a delivery is over; it may be acknowledged. */
  finish(tag: number): void {
    this.#done++;
    if (tag !== this.#base) {
      this.#finished.add(tag);
      return;
    }
    this.#prefix = tag;
    this.#advance();
  }

  /** A delivery was settled by a frame of its own. */
  settle(tag: number): void {
    this.#done++;
    if (tag !== this.#base) this.#settled.add(tag);
    else this.#advance();
  }

  /** Hands out the acks that are due. Called before each flush. */
  write(ack: (tag: number, multiple: boolean) => void): void {
    if (this.#prefix > 0) {
      ack(this.#prefix, true);
      this.#prefix = 0;
    }
    if (this.#finished.size === 0) return;
    for (const tag of this.#finished) {
      ack(tag, false);
      this.#settled.add(tag);
    }
    this.#finished = new Set();
  }

  /**
   * `#base` is settled: moves on to the next that is not. A `multiple` ack must name an outstanding
   * tag.
   */
  #advance(): void {
    for (this.#base++; ; this.#base++) {
      if (this.#finished.delete(this.#base)) this.#prefix = this.#base;
      else if (!this.#settled.delete(this.#base)) return;
    }
  }
}
