import { BedsError } from "../contract/errors.ts";
import { ArrivedProperties, PropertyReader } from "./message-properties.ts";
import {
  FRAME_END,
  FRAME_HEADER_BYTES,
  FRAME_OVERHEAD_BYTES,
  frameType,
  method,
  UINT32_RANGE,
} from "./protocol.ts";
import { RepeatedText } from "./repeated-text.ts";

/** A message as RabbitMQ delivered it. */
export interface ArrivedMessage {
  readonly consumerTag: string;
  /** Counts from 1 on each channel. */
  readonly deliveryTag: number;
  readonly redelivered: boolean;
  readonly exchange: string;
  readonly routingKey: string;
  readonly properties: ArrivedProperties;
  /**
   * Valid only until the callback returns: the read buffer is used again. Empty when `tooLarge`.
   */
  readonly body: Buffer;
  readonly bodySize: number;
  /** The body was longer than the receiver takes, and was skipped. */
  readonly tooLarge: boolean;
}

/** Who takes the deliveries, confirms and cancels of one channel. Its methods must not throw. */
export interface ChannelReceiver {
  readonly maxBodyBytes: number;
  onDelivery(message: ArrivedMessage): void;
  /** basic.ack (`positive`) or basic.nack from RabbitMQ for what was published. */
  onConfirm(tag: number, multiple: boolean, positive: boolean): void;
  /** RabbitMQ cancelled the consumer: its queue is gone. */
  onCancel(consumerTag: string): void;
}

const NO_BODY = Buffer.alloc(0);

/** Stands for a content header that has not come yet. */
const NO_PROPERTIES = new ArrivedProperties();

/** Where the frames go that a reader finds. */
export interface FrameTarget {
  /** Undefined: everything of the channel goes to the library. */
  receiver(channel: number): ChannelReceiver | undefined;
  /** A whole frame for the library; valid only during the call. */
  passOn(frame: Buffer): void;
}

/**
 * Cuts the incoming bytes of one connection into frames, wherever the chunks end, and reads
 * deliveries and confirms by itself: method, header and body frames of a channel make one call. All
 * other frames go on to the library. Errors of `push`, after which the connection is of no use:
 * BEDS-Q011.
 */
export class FrameReader {
  readonly #frameMax: number;
  readonly #target: FrameTarget;
  readonly #properties = new PropertyReader();
  readonly #consumerTag = new RepeatedText();
  readonly #exchange = new RepeatedText();
  readonly #routingKey = new RepeatedText();
  /** What is under way on each channel. */
  readonly #contents: (Content | undefined)[] = [];
  /** The beginning of a frame whose rest has not come yet. */
  #partial = Buffer.allocUnsafeSlow(INITIAL_PARTIAL_BYTES);
  #partialLength = 0;

  constructor(frameMax: number, target: FrameTarget) {
    this.#frameMax = frameMax;
    this.#target = target;
  }

  /** Takes what the socket read. `chunk` is not kept. */
  push(chunk: Buffer): void {
    let at = this.#partialLength > 0 ? this.#completePartial(chunk) : 0;
    while (chunk.length - at >= FRAME_HEADER_BYTES) {
      const next = at + this.#frameSize(chunk, at);
      if (next > chunk.length) break;
      this.#read(chunk, at, next);
      at = next;
    }
    if (at < chunk.length) this.#keep(chunk, at, chunk.length);
  }

  /** Finishes the frame that an earlier chunk began. Out: how much of this chunk it took. */
  #completePartial(chunk: Buffer): number {
    let at = 0;
    if (this.#partialLength < FRAME_HEADER_BYTES) {
      at = Math.min(FRAME_HEADER_BYTES - this.#partialLength, chunk.length);
      this.#keep(chunk, 0, at);
      if (this.#partialLength < FRAME_HEADER_BYTES) return at;
    }
    const size = this.#frameSize(this.#partial, 0);
    const end = Math.min(at + size - this.#partialLength, chunk.length);
    this.#keep(chunk, at, end);
    if (this.#partialLength === size) {
      this.#partialLength = 0;
      this.#read(this.#partial, 0, size);
    }
    return end;
  }

  #keep(chunk: Buffer, start: number, end: number): void {
    const needed = this.#partialLength + end - start;
    if (needed > this.#partial.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#partial.length * 2));
      this.#partial.copy(grown, 0, 0, this.#partialLength);
      this.#partial = grown;
    }
    this.#partialLength += chunk.copy(this.#partial, this.#partialLength, start, end);
  }

  #frameSize(bytes: Buffer, start: number): number {
    const size = bytes.readUInt32BE(start + 3) + FRAME_OVERHEAD_BYTES;
    if (size <= this.#frameMax) return size;
    throw broken(`a frame of ${size} bytes, the limit is ${this.#frameMax}`);
  }

  /** One whole frame. `next` is where the one behind it begins. */
  #read(bytes: Buffer, start: number, next: number): void {
    const end = next - 1;
    if (bytes.readUInt8(end) !== FRAME_END) throw broken("a frame without its end");
    const type = bytes.readUInt8(start);
    const channel = bytes.readUInt16BE(start + 1);
    const payload = start + FRAME_HEADER_BYTES;
    const content = this.#contents[channel];
    if (type === frameType.method) {
      const receiver = this.#target.receiver(channel);
      if (receiver !== undefined && this.#readMethod(bytes, payload, end, channel, receiver))
        return;
    } else if (content !== undefined && type === frameType.header) {
      return this.#readHeader(bytes, payload, end, channel, content);
    } else if (content !== undefined && type === frameType.body) {
      return this.#readBody(bytes, payload, end, channel, content);
    }
    this.#target.passOn(bytes.subarray(start, next));
  }

  /** Out: whether the frame needs nobody else. */
  #readMethod(
    bytes: Buffer,
    payload: number,
    end: number,
    channel: number,
    receiver: ChannelReceiver,
  ): boolean {
    const methodId = bytes.readUInt32BE(payload);
    const at = payload + 4;
    if (this.#contents[channel] !== undefined) {
      if (methodId !== method.channelClose) throw broken("a method frame inside a message");
      this.#contents[channel] = undefined;
    }
    if (methodId === method.basicDeliver) {
      this.#contents[channel] = this.#readDeliver(bytes, at, end, receiver);
      return true;
    }
    if (methodId === method.basicAck || methodId === method.basicNack) {
      const multiple = (bytes.readUInt8(at + 8) & 1) === 1;
      receiver.onConfirm(getUint64(bytes, at), multiple, methodId === method.basicAck);
      return true;
    }
    if (methodId === method.basicCancel) {
      const text = at + 1;
      receiver.onCancel(bytes.toString("utf8", text, text + bytes.readUInt8(at)));
    }
    return false;
  }

  #readDeliver(bytes: Buffer, start: number, end: number, receiver: ChannelReceiver): Content {
    let at = start + 1 + bytes.readUInt8(start);
    const consumerTag = this.#consumerTag.read(bytes, start + 1, at);
    const deliveryTag = getUint64(bytes, at);
    const redelivered = (bytes.readUInt8(at + 8) & 1) === 1;
    at += 9;
    const exchangeEnd = at + 1 + bytes.readUInt8(at);
    const exchange = this.#exchange.read(bytes, at + 1, exchangeEnd);
    const keyEnd = exchangeEnd + 1 + bytes.readUInt8(exchangeEnd);
    if (keyEnd > end) throw broken("basic.deliver is longer than its frame");
    const routingKey = this.#routingKey.read(bytes, exchangeEnd + 1, keyEnd);
    return new Content(receiver, consumerTag, deliveryTag, redelivered, exchange, routingKey);
  }

  #readHeader(
    bytes: Buffer,
    payload: number,
    end: number,
    channel: number,
    content: Content,
  ): void {
    if (content.properties !== NO_PROPERTIES) throw broken("two content headers for one message");
    content.bodySize = getUint64(bytes, payload + 4);
    content.properties = this.#properties.read(bytes, payload + 12, end);
    content.tooLarge = content.bodySize > content.receiver.maxBodyBytes;
    if (content.bodySize === 0) this.#finish(channel, content, NO_BODY);
  }

  #readBody(bytes: Buffer, start: number, end: number, channel: number, content: Content): void {
    const size = end - start;
    const received = content.received + size;
    if (content.properties === NO_PROPERTIES || received > content.bodySize) {
      throw broken(`${received} bytes of body where ${content.bodySize} were announced`);
    }
    const whole = size === content.bodySize;
    if (!whole && !content.tooLarge) {
      content.parts ??= Buffer.allocUnsafeSlow(content.bodySize);
      bytes.copy(content.parts, content.received, start, end);
    }
    content.received = received;
    if (received < content.bodySize) return;
    const body = whole ? bytes.subarray(start, end) : (content.parts ?? NO_BODY);
    this.#finish(channel, content, content.tooLarge ? NO_BODY : body);
  }

  #finish(channel: number, content: Content, body: Buffer): void {
    this.#contents[channel] = undefined;
    content.body = body;
    content.receiver.onDelivery(content);
  }
}

/** A message between its method frame and its last body frame, and then itself. */
class Content implements ArrivedMessage {
  readonly receiver: ChannelReceiver;
  readonly consumerTag: string;
  readonly deliveryTag: number;
  readonly redelivered: boolean;
  readonly exchange: string;
  readonly routingKey: string;
  properties = NO_PROPERTIES;
  body: Buffer = NO_BODY;
  bodySize = 0;
  tooLarge = false;
  /** Bytes of the body so far. */
  received = 0;
  /** Only for a body that comes in more than one frame. */
  parts: Buffer | null = null;

  constructor(
    receiver: ChannelReceiver,
    consumerTag: string,
    deliveryTag: number,
    redelivered: boolean,
    exchange: string,
    routingKey: string,
  ) {
    this.receiver = receiver;
    this.consumerTag = consumerTag;
    this.deliveryTag = deliveryTag;
    this.redelivered = redelivered;
    this.exchange = exchange;
    this.routingKey = routingKey;
  }
}

/** Most partial frames are the tail of a read of 64 KiB: a few hundred bytes. */
const INITIAL_PARTIAL_BYTES = 4_096;

function getUint64(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at) * UINT32_RANGE + bytes.readUInt32BE(at + 4);
}

function broken(detail: string): BedsError {
  return new BedsError("BEDS-Q011", { detail });
}
