import { afterAll, setDefaultTimeout } from "bun:test";
import { say } from "../config/stack/say.ts";
import { startStack } from "../config/stack/stack.ts";

/**
 * Runs before every `bun test`: brings the local servers up where they are not, and stops
 * afterwards what it started. Under `npm test` they are up already, so that this only looks.
 */
setDefaultTimeout(30_000);
const stack = await startStack({ report: say });

afterAll(async () => {
  await stack.stop();
});
