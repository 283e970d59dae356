/** Where an id says that it was made, and when. */
export interface EventIdParts {
  readonly node: string;
  readonly env: string;
  /** UUIDv7, lower case. */
  readonly uuid: string;
  /** Milliseconds since 1970, UTC: the first 48 bits of the UUID. */
  readonly time: number;
}

/** What a mint needs; clock and random are passed in, so that a test can hold them still. */
export interface MintSource {
  /** `[A-Za-z0-9_-]`, at most 64 characters. A client's is the name of its account. */
  readonly node: string;
  /** `[A-Za-z0-9_-]`, at most 32 characters. */
  readonly env: string;
  /** Milliseconds since 1970, UTC. */
  readonly now: () => number;
  /** Fills the array with random bytes. */
  readonly random: (bytes: Uint8Array) => void;
}

export const longestEventId = 200;
const uuid7 = "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";
export const eventIdPattern = new RegExp(`^[A-Za-z0-9_-]{1,64}\\.[A-Za-z0-9_-]{1,32}\\.${uuid7}$`);

/** The largest value of the 12 bits that count within one millisecond. */
const lastOfTurn = 4095;

/**
 * Makes event ids `{node}.{env}.{UUIDv7}` (wiki/Event-Lineage.md) that rise in the order of their
 * making. Once or twice a request, so it must cost little: the text around the counter is made once
 * a millisecond.
 *
 * The UUID follows RFC 9562 §6.2 method 1: 48 bits of time, a 12-bit counter in `rand_a`, 62 random
 * bits. A counter that runs over, or a clock that steps back, takes the next millisecond early
 * rather than repeat an id.
 */
export class Mint {
  readonly #source: MintSource;
  readonly #bytes = new Uint8Array(10);
  #time = -1;
  #count = lastOfTurn;
  #head = "";
  #tail = "";

  constructor(source: MintSource) {
    this.#source = source;
  }

  next(): string {
    const now = this.#source.now();
    if (now > this.#time || this.#count >= lastOfTurn) this.#turn(now);
    else if ((++this.#count & 255) === 0) this.#headTo();
    // Three flat pieces: the engine joins no more than that in its fast way.
    return this.#head + hexOf(this.#count & 255) + this.#tail;
  }

  /** Begins a millisecond. The counter starts low, so that it has room to rise. */
  #turn(now: number): void {
    this.#time = Math.max(Math.floor(now), this.#time + 1);
    const bytes = this.#bytes;
    this.#source.random(bytes);
    this.#count = (((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0)) & 1023;
    this.#headTo();
    const random = Array.from(bytes.subarray(2), hexOf);
    // The variant of RFC 9562: the two highest bits of the ninth octet are 10.
    random[0] = hexOf(((bytes[2] ?? 0) & 63) | 128);
    this.#tail = ["-", ...random.slice(0, 2), "-", ...random.slice(2)].join("");
  }

  /** Everything before the last two digits of the counter. */
  #headTo(): void {
    const { node, env } = this.#source;
    const time = this.#time.toString(16).padStart(12, "0");
    const high = (this.#count >> 8).toString(16);
    this.#head = [node, ".", env, ".", time.slice(0, 8), "-", time.slice(8), "-7", high].join("");
  }
}

/** Takes an event id apart; null when it is none. */
export function parseEventId(id: string): EventIdParts | null {
  if (!isEventId(id)) return null;
  const [node = "", env = "", uuid = ""] = id.split(".");
  return { node, env, uuid, time: mintedAt(id) };
}

/**
 * When a valid event id was made: milliseconds since 1970, UTC, by its maker's clock. Called for
 * each request.
 */
export function mintedAt(id: string): number {
  return Number.parseInt(id.slice(-36, -28) + id.slice(-27, -23), 16);
}

/** Whether a text is an event id. Called for each request. */
export function isEventId(id: string): boolean {
  return id.length <= longestEventId && eventIdPattern.test(id);
}

const hexBytes = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

function hexOf(byte: number): string {
  return hexBytes[byte] ?? "";
}
