/** What a connection is for. `control` only kills; `dba` is the workbench's. */
export type ConnectionRole = "read" | "write" | "dba" | "control";

/** How long a session may keep others waiting; the plugin's options. */
export interface SessionLimits {
  readonly lockWaitS: number;
  readonly idleWriteTransactionS: number;
}

/**
 * What every session computes with. A routine runs with the mode it was created under, hence also
 * the workbench's.
 */
export const strictMode =
  "STRICT_ALL_TABLES,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE," +
  "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION";

/**
 * Seconds that the DBA's DDL waits for statements that use the object; the server's own default is
 * a day.
 */
const ddlLockWaitS = 30;

/**
 * The statements that set a session once, right after it was opened. Sessions for reads are READ
 * ONLY, so that a fetch that writes fails at once. Sessions for writes have autocommit off: the
 * first statement opens the transaction, which saves a round trip, and every call ends with COMMIT
 * or ROLLBACK.
 */
export function sessionStatements(
  role: ConnectionRole,
  limits: SessionLimits,
  isMariadb: boolean,
): readonly string[] {
  if (role === "control") return [];
  // MariaDB before 10.11 makes an account out of a GRANT to nobody unless this mode forbids it;
  // MySQL does not know it.
  const mode = role === "dba" && isMariadb ? `${strictMode},NO_AUTO_CREATE_USER` : strictMode;
  const variables = [
    "time_zone = '+00:00'",
    `sql_mode = '${mode}'`,
    `autocommit = ${role === "write" ? 0 : 1}`,
    ...(role === "dba"
      ? [`lock_wait_timeout = ${ddlLockWaitS}`]
      : [`innodb_lock_wait_timeout = ${limits.lockWaitS}`]),
    ...(role === "write" && isMariadb
      ? [`idle_write_transaction_timeout = ${limits.idleWriteTransactionS}`]
      : []),
  ];
  const access = role === "read" ? "READ ONLY" : "READ WRITE";
  return [
    `SET SESSION ${variables.join(", ")}`,
    `SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, ${access}`,
  ];
}
