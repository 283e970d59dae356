import { createPool, type Pool, type PoolConnection, type RowDataPacket } from "mysql2/promise";
import type { DatabasePlace } from "./place.ts";
import type { Scenario } from "./scenario.ts";

/** As much of a request as the baseline looks at. */
export interface BaselineRequest {
  readonly event_id: string;
  readonly args: Readonly<Record<string, string | number>>;
}

type Rows = readonly unknown[];

/** Does the work of one request, with nothing between it and the driver. */
export type BaselineWork = (request: BaselineRequest) => Rows | Promise<Rows>;

/** The work of a scenario; opens a mysql2 pool where it needs one. */
export function openWork(
  scenario: Scenario,
  accounts: { readonly runtime: DatabasePlace; readonly dba: DatabasePlace },
): BaselineWork {
  if (scenario.name === "echo") return ({ args }) => [{ bne_text: args["text"] }];
  if (scenario.name === "call") {
    const pool = openPool(accounts.runtime, scenario.connections);
    return async ({ args }) => firstRows(await pool.execute(fetchText, [args["id"] ?? 0]));
  }
  const pool = openPool(accounts.dba, scenario.connections);
  return (request) => keyedWrite(pool, request);
}

const fetchText = "CALL bnc_fetch(?)";

/**
 * Key, effect and answer in one transaction, each step awaited: the seven that it takes by hand,
 * with the guard that notices an effect which has ended the transaction by itself.
 */
async function keyedWrite(pool: Pool, { event_id: key, args }: BaselineRequest): Promise<Rows> {
  const hash = new Bun.CryptoHasher("sha256").update(JSON.stringify(args)).digest("hex");
  const connection = await pool.getConnection();
  try {
    await connection.query("BEGIN");
    await connection.execute(insertKeyText, [scope, key, hash]);
    await connection.query("SAVEPOINT effect");
    const rows = firstRows(await connection.execute("CALL bnc_create(?)", [args["text"] ?? ""]));
    await connection.query("RELEASE SAVEPOINT effect");
    await connection.execute(storeAnswerText, [JSON.stringify(rows), scope, key]);
    await connection.query("COMMIT");
    return rows;
  } catch (thrown) {
    await undo(connection);
    throw thrown;
  } finally {
    connection.release();
  }
}

const scope = "app1 BenchCall.create";
const insertKeyText = `INSERT INTO bnc_key (scope, idem_key, req_hash, created_at, expires_at)
  VALUES (?, ?, ?, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) + INTERVAL 1 DAY)`;
const storeAnswerText = "UPDATE bnc_key SET response = ? WHERE scope = ? AND idem_key = ?";

async function undo(connection: PoolConnection): Promise<void> {
  await connection.query("ROLLBACK").catch(() => undefined);
}

function openPool({ host, port, database, user, pass }: DatabasePlace, size: number): Pool {
  const address = { host, port, database, user, password: pass, timezone: "Z" };
  return createPool({ ...address, connectionLimit: size, waitForConnections: true });
}

/** A CALL answers with its result sets and, last, a header. */
function firstRows([sets]: readonly [unknown, unknown]): RowDataPacket[] {
  const [rows] = Array.isArray(sets) ? sets : [];
  return Array.isArray(rows) ? rows : [];
}
