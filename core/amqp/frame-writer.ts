import { BedsError } from "../contract/errors.ts";
import { encodeTable } from "./field-table.ts";
import {
  type OutgoingProperties,
  PROPERTIES_MAX_BYTES,
  putProperties,
  putShortText,
  putUint64,
} from "./message-properties.ts";
import type { OutputBuffer } from "./output-buffer.ts";
import {
  BASIC_CLASS,
  FRAME_END,
  FRAME_HEADER_BYTES,
  FRAME_OVERHEAD_BYTES,
  frameType,
  method,
} from "./protocol.ts";

/** A message to publish. */
export interface OutgoingMessage {
  /** Empty for the default exchange, where the routing key is the queue's name. */
  readonly exchange: string;
  readonly routingKey: string;
  /** A text is sent as UTF-8. Bytes are copied before the call returns. */
  readonly body: string | Uint8Array;
  readonly properties: OutgoingProperties;
  /** RabbitMQ sends the message back when no queue takes it. */
  readonly mandatory?: boolean;
}

/** Encodes the frames of the hot path straight into a connection's output buffer. */
export class FrameWriter {
  readonly #out: OutputBuffer;
  readonly #frameMax: number;
  readonly #routes = new Map<string, Route>();

  /** `frameMax` is the size that was negotiated, frame overhead included. */
  constructor(out: OutputBuffer, frameMax: number) {
    this.#out = out;
    this.#frameMax = frameMax;
  }

  /**
   * Writes basic.publish with its content header and as many body frames as it needs. Called once a
   * message. Errors, which leave nothing in the output: BEDS-Q010 when too much is waiting,
   * BEDS-Q006 when the connection is gone, BEDS-B001 for a name over 255 bytes or headers over one
   * frame.
   */
  publish(channel: number, message: OutgoingMessage): void {
    const { properties } = message;
    const table = properties.headers === undefined ? null : encodeTable(properties.headers);
    if (table !== null && table.length > this.#frameMax - PROPERTIES_MAX_BYTES) {
      throw new BedsError("BEDS-B001", { detail: `headers of ${table.length} bytes` });
    }
    const bodyMax = this.#frameMax - FRAME_OVERHEAD_BYTES;
    // Encoded in place when it fits into one frame whatever its letters are; else its size must be
    // known first.
    const fits = typeof message.body !== "string" || message.body.length * 3 <= bodyMax;
    const body = fits ? message.body : Buffer.from(message.body);
    const bodyBytes = body.length * (typeof body === "string" ? 3 : 1);
    const frames = Math.ceil(bodyBytes / bodyMax) + 1;
    const { prefix } = this.#route(channel, message);
    const size = prefix.length + PROPERTIES_MAX_BYTES + (table?.length ?? 0) + bodyBytes;
    const bytes = this.#out.reserve(size + frames * FRAME_OVERHEAD_BYTES);
    const start = this.#out.length;
    bytes.set(prefix, start);
    const sizeAt = start + prefix.length;
    let at = putProperties(bytes, sizeAt + 4, properties, table);
    at = bytes.writeUInt8(FRAME_END, at);
    bytes.writeUInt32BE(at - sizeAt + CONTENT_HEADER_BYTES - 1, sizeAt - CONTENT_HEADER_BYTES - 4);
    const end = putBody(bytes, at, channel, body, bodyMax);
    const length =
      typeof body === "string" ? Math.max(end - at - FRAME_OVERHEAD_BYTES, 0) : body.length;
    bytes.writeUInt32BE(length, sizeAt);
    this.#out.commit(end);
  }

  /**
   * Writes basic.ack; `multiple` takes every tag up to this one, which must be unsettled itself.
   */
  ack(channel: number, tag: number, multiple: boolean): void {
    this.#settle(channel, method.basicAck, tag, multiple ? 1 : 0);
  }

  /**
   * Writes basic.reject without requeueing: the message's fault, it goes to the dead letters of its
   * queue.
   */
  reject(channel: number, tag: number): void {
    this.#settle(channel, method.basicReject, tag, 0);
  }

  /**
   * Writes basic.nack with requeue: not the message's fault, which RabbitMQ 4.3 does not count
   * against it.
   */
  requeue(channel: number, tag: number): void {
    this.#settle(channel, method.basicNack, tag, 2);
  }

  heartbeat(): void {
    this.#out.append(HEARTBEAT);
  }

  #settle(channel: number, methodId: number, tag: number, bits: number): void {
    const bytes = this.#out.reserveAlways(SETTLE_BYTES);
    let at = putFrameHeader(bytes, this.#out.length, frameType.method, channel, SETTLE_BYTES - 8);
    at = bytes.writeUInt32BE(methodId, at);
    at = putUint64(bytes, at, tag);
    at = bytes.writeUInt8(bits, at);
    this.#out.commit(bytes.writeUInt8(FRAME_END, at));
  }

  /**
   * The bytes before the body size are the same for each message of a route: nearly all replies
   * have a few.
   */
  #route(channel: number, message: OutgoingMessage): Route {
    const { exchange, routingKey } = message;
    const mandatory = message.mandatory === true;
    const known = this.#routes.get(routingKey);
    if (
      known?.channel === channel &&
      known.exchange === exchange &&
      known.mandatory === mandatory
    ) {
      return known;
    }
    if (this.#routes.size >= MAX_ROUTES) this.#routes.clear();
    const prefix = encodePrefix(channel, exchange, routingKey, mandatory);
    const route: Route = { channel, exchange, mandatory, prefix };
    this.#routes.set(routingKey, route);
    return route;
  }
}

/** Everything of a publish up to the body size's lower half. */
interface Route {
  readonly channel: number;
  readonly exchange: string;
  readonly mandatory: boolean;
  readonly prefix: Buffer;
}

/** Reply addresses come from outside: what is remembered of them is bounded. */
const MAX_ROUTES = 1_000;

/** Class, weight and the upper half of the body size in a content header. */
const CONTENT_HEADER_BYTES = 8;

/** basic.ack, basic.reject and basic.nack have one size. */
const SETTLE_BYTES = 21;

const HEARTBEAT = Uint8Array.of(frameType.heartbeat, 0, 0, 0, 0, 0, 0, FRAME_END);

function encodePrefix(
  channel: number,
  exchange: string,
  routingKey: string,
  mandatory: boolean,
): Buffer {
  const bytes = Buffer.alloc(1_024);
  let at = bytes.writeUInt32BE(method.basicPublish, FRAME_HEADER_BYTES);
  at = putShortText(bytes, at + 2, exchange);
  at = putShortText(bytes, at, routingKey);
  at = bytes.writeUInt8(mandatory ? 1 : 0, at);
  putFrameHeader(bytes, 0, frameType.method, channel, at - FRAME_HEADER_BYTES);
  at = bytes.writeUInt8(FRAME_END, at);
  // The size of this frame is filled in once its properties are written.
  at = putFrameHeader(bytes, at, frameType.header, channel, 0);
  bytes.writeUInt16BE(BASIC_CLASS, at);
  return Buffer.from(bytes.subarray(0, at + CONTENT_HEADER_BYTES));
}

/** Writes the body frames. Out: where they end; an empty body has none. */
function putBody(
  bytes: Buffer,
  start: number,
  channel: number,
  body: string | Uint8Array,
  bodyMax: number,
): number {
  let at = start;
  if (typeof body === "string") {
    if (body === "") return at;
    const size = bytes.write(body, at + FRAME_HEADER_BYTES);
    at = putFrameHeader(bytes, at, frameType.body, channel, size) + size;
    return bytes.writeUInt8(FRAME_END, at);
  }
  for (let from = 0; from < body.length; from += bodyMax) {
    const part = body.subarray(from, from + bodyMax);
    at = putFrameHeader(bytes, at, frameType.body, channel, part.length);
    bytes.set(part, at);
    at = bytes.writeUInt8(FRAME_END, at + part.length);
  }
  return at;
}

function putFrameHeader(
  bytes: Buffer,
  start: number,
  type: number,
  channel: number,
  size: number,
): number {
  let at = bytes.writeUInt8(type, start);
  at = bytes.writeUInt16BE(channel, at);
  return bytes.writeUInt32BE(size, at);
}
