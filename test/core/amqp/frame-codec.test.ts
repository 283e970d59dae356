import { ClassId } from "@cloudamqp/amqp-client/amqp-frame";
import { AMQPView } from "@cloudamqp/amqp-client/amqp-view";
import { describe, expect, test } from "bun:test";
import {
  type ArrivedMessage,
  type ChannelReceiver,
  FrameReader,
} from "../../../core/amqp/frame-reader.ts";
import { PropertyReader } from "../../../core/amqp/message-properties.ts";
import { FrameWriter, type OutgoingMessage } from "../../../core/amqp/frame-writer.ts";
import { OutputBuffer } from "../../../core/amqp/output-buffer.ts";
import { BedsError } from "../../../core/contract/index.ts";
import { Random } from "../../helpers/random.ts";
import { contentFrames, deliverFrame, methodFrame, randomProperties } from "./samples.ts";

const FRAME_MAX = 131_072;
const HEARTBEAT = Buffer.from([8, 0, 0, 0, 0, 0, 0, 206]);

/** What a channel received, copied: bodies do not outlive the callback. */
class Recorder implements ChannelReceiver {
  readonly maxBodyBytes: number;
  readonly messages: (ArrivedMessage & { readonly copy: Buffer })[] = [];
  readonly confirms: [number, boolean, boolean][] = [];
  readonly cancels: string[] = [];

  constructor(maxBodyBytes = 10_000_000) {
    this.maxBodyBytes = maxBodyBytes;
  }

  onDelivery(message: ArrivedMessage): void {
    const { consumerTag, deliveryTag, redelivered, exchange, routingKey } = message;
    const { properties, body, bodySize, tooLarge } = message;
    this.messages.push({
      ...{ consumerTag, deliveryTag, redelivered, exchange, routingKey },
      ...{ properties, body, bodySize, tooLarge, copy: Buffer.from(body) },
    });
  }

  onConfirm(tag: number, multiple: boolean, positive: boolean): void {
    this.confirms.push([tag, multiple, positive]);
  }

  onCancel(consumerTag: string): void {
    this.cancels.push(consumerTag);
  }
}

function readerOf(
  receivers: Readonly<Record<number, ChannelReceiver>>,
  others: Buffer[] = [],
  frameMax = FRAME_MAX,
): FrameReader {
  return new FrameReader(frameMax, {
    receiver: (channel) => receivers[channel],
    passOn: (frame) => others.push(Buffer.from(frame)),
  });
}

/** Every chunk in a buffer of its own that is overwritten afterwards, as a transport may do. */
function pushInChunks(reader: FrameReader, bytes: Buffer, size: () => number): void {
  for (let at = 0; at < bytes.length;) {
    const end = Math.min(at + size(), bytes.length);
    const chunk = Buffer.from(bytes.subarray(at, end));
    reader.push(chunk);
    chunk.fill(0xaa);
    at = end;
  }
}

function encoded(message: OutgoingMessage, channel = 1, frameMax = FRAME_MAX): Buffer {
  const writes: Buffer[] = [];
  const output = new OutputBuffer((bytes) => writes.push(Buffer.from(bytes)) > 0);
  new FrameWriter(output, frameMax).publish(channel, message);
  output.flush();
  return Buffer.concat(writes);
}

/** Cuts a run of frames and checks what every frame must have. */
function framesOf(
  bytes: Buffer,
  frameMax: number,
): { type: number; channel: number; payload: Buffer }[] {
  const frames: { type: number; channel: number; payload: Buffer }[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 7 + bytes.readUInt32BE(at + 3);
    expect(bytes[end]).toBe(206);
    expect(end + 1 - at).toBeLessThanOrEqual(frameMax);
    const payload = bytes.subarray(at + 7, end);
    frames.push({ type: bytes.readUInt8(at), channel: bytes.readUInt16BE(at + 1), payload });
    at = end + 1;
  }
  return frames;
}

function viewOf(bytes: Buffer): AMQPView {
  return new AMQPView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function failure(call: () => unknown): BedsError {
  try {
    call();
  } catch (thrown) {
    return BedsError.from(thrown);
  }
  throw new Error("nothing was thrown");
}

describe("the writer", () => {
  test("makes what the library's decoder reads", () => {
    for (let round = 0; round < 200; round++) {
      const random = new Random();
      const note = `seed ${random.seed}`;
      const frameMax = random.pick([8_192, FRAME_MAX]);
      const properties = randomProperties(random);
      const size = random.pick([0, 1, 160, frameMax - 9, frameMax - 8, frameMax - 7, 300_000]);
      const text = random.chance(0.5);
      const body = text ? random.text(Math.max(1, size >> 2)) : random.bytes(size);
      const message = {
        exchange: random.chance(0.5) ? "" : random.text(20),
        routingKey: random.text(40),
        mandatory: random.chance(0.5),
        properties,
        body,
      };
      const channel = random.integer(1, 65_535);
      const [method, header, ...rest] = framesOf(encoded(message, channel, frameMax), frameMax);
      if (method === undefined || header === undefined) throw new Error(note);
      const published = viewOf(method.payload);
      expect([method.type, method.channel, published.getUint32(0)], note).toEqual([
        1,
        channel,
        0x003c0028,
      ]);
      const [exchange, exchangeLength] = published.getShortString(6);
      const [routingKey, keyLength] = published.getShortString(6 + exchangeLength);
      const flags = published.getUint8(6 + exchangeLength + keyLength);
      expect([exchange, routingKey, flags === 1], note).toEqual([
        message.exchange,
        message.routingKey,
        message.mandatory,
      ]);
      const expected = Buffer.from(body);
      const content = viewOf(header.payload);
      expect([header.type, header.channel, content.getUint16(0)], note).toEqual([2, channel, 60]);
      expect(content.getUint64(4), note).toBe(expected.length);
      const [read, length] = content.getProperties(12);
      expect(12 + length, note).toBe(header.payload.length);
      const { timestamp, ...others } = properties;
      const seconds = timestamp === undefined ? {} : { timestamp: new Date(timestamp * 1000) };
      expect(read, note).toEqual({ ...others, ...seconds } as object);
      for (const frame of rest) expect([frame.type, frame.channel], note).toEqual([3, channel]);
      expect(Buffer.concat(rest.map((frame) => frame.payload)).equals(expected), note).toBe(true);
      expect(rest, note).toHaveLength(Math.ceil(expected.length / (frameMax - 8)));
    }
  });

  test("one route after another on several channels", () => {
    const writes: Buffer[] = [];
    const output = new OutputBuffer((bytes) => writes.push(Buffer.from(bytes)) > 0);
    const writer = new FrameWriter(output, FRAME_MAX);
    const expected: string[] = [];
    const random = new Random();
    for (let round = 0; round < 300; round++) {
      const channel = random.integer(1, 3);
      const exchange = random.pick(["", "beds.events"]);
      const routingKey = random.pick(["a", "b"]);
      const mandatory = random.chance(0.5);
      writer.publish(channel, { exchange, routingKey, mandatory, body: "", properties: {} });
      expected.push(`${channel} ${exchange} ${routingKey} ${mandatory}`);
    }
    output.flush();
    const methods = framesOf(Buffer.concat(writes), FRAME_MAX).filter(({ type }) => type === 1);
    const found = methods.map(({ channel, payload }) => {
      const view = viewOf(payload);
      const [exchange, length] = view.getShortString(6);
      const [key, keyLength] = view.getShortString(6 + length);
      return `${channel} ${exchange} ${key} ${view.getUint8(6 + length + keyLength) === 1}`;
    });
    expect(found).toEqual(expected);
  });

  test("acks, rejects and requeues are the library's bytes", () => {
    const writes: Buffer[] = [];
    const output = new OutputBuffer((bytes) => writes.push(Buffer.from(bytes)) > 0);
    const writer = new FrameWriter(output, FRAME_MAX);
    const tag = 2 ** 40 + 7;
    writer.ack(3, tag, true);
    writer.ack(3, 1, false);
    writer.reject(4, tag);
    writer.requeue(5, tag);
    writer.heartbeat();
    output.flush();
    const theirs = (channel: number, method: number, of: number, bits: number): Buffer =>
      methodFrame(channel, ClassId.BASIC, method, (frame) => {
        frame.writeUint64(of);
        frame.writeUint8(bits);
      });
    const expected = [theirs(3, 80, tag, 1), theirs(3, 80, 1, 0), theirs(4, 90, tag, 0)];
    expected.push(theirs(5, 120, tag, 2), HEARTBEAT);
    expect(Buffer.concat(writes).equals(Buffer.concat(expected))).toBe(true);
  });

  test("refuses what does not fit, and leaves nothing behind", () => {
    const writes: Buffer[] = [];
    const output = new OutputBuffer((bytes) => writes.push(Buffer.from(bytes)) > 0);
    const writer = new FrameWriter(output, 8_192);
    const message = { exchange: "", routingKey: "q", body: "x", properties: {} };
    const long = "é".repeat(128);
    const refused = [
      { ...message, routingKey: long },
      { ...message, exchange: "x".repeat(256) },
      { ...message, properties: { correlationId: "x".repeat(256) } },
      { ...message, properties: { userId: "x".repeat(5_000) } },
      { ...message, properties: { headers: { big: "x".repeat(8_000) } } },
    ];
    for (const wrong of refused) {
      expect(failure(() => writer.publish(1, wrong)).code).toBe("BEDS-B001");
    }
    output.flush();
    expect(writes).toEqual([]);
  });
});

describe("a correlation id", () => {
  test("of any bytes comes back as it was: it is its sender's alone", () => {
    const correlationId = Buffer.from(
      Uint8Array.from({ length: 255 }, (_, at) => 255 - at),
    ).toString("latin1");
    const bytes = encoded({
      exchange: "",
      routingKey: "q",
      body: "",
      properties: { correlationId },
    });
    const [, header] = framesOf(bytes, FRAME_MAX);
    if (header === undefined) throw new Error("no content header");
    const properties = new PropertyReader().read(header.payload, 12, header.payload.length);
    expect(properties.correlationId).toBe(correlationId);
  });
});

describe("the reader", () => {
  test("reads what the library's encoder makes, wherever the chunks end", async () => {
    for (let round = 0; round < 60; round++) {
      const random = new Random();
      const note = `seed ${random.seed}`;
      const frameMax = random.pick([8_192, FRAME_MAX]);
      const receivers = { 1: new Recorder(), 7: new Recorder() };
      const parts: Buffer[] = [];
      const sent: {
        fields: Parameters<typeof deliverFrame>[1];
        channel: 1 | 7;
        body: Buffer;
        properties: object;
      }[] = [];
      for (let left = random.integer(1, 8); left > 0; left--) {
        const channel = random.pick([1, 7] as const);
        const properties = randomProperties(random);
        const body = random.bytes(random.pick([0, 1, 200, 5_000, frameMax - 8, 300_000]));
        const fields = {
          consumerTag: random.text(20),
          deliveryTag: random.integer(1, Number.MAX_SAFE_INTEGER),
          redelivered: random.chance(0.5),
          exchange: random.chance(0.5) ? "" : random.text(20),
          routingKey: random.text(40),
        };
        parts.push(deliverFrame(channel, fields));
        parts.push(await contentFrames(channel, properties, body, frameMax), HEARTBEAT);
        sent.push({ fields, channel, body, properties });
      }
      const others: Buffer[] = [];
      const max = random.pick([1, 7, 100, 4_000, 65_536, 10_000_000]);
      const reader = readerOf(receivers, others, frameMax);
      pushInChunks(reader, Buffer.concat(parts), () => (max === 1 ? 1 : random.integer(1, max)));
      expect(others, note).toHaveLength(sent.length);
      const at = { 1: 0, 7: 0 };
      for (const { fields, channel, body, properties } of sent) {
        const message = receivers[channel].messages[at[channel]++];
        if (message === undefined) throw new Error(note);
        expect(message, note).toMatchObject({ ...fields, bodySize: body.length, tooLarge: false });
        expect(message.copy.equals(body), note).toBe(true);
        const headers = "headers" in properties ? {} : { headers: {} };
        expect({ ...message.properties, headers: message.properties.headers }, note).toMatchObject({
          ...properties,
          ...headers,
        });
      }
    }
  });

  test("messages of several channels may be interleaved, frame by frame", async () => {
    const random = new Random();
    const receivers = { 1: new Recorder(), 2: new Recorder(), 3: new Recorder() };
    const queues = await Promise.all(
      ([1, 2, 3] as const).map(async (channel) => {
        const body = Buffer.alloc(40_000, channel);
        const fields = {
          consumerTag: "c",
          deliveryTag: channel,
          redelivered: false,
          exchange: "",
          routingKey: "q",
        };
        const bytes = Buffer.concat([
          deliverFrame(channel, fields),
          await contentFrames(channel, { messageId: `m${channel}` }, body, 8_192),
        ]);
        return framesOf(bytes, 8_192).map(({ type, payload }) => {
          const frame = Buffer.alloc(payload.length + 8);
          frame.writeUInt8(type, 0);
          frame.writeUInt16BE(channel, 1);
          frame.writeUInt32BE(payload.length, 3);
          payload.copy(frame, 7);
          frame.writeUInt8(206, payload.length + 7);
          return frame;
        });
      }),
    );
    const mixed: Buffer[] = [];
    while (queues.some((queue) => queue.length > 0)) {
      const frame = random.pick(queues.filter((queue) => queue.length > 0)).shift();
      if (frame !== undefined) mixed.push(frame);
    }
    pushInChunks(readerOf(receivers), Buffer.concat(mixed), () => random.integer(1, 10_000));
    for (const channel of [1, 2, 3] as const) {
      const [message] = receivers[channel].messages;
      expect(message?.properties.messageId, `seed ${random.seed}`).toBe(`m${channel}`);
      expect(message?.copy.equals(Buffer.alloc(40_000, channel))).toBe(true);
    }
  });

  test("a body over the limit is skipped and reported, and the next one is whole", async () => {
    const receiver = new Recorder(1_000);
    const fields = {
      consumerTag: "c",
      deliveryTag: 1,
      redelivered: false,
      exchange: "",
      routingKey: "q",
    };
    const bodies = [1_000, 1_001, 300_000, 5].map((size) => Buffer.alloc(size, 7));
    const parts: Buffer[] = [];
    for (const body of bodies) {
      parts.push(deliverFrame(1, fields), await contentFrames(1, {}, body, 8_192));
    }
    pushInChunks(readerOf({ 1: receiver }), Buffer.concat(parts), () => 3_000);
    const seen = receiver.messages.map(({ tooLarge, bodySize, copy }) => [
      tooLarge,
      bodySize,
      copy.length,
    ]);
    expect(seen).toEqual([
      [false, 1_000, 1_000],
      [true, 1_001, 0],
      [true, 300_000, 0],
      [false, 5, 5],
    ]);
  });

  test("a body over the limit takes no memory, whatever its announced size", async () => {
    const receiver = new Recorder(1_000);
    const content = await contentFrames(1, {}, Buffer.alloc(2_000), 8_192);
    // The upper half of the announced size: 2^48 bytes and more are to come.
    content.writeUInt32BE(65_536, 11);
    readerOf({ 1: receiver }).push(Buffer.concat([deliverFrame(1, fields), content]));
    expect(receiver.messages).toEqual([]);
  });

  test("a channel without a receiver is the library's", async () => {
    const fields = {
      consumerTag: "c",
      deliveryTag: 1,
      redelivered: false,
      exchange: "",
      routingKey: "q",
    };
    const bytes = Buffer.concat([
      deliverFrame(9, fields),
      await contentFrames(9, {}, Buffer.from("x"), 8_192),
    ]);
    const others: Buffer[] = [];
    pushInChunks(readerOf({ 1: new Recorder() }, others), bytes, () => 3);
    expect(Buffer.concat(others).equals(bytes)).toBe(true);
    expect(others).toHaveLength(3);
  });

  test("a returned message is the library's, although the channel has a receiver", async () => {
    const receiver = new Recorder();
    const returned = methodFrame(1, ClassId.BASIC, 50, (writer) => {
      writer.writeUint16(312);
      writer.writeShortString("NO_ROUTE");
      writer.writeShortString("");
      writer.writeShortString("q");
    });
    const bytes = Buffer.concat([returned, await contentFrames(1, {}, Buffer.from("x"), 8_192)]);
    const others: Buffer[] = [];
    pushInChunks(readerOf({ 1: receiver }, others), bytes, () => 5);
    expect(Buffer.concat(others).equals(bytes)).toBe(true);
    expect(receiver.messages).toEqual([]);
  });

  test("confirms and cancels reach the receiver; a cancel the library as well", () => {
    const receiver = new Recorder();
    const confirm = (method: number, tag: number, bits: number): Buffer =>
      methodFrame(1, ClassId.BASIC, method, (writer) => {
        writer.writeUint64(tag);
        writer.writeUint8(bits);
      });
    const cancel = methodFrame(1, ClassId.BASIC, 30, (writer) => {
      writer.writeShortString("tag");
      writer.writeUint8(1);
    });
    const others: Buffer[] = [];
    readerOf({ 1: receiver }, others).push(
      Buffer.concat([confirm(80, 5, 1), confirm(120, 2 ** 33, 0), cancel]),
    );
    expect(receiver.confirms).toEqual([
      [5, true, true],
      [2 ** 33, false, false],
    ]);
    expect(receiver.cancels).toEqual(["tag"]);
    expect(others.map((frame) => frame.equals(cancel))).toEqual([true]);
  });

  const fields = {
    consumerTag: "c",
    deliveryTag: 1,
    redelivered: false,
    exchange: "",
    routingKey: "q",
  };
  const brokenStreams: readonly (readonly [what: string, bytes: () => Promise<Buffer>])[] = [
    ["a wrong end", async () => Buffer.from([8, 0, 0, 0, 0, 0, 0, 205])],
    ["a size above the limit", async () => Buffer.from([3, 0, 1, 0, 2, 0, 1])],
    ["no AMQP at all", async () => Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")],
    [
      "a second method inside a message",
      async () => Buffer.concat([deliverFrame(1, fields), deliverFrame(1, fields)]),
    ],
    [
      "a body before its header",
      async () =>
        Buffer.concat([deliverFrame(1, fields), Buffer.from([3, 0, 1, 0, 0, 0, 1, 65, 206])]),
    ],
    [
      "more body than announced",
      async () => {
        const content = await contentFrames(1, {}, Buffer.from("abc"), 8_192);
        // The lower byte of the announced size.
        content.writeUInt8(2, 18);
        return Buffer.concat([deliverFrame(1, fields), content]);
      },
    ],
    [
      "a text longer than its frame",
      async () => {
        const content = await contentFrames(1, { correlationId: "abc" }, Buffer.alloc(0), 8_192);
        content.writeUInt8(200, 21);
        return Buffer.concat([deliverFrame(1, fields), content, Buffer.alloc(300)]);
      },
    ],
  ];
  for (const [what, bytes] of brokenStreams) {
    test(`${what} is BEDS-Q011`, async () => {
      const stream = await bytes();
      const reader = readerOf({ 1: new Recorder() });
      expect(failure(() => reader.push(stream)).code).toBe("BEDS-Q011");
    });
  }
});
