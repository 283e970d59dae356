import type { DatabaseClient } from "./client.ts";
import { isDocument, isList } from "./node.ts";

/**
 * Milliseconds after which a transaction that waits for its next command is taken for one that
 * nobody goes on with: between the commands of a keyed mutation there is no other waiting. Were it
 * wrong, the mutation would only be tried again.
 */
const idleMs = 2000;

/** How many are ended at once. */
const most = 100;

/** Milliseconds for looking, and for ending. */
const lookMs = 1000;

/**
 * Ends transactions of the runtime account that were left open, by a node that died or a connection
 * that was lost: the server itself keeps them, and all that they have changed locked, for a minute.
 * Everybody may see and end sessions of his own account. Called when a conflict does not go away.
 */
export async function endOrphans(client: DatabaseClient): Promise<void> {
  const options = { timeoutMs: lookMs, read: true, database: "admin" } as const;
  const idle = { "transaction.timeInactiveMicros": { $gt: idleMs * 1000 } };
  const pipeline = [
    { $currentOp: { idleSessions: true, allUsers: false } },
    { $match: { appName: client.appName, ...idle } },
    { $limit: most },
    { $project: { id: "$lsid.id" } },
  ];
  const cursor = { batchSize: most };
  const reply = await client.run({ aggregate: 1, pipeline, cursor }, options);
  const found = isDocument(reply["cursor"]) ? reply["cursor"]["firstBatch"] : undefined;
  const sessions = isList(found)
    ? found.flatMap((each) => (isDocument(each) ? [each["id"]] : []))
    : [];
  if (sessions.length === 0) return;
  await client.run({ killSessions: sessions.map((id) => ({ id })) }, options);
}
