/** Waiting for something to become true, and saying how long things took. */
import { setTimeout as delay } from "node:timers/promises";

const POLL_MS = 25;

/** Polls until `condition` holds; false when it did not within `limitMs`. */
export async function waitUntil(
  condition: () => boolean | Promise<boolean>,
  limitMs: number,
): Promise<boolean> {
  const end = performance.now() + limitMs;
  for (;;) {
    if (await condition()) return true;
    if (performance.now() >= end) return false;
    await delay(POLL_MS);
  }
}

/** `work`'s answer, or `fallback` when it fails or takes longer than `limitMs`. */
export async function within<T>(work: Promise<T>, limitMs: number, fallback: T): Promise<T> {
  let timer: Timer | undefined;
  const late = new Promise<T>((resolve) => {
    timer = setTimeout(() => resolve(fallback), limitMs);
  });
  try {
    return await Promise.race([work.catch(() => fallback), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A function that says the time since now, as "0.4 s". */
export function stopwatch(): () => string {
  const start = performance.now();
  return () => `${((performance.now() - start) / 1000).toFixed(1)} s`;
}
