import { describe, expect, test } from "bun:test";
import { AckWindow } from "../../../core/amqp/ack-window.ts";
import { Random } from "../../helpers/random.ts";

/** What RabbitMQ would make of the acks: it closes the channel at the first wrong one. */
class FakeChannel {
  readonly outstanding = new Set<number>();
  readonly acked: number[] = [];
  frames = 0;

  ack(tag: number, multiple: boolean): void {
    this.frames++;
    if (!this.outstanding.has(tag)) throw new Error(`unknown delivery tag ${tag}`);
    for (const other of [...this.outstanding]) {
      if (other !== tag && !(multiple && other < tag)) continue;
      this.outstanding.delete(other);
      this.acked.push(other);
    }
  }
}

function deliver(window: AckWindow, channel: FakeChannel, count: number): void {
  for (let left = count; left > 0; left--) {
    window.deliver();
    channel.outstanding.add(channel.outstanding.size + channel.acked.length + 1);
  }
}

describe("the ack window", () => {
  test("says a finished prefix with one frame", () => {
    const window = new AckWindow();
    const channel = new FakeChannel();
    deliver(window, channel, 5);
    for (const tag of [2, 1, 3]) window.finish(tag);
    window.write((tag, multiple) => channel.ack(tag, multiple));
    expect(channel.acked).toEqual([1, 2, 3]);
    expect(channel.frames).toBe(1);
    expect(window.open).toBe(2);
    expect(window.dirty).toBe(false);
  });

  test("does not let a slow delivery hold back those behind it", () => {
    const window = new AckWindow();
    const channel = new FakeChannel();
    deliver(window, channel, 4);
    for (const tag of [3, 2, 4]) window.finish(tag);
    window.write((tag, multiple) => channel.ack(tag, multiple));
    expect(channel.acked.toSorted()).toEqual([2, 3, 4]);
    window.finish(1);
    window.write((tag, multiple) => channel.ack(tag, multiple));
    expect(channel.acked).toHaveLength(4);
    expect(window.open).toBe(0);
    const before = channel.frames;
    deliver(window, channel, 3);
    for (const tag of [5, 6, 7]) window.finish(tag);
    window.write((tag, multiple) => channel.ack(tag, multiple));
    expect(channel.frames - before, "once the slow one is done, acks are grouped again").toBe(1);
  });

  test("says nothing when nothing is finished", () => {
    const window = new AckWindow();
    window.deliver();
    expect(window.dirty).toBe(false);
    window.write(() => expect.unreachable());
  });

  test("whatever the order: every tag once, never one unfinished, never one unknown", () => {
    for (let round = 0; round < 400; round++) {
      const random = new Random();
      const note = `seed ${random.seed}`;
      const window = new AckWindow();
      const channel = new FakeChannel();
      const finished = new Set<number>();
      const rejected = new Set<number>();
      const inFlight: number[] = [];
      let next = 1;
      const check = (tag: number, multiple: boolean): void => {
        const named = [...channel.outstanding].filter(
          (one) => one === tag || (multiple && one < tag),
        );
        for (const one of named)
          expect(finished.has(one), `${note}: ${one} is unfinished`).toBe(true);
        channel.ack(tag, multiple);
      };
      for (let step = 0; step < 200; step++) {
        if (random.chance(0.5)) {
          window.deliver();
          channel.outstanding.add(next);
          inFlight.push(next++);
        } else if (inFlight.length > 0) {
          const [tag = 0] = inFlight.splice(random.integer(0, inFlight.length - 1), 1);
          if (random.chance(0.1)) {
            window.settle(tag);
            rejected.add(tag);
            channel.outstanding.delete(tag);
          } else {
            finished.add(tag);
            window.finish(tag);
          }
        }
        if (random.chance(0.2)) window.write(check);
        expect(window.open, note).toBe(inFlight.length);
      }
      window.write(check);
      const settled = [...channel.acked, ...rejected].toSorted((one, other) => one - other);
      const expected = [...finished, ...rejected].toSorted((one, other) => one - other);
      expect(settled, note).toEqual(expected);
      expect(new Set(channel.outstanding), note).toEqual(new Set(inFlight));
    }
  });
});
