/** What this layer takes from the machine, passed in so that a test can hold it still. */
export interface Surroundings {
  /** Milliseconds since 1970, UTC. */
  now(): number;
  /** Milliseconds since some moment. Time limits use it: it does not jump when the clock is set. */
  elapsed(): number;
  /** From 0 up to, not including, 1. */
  random(): number;
  /** A name that nobody else has. */
  uuid(): string;
}

/** The real ones. `core/main.ts` and the commands pass them down. */
export const systemSurroundings: Surroundings = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  random: () => Math.random(),
  uuid: () => crypto.randomUUID(),
};
