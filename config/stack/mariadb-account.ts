/** Accounts, grants and replication of the MariaDB servers, as SQL that may be run again. */
import { createConnection, type RowDataPacket } from "mysql2/promise";
import { DataUnusable } from "./failure.ts";
import { HOST, type Layout } from "./layout.ts";
import { type Account, secret } from "./secret.ts";
import { within } from "./wait.ts";

/** Runs one statement; what goes in is made here, never from outside. */
export type Query = (sql: string) => Promise<readonly Record<string, unknown>[]>;

const DATABASE = "app";
const ACCOUNTS: readonly Account[] = ["beds_run", "beds_dba", "beds_repl"];
/** https://mariadb.com/kb/en/e1236/ */
const MASTER_FATAL_ERROR = 1236;

const LOGIN_LIMIT_MS = 3000;

/** What the DBA must read to compare the objects and grants with the templates. */
const READABLE = ["proc", "procs_priv", "tables_priv", "columns_priv", "db"];

/** Runs `work` as root over the server's socket. */
export async function asRoot<T>(socket: string, work: (query: Query) => Promise<T>): Promise<T> {
  const connection = await createConnection({ socketPath: socket, user: "root" });
  try {
    return await work(async (sql) => {
      const [rows] = await connection.query<RowDataPacket[]>(sql);
      return Array.isArray(rows) ? rows : [];
    });
  } finally {
    await connection.end();
  }
}

/**
 * The database and the accounts. `beds_run` may do nothing yet: `beds db apply` lets the DBA's
 * account grant it each object. Passwords are random hexadecimal, so they need no quoting.
 */
export function accountStatements(layout: Layout): readonly string[] {
  return [
    `CREATE DATABASE IF NOT EXISTS ${DATABASE}
       CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci`,
    ...ACCOUNTS.flatMap((account) => {
      const identity = `'${account}'@'%' IDENTIFIED BY '${secret(layout, account)}'`;
      return [`CREATE USER IF NOT EXISTS ${identity}`, `ALTER USER ${identity}`];
    }),
    `GRANT ALL PRIVILEGES ON ${DATABASE}.* TO 'beds_dba'@'%' WITH GRANT OPTION`,
    ...READABLE.map((table) => `GRANT SELECT ON mysql.${table} TO 'beds_dba'@'%'`),
    "GRANT REPLICATION SLAVE ON *.* TO 'beds_repl'@'%'",
  ];
}

/** Drops the accounts that mariadb-install-db makes besides root over the socket. */
export async function straysOfRoot(query: Query): Promise<readonly string[]> {
  const rows = await query(
    `SELECT User, Host FROM mysql.global_priv
      WHERE User = '' OR (User = 'root' AND Host <> 'localhost')`,
  );
  return rows.map((row) => `DROP USER IF EXISTS '${String(row["User"])}'@'${String(row["Host"])}'`);
}

/** Points a secondary at the primary and starts it, unless it replicates already. */
export async function followPrimary(layout: Layout, query: Query): Promise<void> {
  const [status] = await query("SHOW SLAVE STATUS");
  if (status && isStuck(status)) {
    throw new DataUnusable(
      `replication has failed: ${String(status["Last_SQL_Error"] || status["Last_IO_Error"])}`,
    );
  }
  const follows =
    status?.["Master_Port"] === layout.ports.mariadb &&
    status["Slave_SQL_Running"] === "Yes" &&
    status["Slave_IO_Running"] === "Yes";
  if (follows) return;
  await query("STOP SLAVE");
  await query(changeMaster(layout, HOST, layout.ports.mariadb));
  await query("START SLAVE");
}

/** Where a secondary finds its primary. It asks again each second while that is down. */
export function changeMaster(layout: Layout, host: string, port: number): string {
  return `CHANGE MASTER TO MASTER_HOST = '${host}', MASTER_PORT = ${port},
       MASTER_USER = 'beds_repl', MASTER_PASSWORD = '${secret(layout, "beds_repl")}',
       MASTER_USE_GTID = slave_pos, MASTER_CONNECT_RETRY = 1`;
}

/** Whether a secondary applies what it gets; a primary that is down for now is no fault of it. */
export async function isFollowing(query: Query): Promise<boolean> {
  const [status] = await query("SHOW SLAVE STATUS");
  return status?.["Slave_SQL_Running"] === "Yes" && !isStuck(status);
}

/** A statement that cannot be applied, or a primary that no longer has what is needed next. */
function isStuck(status: Record<string, unknown>): boolean {
  return status["Last_SQL_Errno"] !== 0 || status["Last_IO_Errno"] === MASTER_FATAL_ERROR;
}

/** Whether the accounts that people and BEDS use can log in over TCP and see the database. */
export async function canLogIn(layout: Layout, port: number): Promise<boolean> {
  const answers = await Promise.all([
    logIn(layout, port, "beds_run"),
    logIn(layout, port, "beds_dba", DATABASE),
  ]);
  return answers.every(Boolean);
}

async function logIn(
  layout: Layout,
  port: number,
  account: Account,
  database?: string,
): Promise<boolean> {
  const options = { host: HOST, port, user: account, password: secret(layout, account) };
  const handshake = async (): Promise<boolean> => {
    const connection = await createConnection({ ...options, ...(database ? { database } : {}) });
    await connection.query("SELECT 1");
    await connection.end();
    return true;
  };
  return await within(handshake(), LOGIN_LIMIT_MS, false);
}
