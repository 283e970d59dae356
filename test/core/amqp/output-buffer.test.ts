import { describe, expect, test } from "bun:test";
import { OutputBuffer } from "../../../core/amqp/output-buffer.ts";
import { BedsError } from "../../../core/contract/index.ts";

/** A socket that keeps what it is given. */
class FakeSocket {
  readonly writes: Buffer[] = [];
  wantsMore = true;
  readonly write = (bytes: Buffer): boolean => {
    this.writes.push(bytes);
    return this.wantsMore;
  };

  get text(): string {
    return Buffer.concat(this.writes).toString();
  }
}

function put(output: OutputBuffer, text: string): void {
  const bytes = output.reserve(text.length);
  output.commit(output.length + bytes.write(text, output.length));
}

function codeOf(call: () => unknown): string {
  try {
    call();
  } catch (thrown) {
    return BedsError.from(thrown).code;
  }
  return "nothing was thrown";
}

describe("the output buffer", () => {
  test("makes one write of a turn, at its end", async () => {
    const socket = new FakeSocket();
    const output = new OutputBuffer(socket.write);
    for (const text of ["a", "b", "c"]) put(output, text);
    expect(socket.writes).toEqual([]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(socket.writes.map(String)).toEqual(["abc"]);
    put(output, "d");
    await Bun.sleep(1);
    expect(socket.writes.map(String)).toEqual(["abc", "d"]);
  });

  test("writes at once when enough is there", () => {
    const socket = new FakeSocket();
    const output = new OutputBuffer(socket.write, { flushBytes: 4, maxBytes: 100 });
    put(output, "abc");
    expect(socket.writes).toHaveLength(0);
    put(output, "d");
    expect(socket.text).toBe("abcd");
  });

  test("puts what the hooks append behind everything else", () => {
    const socket = new FakeSocket();
    const output = new OutputBuffer(socket.write);
    const remove = output.beforeFlush(() => output.append(Buffer.from("ack")));
    put(output, "reply ");
    output.flush();
    expect(socket.text).toBe("reply ack");
    remove();
    put(output, " more");
    output.flush();
    expect(socket.text).toBe("reply ack more");
  });

  test("runs the hooks of a turn in which nothing else was written", async () => {
    const socket = new FakeSocket();
    const output = new OutputBuffer(socket.write);
    output.beforeFlush(() => output.append(Buffer.from("ack")));
    output.touch();
    await Bun.sleep(1);
    expect(socket.text).toBe("ack");
  });

  test("waits for a full socket, and loses nothing", async () => {
    const socket = new FakeSocket();
    const output = new OutputBuffer(socket.write, { flushBytes: 4, maxBytes: 10_000_000 });
    socket.wantsMore = false;
    put(output, "first");
    put(output, "second");
    const big = "x".repeat(400_000);
    put(output, big);
    await Bun.sleep(1);
    expect(socket.text).toBe("first");
    const flushed = output.flushed();
    socket.wantsMore = true;
    output.resume();
    await flushed;
    expect(socket.text).toBe(`firstsecond${big}`);
    put(output, "third");
    output.flush();
    expect(socket.text.endsWith("xthird")).toBe(true);
  });

  test("keeps what it has handed out as it was", () => {
    const socket = new FakeSocket();
    const output = new OutputBuffer(socket.write);
    put(output, "one");
    output.flush();
    put(output, "two");
    output.flush();
    expect(socket.writes.map(String)).toEqual(["one", "two"]);
  });

  test("refuses messages beyond its limit, but no ack", () => {
    const socket = new FakeSocket();
    const output = new OutputBuffer(socket.write, { flushBytes: 1_000, maxBytes: 10 });
    put(output, "0123456789");
    expect(codeOf(() => output.reserve(1))).toBe("BEDS-Q010");
    output.append(Buffer.from("ack"));
    output.flush();
    expect(socket.text).toBe("0123456789ack");
    put(output, "again");
    output.flush();
    expect(socket.text).toBe("0123456789ackagain");
  });

  test("an encoding that throws leaves no trace", () => {
    const socket = new FakeSocket();
    const output = new OutputBuffer(socket.write);
    put(output, "a");
    output.reserve(10).write("half", output.length);
    put(output, "b");
    output.flush();
    expect(socket.text).toBe("ab");
  });

  test("is silent once closed, and lets go whoever waits", async () => {
    const socket = new FakeSocket();
    const output = new OutputBuffer(socket.write);
    socket.wantsMore = false;
    put(output, "a");
    const flushed = output.flushed();
    output.close();
    await flushed;
    output.append(Buffer.from("b"));
    output.resume();
    await output.flushed();
    expect(socket.text).toBe("a");
    expect(codeOf(() => output.reserve(1))).toBe("BEDS-Q006");
  });
});
