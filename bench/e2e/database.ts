import { randomBytes } from "node:crypto";
import { createConnection, type RowDataPacket } from "mysql2/promise";
import { checkoutLayout, HOST } from "../../config/stack/layout.ts";
import { asRoot, type Query } from "../../config/stack/mariadb-account.ts";
import { socketPath } from "../../config/stack/mariadb.ts";
import type { DatabasePlace } from "./place.ts";
import { personCount } from "./scenario.ts";

/**
 * A MariaDB database of the benchmark's own with accounts of its own, so that no other project on
 * these servers sees its objects, and one DROP takes all of it away, BEDS's own tables included.
 */
export class BenchDatabase implements AsyncDisposable {
  readonly runtime: DatabasePlace = place("bench_e2e_run");
  /** The owner of the objects; the baseline of keyed_write uses it, since it writes to tables. */
  readonly dba: DatabasePlace = place("bench_e2e_dba");

  /** Makes database and accounts anew, whatever an interrupted run left. */
  static async create(): Promise<BenchDatabase> {
    const made = new BenchDatabase();
    const { runtime, dba } = made;
    await made.#root(async (query) => {
      await query(`CREATE OR REPLACE DATABASE ${dba.database} CHARACTER SET utf8mb4`);
      for (const { user, pass } of [runtime, dba]) {
        await query(`CREATE OR REPLACE USER '${user}'@'%' IDENTIFIED BY '${pass}'`);
      }
      await query(`GRANT ALL ON ${dba.database}.* TO '${dba.user}'@'%' WITH GRANT OPTION`);
      // What `beds db apply` reads to compare grants; see config/stack/mariadb-account.ts.
      for (const table of ["proc", "procs_priv", "tables_priv", "columns_priv", "db"]) {
        await query(`GRANT SELECT ON mysql.${table} TO '${dba.user}'@'%'`);
      }
    });
    return made;
  }

  /** Fills `bnc_person`; its table was made by `beds db apply`. */
  async seed(): Promise<void> {
    await this.#asDba(
      `INSERT INTO bnc_person (bnc_id, bnc_name, bnc_email, bnc_created_at)
       SELECT seq, CONCAT('Person ', seq), CONCAT('person', seq, '@example.com'),
              TIMESTAMPADD(SECOND, seq, '2026-01-01')
         FROM seq_1_to_${personCount}`,
    );
    await this.#asDba("ANALYZE TABLE bnc_person");
  }

  /** How many rows `BenchCall.create` has made whose text begins so. */
  async countEntries(prefix: string): Promise<number> {
    const text = `SELECT COUNT(*) AS n FROM bnc_entry WHERE bnc_text LIKE '${prefix}%'`;
    return Number((await this.#asDba(text))[0]?.["n"]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#root(async (query) => {
      await query(`DROP DATABASE IF EXISTS ${this.dba.database}`);
      for (const { user } of [this.runtime, this.dba]) {
        await query(`DROP USER IF EXISTS '${user}'@'%'`);
      }
    });
  }

  async #root(work: (query: Query) => Promise<void>): Promise<void> {
    await asRoot(socketPath(checkoutLayout(), "mariadb"), work);
  }

  async #asDba(text: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const { host, port, database, user, pass: password } = this.dba;
    const connection = await createConnection({ host, port, database, user, password });
    try {
      const [rows] = await connection.query<RowDataPacket[]>(text);
      return Array.isArray(rows) ? rows : [];
    } finally {
      await connection.end();
    }
  }
}

function place(user: string): DatabasePlace {
  const { mariadb: port } = checkoutLayout().ports;
  const pass = randomBytes(16).toString("hex");
  return { host: HOST, port, database: "beds_bench_e2e", user, pass };
}
