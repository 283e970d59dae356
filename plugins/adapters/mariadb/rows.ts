import type { FieldPacket } from "mysql2";
import {
  BedsError,
  type FieldType,
  type JsonValue,
  type Row,
  type Template,
} from "../../../core/contract/index.ts";
import type { Reply } from "./connection.ts";

type Decoder = (cell: unknown) => JsonValue | undefined;

/**
 * Turns the cells of a result set into rows as JSON can carry them: by the template's field where
 * the column is one, by the column's own type otherwise. Decoders are chosen once and kept while
 * the columns stay the same. Errors: BEDS-D009 for a cell that is not what the field says.
 */
export class RowReader {
  readonly #fields: ReadonlyMap<string, FieldType>;
  #columns: readonly Column[] = [];

  constructor(template: Template) {
    this.#fields = new Map(template.fields.map((field) => [field.column, field.type]));
  }

  read(reply: Reply): readonly Row[] {
    if (reply.rows.length === 0) return [];
    if (!sameColumns(this.#columns, reply.columns)) {
      this.#columns = reply.columns.map((packet) => column(packet, this.#fields.get(packet.name)));
    }
    const columns = this.#columns;
    return reply.rows.map((cells) => {
      const row: { [name: string]: JsonValue } = {};
      columns.forEach(({ name, decode, says }, at) => {
        const cell = cells[at];
        const value = cell === null ? null : decode(cell);
        if (value === undefined) {
          throw new BedsError("BEDS-D009", { detail: `column ${name} does not hold ${says}` });
        }
        row[name] = value;
      });
      return row;
    });
  }
}

interface Column {
  readonly name: string;
  readonly type: number;
  readonly decimals: number;
  readonly decode: Decoder;
  /** What was expected, for people. */
  readonly says: string;
}

/**
 * Numbers of the column types in the protocol, as far as their values need more than being passed
 * on.
 */
const columnTypes = { timestamp: 7, datetime: 12, bit: 16 } as const;

function sameColumns(known: readonly Column[], packets: readonly FieldPacket[]): boolean {
  if (known.length !== packets.length) return false;
  return packets.every((packet, at) => {
    const same = known[at];
    return (
      same?.name === packet.name &&
      same.type === packet.columnType &&
      same.decimals === packet.decimals
    );
  });
}

function column(packet: FieldPacket, field: FieldType | undefined): Column {
  const type = packet.columnType ?? -1;
  const { name, decimals } = packet;
  if (field === undefined) {
    return { name, type, decimals, decode: plainDecoder(type, decimals), says: "a plain value" };
  }
  const decode = field === "datetime" ? momentDecoder(decimals) : decoders[field];
  return { name, type, decimals, decode, says: `a ${field}` };
}

/**
 * By the column's own type: the driver is set to hand over 64-bit integers, decimals, times and
 * JSON as strings.
 */
function plainDecoder(type: number, decimals: number): Decoder {
  if (type === columnTypes.datetime || type === columnTypes.timestamp) {
    return momentDecoder(decimals);
  }
  if (type === columnTypes.bit) return (cell) => (Buffer.isBuffer(cell) ? bits(cell) : undefined);
  return (cell) => {
    if (typeof cell === "string" || typeof cell === "number") return cell;
    return Buffer.isBuffer(cell) ? cell.toString("base64") : undefined;
  };
}

/** Undefined means: the cell is not of the field's type. */
const decoders: { readonly [type in Exclude<FieldType, "datetime">]: Decoder } = {
  string: text,
  enum: text,
  uuid: text,
  date: text,
  time: text,
  int(cell) {
    const number = typeof cell === "string" && /^-?\d+$/.test(cell) ? Number(cell) : cell;
    return typeof number === "number" && Number.isSafeInteger(number) ? number : undefined;
  },
  bigint: (cell) => matching(cell, /^-?\d+$/),
  decimal: (cell) => matching(cell, /^-?\d+(\.\d+)?$/),
  bool(cell) {
    const digits = Buffer.isBuffer(cell) ? bits(cell) : String(cell);
    return digits === "0" || digits === "1" ? digits === "1" : undefined;
  },
  bytes(cell) {
    if (Buffer.isBuffer(cell)) return cell.toString("base64");
    return typeof cell === "string" ? Buffer.from(cell, "utf8").toString("base64") : undefined;
  },
  json(cell) {
    const source = text(cell);
    if (typeof source !== "string") return undefined;
    try {
      const value: JsonValue = JSON.parse(source);
      return value;
    } catch {
      return undefined;
    }
  },
};

/** A column of bytes that a template calls text, such as the result of a function, is UTF-8. */
function text(cell: unknown): JsonValue | undefined {
  if (typeof cell === "string") return cell;
  if (typeof cell === "number") return String(cell);
  return Buffer.isBuffer(cell) ? cell.toString("utf8") : undefined;
}

function matching(cell: unknown, pattern: RegExp): string | undefined {
  const source = typeof cell === "number" ? String(cell) : cell;
  return typeof source === "string" && pattern.test(source) ? source : undefined;
}

/**
 * `2026-01-02 03:04:05.6` of a DATETIME(3) → `2026-01-02T03:04:05.600Z`: the column says how many
 * digits it keeps.
 */
function momentDecoder(decimals: number): Decoder {
  const kept = decimals > 0 && decimals <= 6 ? decimals : 0;
  return (cell) => {
    if (typeof cell !== "string") return undefined;
    const [whole = "", fraction = ""] = cell.split(".");
    const digits = kept === 0 ? "" : `.${fraction.padEnd(kept, "0")}`;
    return `${whole.replace(" ", "T")}${digits}Z`;
  };
}

function bits(cell: Buffer): string {
  return BigInt(`0x${cell.toString("hex") || "0"}`).toString();
}
