import { BedsError } from "../contract/errors.ts";

/**
 * A value that an AMQP table can carry. Read as written, except that a number may come back as a
 * bigint.
 */
export type FieldValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | Date
  | Uint8Array
  | readonly FieldValue[]
  | { readonly [name: string]: FieldValue };

/** Headers of a message, arguments of a declaration. */
export type FieldTable = { readonly [name: string]: FieldValue };

/** Nesting beyond this is refused both ways: a table comes from outside and is read recursively. */
export const MAX_TABLE_DEPTH = 32;

/**
 * Encodes a table with its length before it. Errors: BEDS-B001 for a name over 255 bytes or nesting
 * too deep.
 */
export function encodeTable(table: FieldTable): Buffer {
  const sink: Sink = { bytes: Buffer.allocUnsafe(512), at: 0 };
  putTable(sink, table, 1);
  return Buffer.from(sink.bytes.subarray(0, sink.at));
}

/**
 * Reads a table that begins with its length. Strings are UTF-8, integers beyond 2^53 come as
 * bigint, timestamps as Date. Errors: BEDS-Q011 when it is no table or is nested too deeply.
 */
export function decodeTable(bytes: Buffer): FieldTable {
  try {
    return getTable({ bytes, at: 0 }, bytes.length, 1);
  } catch (thrown) {
    if (thrown instanceof BedsError) throw thrown;
    throw new BedsError("BEDS-Q011", { detail: "the headers are no table", cause: thrown });
  }
}

/** Where an encoder stands in a buffer that grows. */
interface Sink {
  bytes: Buffer;
  at: number;
}

/** Where a decoder stands. */
interface Source {
  readonly bytes: Buffer;
  at: number;
}

function room(sink: Sink, size: number): Buffer {
  const needed = sink.at + size;
  if (needed > sink.bytes.length) {
    const grown = Buffer.allocUnsafe(Math.max(needed, sink.bytes.length * 2));
    sink.bytes.copy(grown, 0, 0, sink.at);
    sink.bytes = grown;
  }
  return sink.bytes;
}

function putTable(sink: Sink, table: FieldTable, depth: number): void {
  checkDepth(depth, "BEDS-B001");
  const start = skipLength(sink);
  for (const [name, value] of Object.entries(table)) {
    const size = Buffer.byteLength(name);
    if (size > 255) {
      throw new BedsError("BEDS-B001", { detail: `a header's name has ${size} bytes` });
    }
    const bytes = room(sink, 1 + size);
    bytes.writeUInt8(size, sink.at);
    sink.at += 1 + bytes.write(name, sink.at + 1);
    putValue(sink, value, depth);
  }
  sink.bytes.writeUInt32BE(sink.at - start - 4, start);
}

function putArray(sink: Sink, items: readonly FieldValue[], depth: number): void {
  checkDepth(depth, "BEDS-B001");
  const start = skipLength(sink);
  for (const item of items) putValue(sink, item, depth);
  sink.bytes.writeUInt32BE(sink.at - start - 4, start);
}

function putValue(sink: Sink, value: FieldValue, depth: number): void {
  if (typeof value === "string") putText(sink, value);
  else if (typeof value === "number") putNumber(sink, value);
  else if (typeof value === "bigint") putLong(sink, "l", value);
  else if (typeof value === "boolean") {
    putKind(sink, "t", 1);
    sink.at = sink.bytes.writeUInt8(value ? 1 : 0, sink.at);
  } else if (value === null) putKind(sink, "V", 0);
  else if (value instanceof Date) {
    putLong(sink, "T", BigInt(Math.floor(value.getTime() / 1000)));
  } else if (value instanceof Uint8Array) {
    putKind(sink, "x", 4 + value.length);
    sink.at = sink.bytes.writeUInt32BE(value.length, sink.at);
    sink.bytes.set(value, sink.at);
    sink.at += value.length;
  } else if (isList(value)) {
    putKind(sink, "A", 0);
    putArray(sink, value, depth + 1);
  } else {
    putKind(sink, "F", 0);
    putTable(sink, value, depth + 1);
  }
}

function putText(sink: Sink, text: string): void {
  const size = Buffer.byteLength(text);
  putKind(sink, "S", 4 + size);
  sink.at = sink.bytes.writeUInt32BE(size, sink.at);
  sink.at += sink.bytes.write(text, sink.at);
}

function putNumber(sink: Sink, value: number): void {
  if (Number.isSafeInteger(value)) {
    if (value < -2_147_483_648 || value > 2_147_483_647) return putLong(sink, "l", BigInt(value));
    putKind(sink, "I", 4);
    sink.at = sink.bytes.writeInt32BE(value, sink.at);
    return;
  }
  putKind(sink, "d", 8);
  sink.at = sink.bytes.writeDoubleBE(value, sink.at);
}

function putLong(sink: Sink, kind: "l" | "T", value: bigint): void {
  putKind(sink, kind, 8);
  sink.at = sink.bytes.writeBigInt64BE(value, sink.at);
}

/** Writes the letter of a type and makes room for `size` bytes behind it. */
function putKind(sink: Sink, kind: string, size: number): void {
  const bytes = room(sink, 1 + size);
  sink.at = bytes.writeUInt8(kind.charCodeAt(0), sink.at);
}

function skipLength(sink: Sink): number {
  const start = sink.at;
  room(sink, 4);
  sink.at += 4;
  return start;
}

function getTable(source: Source, limit: number, depth: number): FieldTable {
  checkDepth(depth, "BEDS-Q011");
  const end = takeEnd(source, limit);
  const entries: [string, FieldValue][] = [];
  while (source.at < end) {
    const size = source.bytes.readUInt8(source.at);
    const name = takeText(source, source.at + 1, size, end);
    entries.push([name, getValue(source, end, depth)]);
  }
  // fromEntries defines own keys, so a header called __proto__ stays a header.
  return Object.fromEntries(entries);
}

function getArray(source: Source, limit: number, depth: number): readonly FieldValue[] {
  checkDepth(depth, "BEDS-Q011");
  const end = takeEnd(source, limit);
  const items: FieldValue[] = [];
  while (source.at < end) items.push(getValue(source, end, depth));
  return items;
}

function getValue(source: Source, limit: number, depth: number): FieldValue {
  const kind = String.fromCharCode(source.bytes.readUInt8(source.at++));
  switch (kind) {
    case "S":
      return takeText(source, source.at + 4, source.bytes.readUInt32BE(source.at), limit);
    case "F":
      return getTable(source, limit, depth + 1);
    case "A":
      return getArray(source, limit, depth + 1);
    case "x": {
      const end = takeEnd(source, limit);
      const value = Buffer.from(source.bytes.subarray(source.at, end));
      source.at = end;
      return value;
    }
    default:
      return getScalar(source, kind, limit);
  }
}

/** The kinds of RabbitMQ's dialect that have a fixed size (rabbitmq.com/amqp-0-9-1-errata). */
function getScalar(source: Source, kind: string, limit: number): FieldValue {
  const { bytes } = source;
  const at = source.at;
  const size = scalarSize(kind);
  source.at = within(at + size, limit);
  switch (kind) {
    case "t":
      return bytes.readUInt8(at) !== 0;
    case "b":
      return bytes.readInt8(at);
    case "B":
      return bytes.readUInt8(at);
    case "s":
      return bytes.readInt16BE(at);
    case "u":
      return bytes.readUInt16BE(at);
    case "I":
      return bytes.readInt32BE(at);
    case "i":
      return bytes.readUInt32BE(at);
    case "l":
      return narrow(bytes.readBigInt64BE(at));
    case "f":
      return bytes.readFloatBE(at);
    case "d":
      return bytes.readDoubleBE(at);
    case "D":
      return bytes.readInt32BE(at + 1) / 10 ** bytes.readUInt8(at);
    case "T":
      return new Date(Number(bytes.readBigInt64BE(at)) * 1000);
    default:
      return null;
  }
}

function scalarSize(kind: string): number {
  const size = SCALAR_SIZES.get(kind);
  if (size !== undefined) return size;
  throw new BedsError("BEDS-Q011", { detail: `a header is of the unknown type '${kind}'` });
}

const SCALAR_SIZES: ReadonlyMap<string, number> = new Map([
  ["t", 1],
  ["b", 1],
  ["B", 1],
  ["s", 2],
  ["u", 2],
  ["I", 4],
  ["i", 4],
  ["l", 8],
  ["f", 4],
  ["d", 8],
  ["D", 5],
  ["T", 8],
  ["V", 0],
]);

function takeEnd(source: Source, limit: number): number {
  const size = source.bytes.readUInt32BE(source.at);
  source.at += 4;
  return within(source.at + size, limit);
}

function takeText(source: Source, start: number, size: number, limit: number): string {
  source.at = within(start + size, limit);
  return source.bytes.toString("utf8", start, source.at);
}

function within(end: number, limit: number): number {
  if (end <= limit) return end;
  throw new BedsError("BEDS-Q011", { detail: "a header is longer than its table" });
}

function narrow(value: bigint): number | bigint {
  const narrowed = Number(value);
  return Number.isSafeInteger(narrowed) ? narrowed : value;
}

function isList(value: FieldValue): value is readonly FieldValue[] {
  return Array.isArray(value);
}

function checkDepth(depth: number, code: "BEDS-B001" | "BEDS-Q011"): void {
  if (depth <= MAX_TABLE_DEPTH) return;
  throw new BedsError(code, { detail: `headers are nested deeper than ${MAX_TABLE_DEPTH}` });
}
