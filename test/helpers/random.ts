/** Random values that a failing test can have again: print `seed`, and set it. */
export class Random {
  readonly seed: number;
  #state: number;

  constructor(seed = (Math.random() * 4_294_967_296) >>> 0) {
    this.seed = seed;
    this.#state = seed;
  }

  /** From 0 up to, not including, 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let bits = this.#state;
    bits = Math.imul(bits ^ (bits >>> 15), bits | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A whole number from `low` to `high`, both included. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  chance(of: number): boolean {
    return this.next() < of;
  }

  pick<T>(items: readonly T[]): T {
    const found = items[this.integer(0, items.length - 1)];
    if (found === undefined) throw new Error("nothing to pick from");
    return found;
  }

  bytes(length: number): Buffer {
    const made = Buffer.allocUnsafe(length);
    for (let at = 0; at < length; at++) made[at] = this.integer(0, 255);
    return made;
  }

  /** Letters of one, two, three and four bytes. */
  text(maxLetters: number): string {
    const letters = ["a", "Z", "0", ".", "-", "é", "ß", "漢", "🐚"];
    let made = "";
    for (let left = this.integer(1, maxLetters); left > 0; left--) made += this.pick(letters);
    return made;
  }

  shuffle<T>(items: readonly T[]): T[] {
    const keyed = items.map((item) => ({ item, key: this.next() }));
    return keyed.toSorted((one, other) => one.key - other.key).map(({ item }) => item);
  }
}
