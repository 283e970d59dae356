/**
 * `config/env_dev.toml`: how the development configuration finds these servers. It is written
 * over only while its first line is the marker; whoever deletes that line owns the file.
 * Secrets are references relative to the file's folder, so that none is in it.
 */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HOST, type Layout } from "./layout.ts";

const MARKER = "# written by config/stack; delete this line to keep your own changes";

/** Writes the file unless it is somebody's own. */
export function writeEnvironment(layout: Layout): void {
  const file = environmentFile(layout);
  if (!isOurs(file)) return;
  const text = environmentText(layout);
  if (existsSync(file) && readFileSync(file, "utf8") === text) return;
  const partial = `${file}.${process.pid}.partial`;
  writeFileSync(partial, text);
  renameSync(partial, file);
}

/** Removes the file unless it is somebody's own. */
export function removeEnvironment(layout: Layout): void {
  if (isOurs(environmentFile(layout))) rmSync(environmentFile(layout), { force: true });
}

function environmentFile(layout: Layout): string {
  return join(layout.checkout, "config", "env_dev.toml");
}

function isOurs(file: string): boolean {
  return !existsSync(file) || readFileSync(file, "utf8").startsWith(`${MARKER}\n`);
}

function environmentText(layout: Layout): string {
  const { ports } = layout;
  const address = (port: number): string => `host = "${HOST}"\nport = ${port}`;
  const account = (name: string): string =>
    `user = "${name}"\npass = "file:../.stack/secrets/${name}"`;
  return `${MARKER}

[broker_services.app_server]
${address(ports.amqp)}
vhost = "beds"
${account("beds_run")}
is_local = true

[databases.app.master]
${address(ports.mariadb)}
${account("beds_run")}

[databases.app.secondary]
${address(ports.mariadbSecondary)}
${account("beds_run")}

[databases.app.dba]
${account("beds_dba")}

[databases.docs.master]
${address(ports.mongodb)}
${account("beds_run")}
auth_source = "docs"
replica_set = "beds"

[databases.docs.dba]
${account("beds_dba")}
auth_source = "admin"

[client]
${account("app1")}
`;
}
