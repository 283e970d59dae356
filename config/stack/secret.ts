/**
 * Random passwords, generated once into `.stack/secrets/<account>`: the folder is 0700, the files
 * 0600. One file serves all servers' accounts of that name. There is no newline at the end, so
 * that readers that do not trim (container images) see the same password.
 */
import { createHash, randomBytes } from "node:crypto";
import { chmodSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Layout } from "./layout.ts";

/** Every account that any of the servers has. */
export const ACCOUNTS = ["beds_run", "beds_dba", "beds_repl", "beds_test", "app1", "app2"] as const;

export type Account = (typeof ACCOUNTS)[number];

/** Makes the passwords that are not there yet, so that a reference never dangles. */
export function makeSecrets(layout: Layout): void {
  for (const account of ACCOUNTS) secret(layout, account);
}

/** The account's password; made on first use. A half-written file is replaced. */
export function secret(layout: Layout, account: Account): string {
  return storedRandom(join(layout.home, "secrets", account));
}

/** A random text that survives in `file` (0600). */
export function storedRandom(file: string): string {
  try {
    const stored = readFileSync(file, "utf8").trim();
    if (/^[0-9a-f]{48}$/.test(stored)) return stored;
  } catch {
    // Not made yet.
  }
  const fresh = randomBytes(24).toString("hex");
  const partial = `${file}.${process.pid}.partial`;
  writeFileSync(partial, fresh, { mode: 0o600 });
  chmodSync(partial, 0o600);
  renameSync(partial, file);
  return fresh;
}

/**
 * RabbitMQ's `rabbit_password_hashing_sha256`: base64 of a 4-byte salt and
 * SHA-256(salt + password). The salt is derived, so that the definitions file stays the same.
 */
export function rabbitHash(password: string): string {
  const salt = createHash("sha256").update(`salt ${password}`).digest().subarray(0, 4);
  const hash = createHash("sha256").update(salt).update(password).digest();
  return Buffer.concat([salt, hash]).toString("base64");
}
