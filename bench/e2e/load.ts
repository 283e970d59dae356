import type { LoadOrder, LoadResult } from "./child.ts";
import type { Wire } from "./wire.ts";

/**
 * Keeps a number of requests in flight: each answer sends the next request, until the time is over
 * and the last answer is in. `bodyOf` makes a request's text, `check` throws when an answer is not
 * what was asked for.
 */
export class Load {
  readonly #bodyOf: () => string;
  readonly #check: (answer: string) => void;
  readonly #sent = new Map<string, number>();
  #wire: Wire | null = null;
  #count = 0;
  #times: number[] = [];
  #until = 0;
  #requestBytes = 0;
  #answerBytes = 0;
  #done: PromiseWithResolvers<void> | null = null;

  constructor(bodyOf: () => string, check: (answer: string) => void) {
    this.#bodyOf = bodyOf;
    this.#check = check;
  }

  attach(wire: Wire): void {
    this.#wire = wire;
  }

  async run({ concurrency, ms }: LoadOrder): Promise<LoadResult> {
    const started = performance.now();
    this.#times = [];
    this.#until = started + ms;
    this.#done = Promise.withResolvers();
    for (let at = 0; at < concurrency; at++) this.#send();
    await this.#done.promise;
    const elapsed = performance.now() - started;
    const sorted = Float64Array.from(this.#times).sort();
    const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? 0;
    return {
      answers: sorted.length,
      ms: elapsed,
      p50: at(0.5),
      p99: at(0.99),
      requestBytes: this.#requestBytes,
      answerBytes: this.#answerBytes,
    };
  }

  /** An answer came in. */
  take(id: string, answer: string): void {
    const sentAt = this.#sent.get(id);
    if (sentAt === undefined) return;
    this.#sent.delete(id);
    const now = performance.now();
    try {
      this.#check(answer);
    } catch (thrown) {
      return this.#done?.reject(thrown);
    }
    this.#times.push(now - sentAt);
    this.#answerBytes = answer.length;
    if (now < this.#until) this.#send();
    else if (this.#sent.size === 0) this.#done?.resolve();
  }

  #send(): void {
    const id = (++this.#count).toString(36);
    const body = this.#bodyOf();
    this.#requestBytes = body.length;
    this.#sent.set(id, performance.now());
    this.#wire?.send(id, body);
  }
}
