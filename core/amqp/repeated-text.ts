/**
 * A text at one place of the protocol that is nearly always the same as last time: an exchange, an
 * account. Comparing bytes is cheaper than making the string again.
 */
export class RepeatedText {
  #bytes: Buffer = Buffer.alloc(0);
  #text = "";

  /** The UTF-8 text between `start` and `end`. */
  read(bytes: Buffer, start: number, end: number): string {
    const known = this.#bytes;
    if (known.length === end - start && known.compare(bytes, start, end) === 0) return this.#text;
    this.#bytes = Buffer.from(bytes.subarray(start, end));
    this.#text = this.#bytes.toString("utf8");
    return this.#text;
  }
}
