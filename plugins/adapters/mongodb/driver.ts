import type * as mongodb from "mongodb";

/** The MongoDB driver and its BSON types, as loaded. */
export type Driver = typeof mongodb;

/** The BSON classes that values are made of. */
export type BsonTypes = Pick<Driver, "Binary" | "Decimal128" | "ObjectId" | "UUID">;

/**
 * Loads the driver with the first connection: a command such as `beds version` must not pay for it.
 * Called by `client.ts`; the module is kept by the runtime, so that a second call costs nothing.
 */
export async function loadDriver(): Promise<Driver> {
  return await import("mongodb");
}
