import * as v from "valibot";
import { eventIdPattern, longestEventId } from "./event-id.ts";

export const deepestLineage = 64;
export const namePattern = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;
export const keyPattern = /^[\x20-\x7e]{1,200}$/;
export const tokenPattern = /^[\x21-\x7e]{1,4096}$/;

const eventId = v.pipe(v.string(), v.maxLength(longestEventId), v.regex(eventIdPattern));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** To valibot a list without elements is an object too. */
const plainObject = v.custom<Readonly<Record<string, unknown>>>(
  (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  "must be an object",
);

/** What travels beside a request. */
const metaSchema = v.strictObject({
  principal: v.optional(
    v.pipe(
      v.string(),
      v.regex(keyPattern),
      v.description("For whom an account that may_assert asks; from any other it is ignored."),
    ),
  ),
  idempotency_key: v.optional(
    v.pipe(
      v.string(),
      v.regex(keyPattern),
      v.description("Printable ASCII, 1 to 200 characters; without it event_id is the key."),
    ),
  ),
  expected_version: v.optional(
    v.pipe(count, v.description("The version of the record that the caller has read.")),
  ),
  deadline: v.optional(
    v.pipe(
      count,
      v.description("Milliseconds since 1970, UTC; once it has passed nothing is executed."),
    ),
  ),
  consistency: v.optional(
    v.pipe(
      v.picklist(["primary", "secondary", "session"]),
      v.description("Which server may answer a read."),
    ),
  ),
  token: v.optional(
    v.pipe(
      v.string(),
      v.regex(tokenPattern),
      v.description("The token of an answer; the read sees at least that write."),
    ),
  ),
  ticket: v.optional(
    v.pipe(v.boolean(), v.description("Answer at once with a ticket and work later.")),
  ),
});

/**
 * Envelope v1, the definition (wiki/Wire-Protocol.md). `decode.ts` checks the same by hand, because
 * it is called for each request; a property test holds the two together. The reference page of the
 * wire comes from the descriptions.
 */
export const envelopeSchema = v.pipe(
  plainObject,
  v.strictObject({
    v: v.pipe(v.literal(1), v.description("The version of the envelope.")),
    event_id: v.optional(
      v.pipe(
        eventId,
        v.description("{node}.{env}.{UUIDv7}; minted on arrival when it is not sent."),
      ),
    ),
    parent_id: v.optional(
      v.pipe(
        v.union([v.literal(""), eventId]),
        v.description("The event that caused this one; empty for a root."),
      ),
      "",
    ),
    depth: v.optional(
      v.pipe(count, v.maxValue(deepestLineage), v.description("Levels from the root, which is 0.")),
      0,
    ),
    template: v.pipe(
      v.string(),
      v.regex(namePattern),
      v.description("The name of the template, as its file says it."),
    ),
    op: v.pipe(
      v.string(),
      v.regex(namePattern),
      v.description("The name of one of its operations."),
    ),
    args: v.optional(
      v.pipe(
        plainObject,
        v.description("The arguments by name; the operation's own checks follow."),
      ),
      {},
    ),
    meta: v.optional(
      v.pipe(plainObject, metaSchema, v.description("What travels beside the request.")),
    ),
  }),
  v.check(
    ({ depth, parent_id }) => (depth === 0) === (parent_id === ""),
    "depth is 0 exactly when parent_id is empty",
  ),
);
