/** Milliseconds between two looks at the system's clock. */
const anchorMs = 1000;

/**
 * A clock that tells milliseconds since 1970 with fractions: the system's time, which may be set at
 * any moment, and the monotonic clock in between. `Date.now` alone counts whole milliseconds, in
 * which a fast operation takes none.
 */
export function createClock(): () => number {
  let anchoredAt = -Infinity;
  let offset = 0;
  return () => {
    const monotonic = performance.now();
    if (monotonic - anchoredAt > anchorMs) {
      anchoredAt = monotonic;
      offset = Date.now() - monotonic;
    }
    return offset + monotonic;
  };
}
