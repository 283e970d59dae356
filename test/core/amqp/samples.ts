import { AMQPChannel, AMQPClient } from "@cloudamqp/amqp-client";
import { ClassId, Type, Writer } from "@cloudamqp/amqp-client/amqp-frame";
import type { FieldTable, FieldValue, OutgoingProperties } from "../../../core/amqp/index.ts";
import type { Random } from "../../helpers/random.ts";

/** A table that the library carries without loss: it has no integers of 32 bits without a sign. */
export function randomTable(random: Random, depth = 0): FieldTable {
  const entries: [string, FieldValue][] = [];
  for (let left = random.integer(0, 6); left > 0; left--) {
    entries.push([random.text(12), randomValue(random, depth + 1)]);
  }
  return Object.fromEntries(entries);
}

function randomValue(random: Random, depth: number): FieldValue {
  switch (random.integer(0, depth < 4 ? 8 : 6)) {
    case 0:
      return random.text(40);
    case 1:
      return random.integer(-2_147_483_648, 2_147_483_647);
    case 2:
      return random.integer(4_294_967_297, Number.MAX_SAFE_INTEGER);
    case 3:
      return random.chance(0.5);
    case 4:
      return null;
    case 5:
      return new Date(random.integer(0, 4_000_000_000) * 1000);
    case 6:
      // The library writes numbers of this size with 32 bits.
      return Math.fround(random.next() * 1000 + 0.5);
    case 7:
      return Array.from({ length: random.integer(0, 4) }, () => randomValue(random, depth + 1));
    default:
      return randomTable(random, depth);
  }
}

/** Properties, each of them there or not. */
export function randomProperties(random: Random): OutgoingProperties {
  const text = (): string => random.text(60);
  const all: OutgoingProperties = {
    contentType: text(),
    contentEncoding: text(),
    headers: randomTable(random),
    deliveryMode: random.chance(0.5) ? 1 : 2,
    priority: random.integer(1, 255),
    // The library reads UTF-8, we read bytes; what is ASCII is the same to both.
    correlationId: random.integer(0, Number.MAX_SAFE_INTEGER).toString(36),
    replyTo: text(),
    expiration: String(random.integer(1, 100_000)),
    messageId: text(),
    timestamp: random.integer(1, 4_000_000_000),
    type: text(),
    userId: text(),
    appId: text(),
  };
  return Object.fromEntries(Object.entries(all).filter(() => random.chance(0.5)));
}

/**
 * What the library makes of a message: its own content header and body frames, without
 * basic.publish.
 */
export async function contentFrames(
  channel: number,
  properties: OutgoingProperties,
  body: Uint8Array,
  frameMax: number,
): Promise<Buffer> {
  const client = new CapturingClient(`amqp://a:b@localhost/?frameMax=${frameMax}`);
  const { timestamp, headers, ...rest } = properties;
  await new AMQPChannel(client, channel).basicPublish("", "", body, {
    ...rest,
    ...(headers === undefined ? {} : { headers: { ...headers } }),
    ...(timestamp === undefined ? {} : { timestamp: new Date(timestamp * 1000) }),
  });
  const method = client.sent.readUInt32BE(3) + 8;
  return client.sent.subarray(method);
}

/** The library's encoder without a socket. */
class CapturingClient extends AMQPClient {
  sent = Buffer.alloc(0);

  override send(bytes: Uint8Array): Promise<void> {
    this.sent = Buffer.concat([this.sent, bytes]);
    return Promise.resolve();
  }
}

/** Any method frame, made by the library. */
export function methodFrame(
  channel: number,
  classId: ClassId,
  method: number,
  write: (writer: Writer) => void,
): Buffer {
  const writer = new Writer({ bufferSize: 4_096, type: Type.METHOD, channel, classId, method });
  write(writer);
  writer.finalize();
  return Buffer.from(writer.toUint8Array());
}

/** basic.deliver, made by the library. */
export function deliverFrame(
  channel: number,
  fields: {
    readonly consumerTag: string;
    readonly deliveryTag: number;
    readonly redelivered: boolean;
    readonly exchange: string;
    readonly routingKey: string;
  },
): Buffer {
  return methodFrame(channel, ClassId.BASIC, 60, (writer) => {
    writer.writeShortString(fields.consumerTag);
    writer.writeUint64(fields.deliveryTag);
    writer.writeUint8(fields.redelivered ? 1 : 0);
    writer.writeShortString(fields.exchange);
    writer.writeShortString(fields.routingKey);
  });
}
