/**
 * What `compose.yaml` mounts besides the passwords: the same definitions and accounts that the
 * private servers get, as files in `.stack/etc/compose/`. Those with passwords are for this user
 * alone; the containers copy them as root.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Layout } from "./layout.ts";
import { accountStatements, changeMaster } from "./mariadb-account.ts";
import { keyFilePath } from "./mongodb.ts";
import { rabbitDefinitions } from "./rabbitmq-account.ts";
import { storedRandom } from "./secret.ts";

/** The primary's name and port inside the containers' network. */
const PRIMARY = { host: "mariadb", port: 3306 };

/** Writes the files; the same again at each call as long as the passwords are the same. */
export function writeContainerFiles(layout: Layout): void {
  const folder = join(layout.home, "etc", "compose");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const write = (name: string, text: string, mode = 0o600): void =>
    writeFileSync(join(folder, name), `${text}\n`, { mode });
  // RabbitMQ reads it as a user of the container's own; it holds salted hashes only.
  write("definitions.json", JSON.stringify(rabbitDefinitions(layout), null, 2), 0o644);
  // What the image itself sets up in each of the two is no part of their common history.
  write("primary.sql", script(["RESET MASTER", ...accountStatements(layout)]));
  write(
    "secondary.sql",
    script([
      "RESET MASTER",
      "SET GLOBAL gtid_slave_pos = ''",
      changeMaster(layout, PRIMARY.host, PRIMARY.port),
    ]),
  );
  storedRandom(keyFilePath(layout));
}

function script(statements: readonly string[]): string {
  return statements.map((statement) => `${statement};`).join("\n");
}
