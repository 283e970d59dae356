/** How long to wait between attempts, in milliseconds. */
export interface BackoffLimits {
  readonly firstMs: number;
  readonly maxMs: number;
}

/**
 * Short enough that a consumer is back 5 s after RabbitMQ's port opens, whenever the last attempt
 * was.
 */
export const defaultBackoff: BackoffLimits = { firstMs: 100, maxMs: 2_000 };

/**
 * The wait before an attempt: doubled each time, up to the maximum, and spread over its upper half
 * so that the workers of a node do not return at the same moment. `attempt` counts from 0; `random`
 * is from 0 to 1.
 */
export function backoffMs(attempt: number, random: number, limits: BackoffLimits): number {
  const full = Math.min(limits.firstMs * 2 ** Math.min(attempt, MAX_DOUBLINGS), limits.maxMs);
  return full / 2 + (full / 2) * random;
}

/** Keeps the power finite. */
const MAX_DOUBLINGS = 30;
