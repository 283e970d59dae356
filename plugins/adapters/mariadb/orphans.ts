import type { Connection } from "./connection.ts";
import { serverText } from "./errors.ts";
import { transactionPrefix } from "./key-objects.ts";

/**
 * Commits the transactions of keyed mutations that a crash of the server left behind.
 *
 * A server that dies within `XA COMMIT … ONE PHASE` finds the transaction prepared when it is back
 * and keeps it and its locks until somebody decides, even when it stands in the binary log and its
 * caller was answered: its recovery commits ordinary transactions of the log, but not these (tried
 * on 10.11). So each of them may have been acknowledged, and is committed. One that was not is
 * whole as well: key, effect and answer, so that whoever asks again with the key gets that answer.
 * BEDS itself never prepares one, and one that is at work on another connection cannot be committed
 * from here.
 *
 * Called on each new connection for writes, since no other survives a crash. Needs no privilege.
 * Out: how many there were. Errors: those of the driver, as they are.
 */
export async function commitOrphans(connection: Connection): Promise<number> {
  // Within a transaction of its own, however empty, the server lets nobody end another.
  await connection.setAutocommit(true);
  const prepared = await connection.query("XA RECOVER");
  const names = prepared.rows.map((row) => String(row[3])).filter((name) => ownName.test(name));
  let committed = 0;
  for (const name of names) {
    try {
      await connection.query(`XA COMMIT '${name}'`);
      committed += 1;
    } catch (thrown) {
      // Another worker came first.
      if (serverText(thrown).errno !== unknownTransaction) throw thrown;
    }
  }
  return committed;
}

const ownName = new RegExp(`^${transactionPrefix}[0-9a-f]{32}$`);

/** XAER_NOTA */
const unknownTransaction = 1397;
