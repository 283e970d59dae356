import { BedsError } from "../contract/errors.ts";
import { decodeTable, type FieldTable } from "./field-table.ts";
import { propertyFlag as flag, UINT32_RANGE } from "./protocol.ts";
import { RepeatedText } from "./repeated-text.ts";

/** Properties to send; what is absent is not sent. Texts have at most 255 bytes. */
export interface OutgoingProperties {
  readonly contentType?: string;
  readonly contentEncoding?: string;
  readonly headers?: FieldTable;
  /** 1 transient, 2 persistent. */
  readonly deliveryMode?: 1 | 2;
  readonly priority?: number;
  /** Its characters are bytes (Latin-1), so that those of any sender come back as they were. */
  readonly correlationId?: string;
  readonly replyTo?: string;
  /** Milliseconds until RabbitMQ drops the message, as AMQP has it: a text. */
  readonly expiration?: string;
  readonly messageId?: string;
  /** Seconds since 1970, from 0. */
  readonly timestamp?: number;
  readonly type?: string;
  /** RabbitMQ closes the channel unless it is the account of the connection. */
  readonly userId?: string;
  readonly appId?: string;
}

/** Properties of a message that came. An absent text is empty, an absent number 0. */
export class ArrivedProperties {
  contentType = "";
  contentEncoding = "";
  deliveryMode = 0;
  priority = 0;
  correlationId = "";
  replyTo = "";
  expiration = "";
  messageId = "";
  /** Seconds since 1970. */
  timestamp = 0;
  type = "";
  userId = "";
  appId = "";
  #table: Buffer | null = null;
  #headers: FieldTable | null = null;

  /** The headers, decoded when first asked for. Errors: BEDS-Q011 when they are no table. */
  get headers(): FieldTable {
    this.#headers ??= this.#table === null ? NO_HEADERS : decodeTable(this.#table);
    return this.#headers;
  }

  /** Keeps a copy of the encoded table: the read buffer does not outlive the callback. */
  keepTable(table: Uint8Array): void {
    this.#table = Buffer.from(table);
  }
}

const NO_HEADERS: FieldTable = Object.freeze({});

/** Reads content headers. One a connection: texts that repeat are made once. */
export class PropertyReader {
  readonly #contentType = new RepeatedText();
  readonly #replyTo = new RepeatedText();
  readonly #type = new RepeatedText();
  readonly #userId = new RepeatedText();
  readonly #appId = new RepeatedText();
  #at = 0;

  /**
   * In: the property flags at `start`, the end of the frame's payload at `end`. Errors: BEDS-Q011.
   */
  read(bytes: Buffer, start: number, end: number): ArrivedProperties {
    const into = new ArrivedProperties();
    const flags = bytes.readUInt16BE(start);
    this.#at = start + 2;
    if (flags & flag.contentType) into.contentType = this.#repeated(bytes, this.#contentType);
    if (flags & flag.contentEncoding) into.contentEncoding = this.#text(bytes);
    if (flags & flag.headers) {
      const next = this.#at + 4 + bytes.readUInt32BE(this.#at);
      // Checked here as well: a wrong length would copy far more than the frame.
      if (next <= end) into.keepTable(bytes.subarray(this.#at, next));
      this.#at = next;
    }
    if (flags & flag.deliveryMode) into.deliveryMode = bytes.readUInt8(this.#at++);
    if (flags & flag.priority) into.priority = bytes.readUInt8(this.#at++);
    if (flags & flag.correlationId) into.correlationId = this.#opaque(bytes);
    if (flags & flag.replyTo) into.replyTo = this.#repeated(bytes, this.#replyTo);
    if (flags & flag.expiration) into.expiration = this.#text(bytes);
    if (flags & flag.messageId) into.messageId = this.#text(bytes);
    if (flags & flag.timestamp) {
      const seconds = bytes.readInt32BE(this.#at) * UINT32_RANGE;
      into.timestamp = seconds + bytes.readUInt32BE(this.#at + 4);
      this.#at += 8;
    }
    if (flags & flag.type) into.type = this.#repeated(bytes, this.#type);
    if (flags & flag.userId) into.userId = this.#repeated(bytes, this.#userId);
    if (flags & flag.appId) into.appId = this.#repeated(bytes, this.#appId);
    if (this.#at > end) {
      throw new BedsError("BEDS-Q011", { detail: "properties are longer than their frame" });
    }
    return into;
  }

  /** Bytes that nobody but their sender understands: they must go back exactly as they came. */
  #opaque(bytes: Buffer): string {
    const start = this.#at + 1;
    this.#at = start + bytes.readUInt8(this.#at);
    return bytes.toString("latin1", start, this.#at);
  }

  #text(bytes: Buffer): string {
    const start = this.#at + 1;
    this.#at = start + bytes.readUInt8(this.#at);
    return bytes.toString("utf8", start, this.#at);
  }

  #repeated(bytes: Buffer, text: RepeatedText): string {
    const start = this.#at + 1;
    this.#at = start + bytes.readUInt8(this.#at);
    return text.read(bytes, start, this.#at);
  }
}

/**
 * More than all properties beside the headers can take: nine texts of 256 bytes and some numbers.
 */
export const PROPERTIES_MAX_BYTES = 2_400;

/**
 * Writes flags and properties at `start`, where PROPERTIES_MAX_BYTES and the table fit. Out: where
 * they end. Errors: BEDS-B001 for a text over 255 bytes. `table` is `properties.headers`, encoded.
 */
export function putProperties(
  bytes: Buffer,
  start: number,
  properties: OutgoingProperties,
  table: Buffer | null,
): number {
  let flags = 0;
  let at = start + 2;
  const text = (bit: number, value: string | undefined): void => {
    if (value === undefined) return;
    flags |= bit;
    at = putShortText(bytes, at, value);
  };
  text(flag.contentType, properties.contentType);
  text(flag.contentEncoding, properties.contentEncoding);
  if (table !== null) {
    flags |= flag.headers;
    at += table.copy(bytes, at);
  }
  if (properties.deliveryMode !== undefined) {
    flags |= flag.deliveryMode;
    at = bytes.writeUInt8(properties.deliveryMode, at);
  }
  if (properties.priority !== undefined) {
    flags |= flag.priority;
    at = bytes.writeUInt8(properties.priority, at);
  }
  if (properties.correlationId !== undefined) {
    flags |= flag.correlationId;
    at = putShortText(bytes, at, properties.correlationId, "latin1");
  }
  text(flag.replyTo, properties.replyTo);
  text(flag.expiration, properties.expiration);
  text(flag.messageId, properties.messageId);
  if (properties.timestamp !== undefined) {
    flags |= flag.timestamp;
    at = putUint64(bytes, at, Math.floor(properties.timestamp));
  }
  text(flag.type, properties.type);
  text(flag.userId, properties.userId);
  text(flag.appId, properties.appId);
  bytes.writeUInt16BE(flags, start);
  return at;
}

/**
 * Writes a text with its length in one byte. Out: where it ends. Errors: BEDS-B001 over 255 bytes.
 */
export function putShortText(
  bytes: Buffer,
  at: number,
  text: string,
  encoding: "utf8" | "latin1" = "utf8",
): number {
  const size = text.length > 255 ? text.length : bytes.write(text, at + 1, encoding);
  if (size > 255) {
    throw new BedsError("BEDS-B001", { detail: `'${text.slice(0, 32)}…' has over 255 bytes` });
  }
  bytes.writeUInt8(size, at);
  return at + 1 + size;
}

/** Writes a whole number up to 2^53. Out: where it ends. */
export function putUint64(bytes: Buffer, at: number, value: number): number {
  bytes.writeUInt32BE(Math.floor(value / UINT32_RANGE), at);
  return bytes.writeUInt32BE(value % UINT32_RANGE, at + 4);
}
