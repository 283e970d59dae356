import { describe, expect, test } from "bun:test";
import { Instances } from "../../../core/scheduler/instances.ts";

function make(count: number) {
  const clock = { now: 0 };
  const abandoned: string[] = [];
  const instances = new Instances(
    count,
    100,
    () => clock.now,
    (detail) => abandoned.push(detail),
  );
  return { clock, abandoned, instances };
}

describe("instances", () => {
  test("no more work runs at a time than there are instances, and what waits runs in order", async () => {
    const { instances } = make(2);
    const order: number[] = [];
    let running = 0;
    let most = 0;
    const work = (index: number) => async () => {
      most = Math.max(most, ++running);
      await Bun.sleep(5 - (index % 3));
      order.push(index);
      running--;
      return index;
    };
    const results = await Promise.all([0, 1, 2, 3, 4, 5].map((i) => instances.run(1000, work(i))));
    expect(results).toEqual([0, 1, 2, 3, 4, 5]);
    expect(most).toBe(2);
    expect(order.toSorted()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(instances.busy).toBe(0);
  });

  test("work that throws frees its instance", async () => {
    const { instances } = make(1);
    const failed = instances.run(1000, () => Promise.reject(new Error("no")));
    await expect(failed).rejects.toThrow("no");
    expect(await instances.run(1000, () => Promise.resolve("next"))).toBe("next");
  });

  test("work that throws at once frees its instance too", async () => {
    const { instances } = make(1);
    const failed = instances.run(1000, () => {
      throw new Error("at once");
    });
    await expect(failed).rejects.toThrow("at once");
    expect(instances.busy).toBe(0);
  });

  test("an instance that is held beyond limit and grace is abandoned and replaced", async () => {
    const { clock, abandoned, instances } = make(1);
    const hanging = instances.run(1000, () => new Promise<never>(() => undefined));
    const next = instances.run(1000, () => Promise.resolve("next"));
    clock.now = 1099;
    instances.sweep();
    expect(abandoned).toEqual([]);
    clock.now = 1100;
    instances.sweep();
    await expect(hanging).rejects.toMatchObject({ code: "BEDS-D002" });
    expect(await next).toBe("next");
    expect(abandoned).toHaveLength(1);
    expect(instances.busy).toBe(0);
  });
});
