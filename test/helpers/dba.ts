import { createConnection } from "mysql2/promise";
import { checkoutLayout } from "../../config/stack/layout.ts";
import { secret } from "../../config/stack/secret.ts";

/** Runs statements on the local MariaDB as the DBA, each by itself. */
export async function asDba(...statements: readonly string[]): Promise<void> {
  const layout = checkoutLayout();
  const connection = await createConnection({
    host: "127.0.0.1",
    port: layout.ports.mariadb,
    user: "beds_dba",
    password: secret(layout, "beds_dba"),
    database: "app",
  });
  try {
    for (const statement of statements) await connection.query(statement);
  } finally {
    await connection.end();
  }
}
