import { AMQPView } from "@cloudamqp/amqp-client/amqp-view";
import { describe, expect, test } from "bun:test";
import { decodeTable, encodeTable, type FieldValue } from "../../../core/amqp/field-table.ts";
import { BedsError } from "../../../core/contract/index.ts";
import { Random } from "../../helpers/random.ts";
import { randomTable } from "./samples.ts";

function viewOf(bytes: Buffer): AMQPView {
  return new AMQPView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function thrownBy(call: () => unknown): BedsError {
  try {
    call();
  } catch (thrown) {
    return BedsError.from(thrown);
  }
  throw new Error("nothing was thrown");
}

function nested(depth: number): FieldValue {
  let value: FieldValue = 1;
  for (let left = depth; left > 0; left--) value = left % 2 === 0 ? [value] : { deeper: value };
  return value;
}

describe("a field table", () => {
  test("the library reads what we write, and we read what the library writes", () => {
    for (let round = 0; round < 300; round++) {
      const random = new Random();
      const note = `seed ${random.seed}`;
      const table = randomTable(random);
      const ours = encodeTable(table);
      const [read, length] = viewOf(ours).getTable(0);
      expect(read, note).toEqual({ ...table });
      expect(length, note).toBe(ours.length);
      const theirs = Buffer.alloc(65_536);
      const size = viewOf(theirs).setTable(0, { ...table });
      expect(decodeTable(theirs.subarray(0, size)), note).toEqual(table);
    }
  });

  test("every number comes back as it was", () => {
    const numbers = [
      0,
      -0.1,
      1 / 3,
      2 ** 31 - 1,
      2 ** 31,
      -(2 ** 31),
      -(2 ** 31) - 1,
      2 ** 53 - 1,
      1e300,
    ];
    const table = { numbers, big: 2n ** 62n, small: -(2n ** 62n), inBetween: 5n };
    expect(decodeTable(encodeTable(table))).toEqual({ ...table, inBetween: 5 });
  });

  test("a header may have any name", () => {
    const table = Object.fromEntries([
      ["__proto__", "own"],
      ["", 1],
      ["constructor", 2],
    ]);
    const read = decodeTable(encodeTable(table));
    expect(Object.getOwnPropertyDescriptor(read, "__proto__")?.value).toBe("own");
    expect(Object.keys(read)).toEqual(["__proto__", "", "constructor"]);
  });

  test("depth 32 is read, 33 is refused both ways", () => {
    expect(decodeTable(encodeTable({ value: nested(31) }))).toEqual({ value: nested(31) });
    expect(thrownBy(() => encodeTable({ value: nested(32) })).code).toBe("BEDS-B001");
    // Made by hand: each level is a table whose one field, called "", holds the next.
    let bytes = Buffer.from([0, 0, 0, 0]);
    for (let level = 0; level < 33; level++) {
      const head = Buffer.from([0, 0, 0, 0, 0, "F".charCodeAt(0)]);
      head.writeUInt32BE(bytes.length + 2);
      bytes = Buffer.concat([head, bytes]);
    }
    expect(thrownBy(() => decodeTable(bytes)).code).toBe("BEDS-Q011");
  });

  test("a broken table is an error, whatever is broken", () => {
    for (let round = 0; round < 500; round++) {
      const random = new Random();
      const bytes = encodeTable(randomTable(random));
      if (random.chance(0.5)) bytes[random.integer(0, bytes.length - 1)] = random.integer(0, 255);
      const cut = random.chance(0.5) ? bytes.subarray(0, random.integer(0, bytes.length)) : bytes;
      try {
        decodeTable(cut);
      } catch (thrown) {
        expect(BedsError.from(thrown).code, `seed ${random.seed}`).toBe("BEDS-Q011");
      }
    }
    expect(thrownBy(() => decodeTable(Buffer.from([0, 0, 0, 9, 1, 97, 83, 0, 0]))).code).toBe(
      "BEDS-Q011",
    );
    expect(thrownBy(() => decodeTable(Buffer.from([0, 0, 0, 3, 1, 97, 63]))).code).toBe(
      "BEDS-Q011",
    );
  });

  test("a value may not reach beyond its table, although there are bytes", () => {
    const text = Buffer.from([0, 0, 0, 7, 1, 97, 83, 0, 0, 0, 2, 98, 99]);
    expect(thrownBy(() => decodeTable(text)).code).toBe("BEDS-Q011");
    text.writeUInt32BE(9, 0);
    expect(decodeTable(text)).toEqual({ a: "bc" });
    const number = Buffer.from([0, 0, 0, 4, 1, 97, 73, 0, 0, 0, 2]);
    expect(thrownBy(() => decodeTable(number)).code).toBe("BEDS-Q011");
  });

  test("a name over 255 bytes is refused", () => {
    expect(thrownBy(() => encodeTable({ ["é".repeat(128)]: 1 })).code).toBe("BEDS-B001");
  });
});
