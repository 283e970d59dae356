/**
 * One start, stop or destroy at a time in a checkout.
 *
 * The lock is an abstract Unix socket named after the state folder: the kernel lets exactly one
 * process bind it and frees it when that process dies, however it dies, so there is no stale lock
 * to break. `.stack/lock` holds the owner's pid, only for the message to whoever waits.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Layout } from "./layout.ts";
import { StackError } from "./failure.ts";

const WAIT_LIMIT_MS = 600_000;
const POLL_MS = 50;
const QUIET_MS = 500;

/** Runs `work` while holding the checkout's lock; waits (saying so) while another holds it. */
export async function withLock<T>(
  layout: Layout,
  report: (line: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  const server = await acquire(layout, report);
  try {
    return await work();
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

async function acquire(layout: Layout, report: (line: string) => void): Promise<Server> {
  const digest = createHash("sha256").update(layout.home).digest("hex").slice(0, 32);
  const name = `\0beds-stack-${digest}`;
  const note = join(layout.home, "lock");
  const begin = performance.now();
  let told = false;
  for (;;) {
    const server = await bind(name);
    if (server) {
      mkdirSync(layout.home, { recursive: true, mode: 0o700 });
      writeFileSync(note, `${process.pid}\n`);
      return server;
    }
    const waited = performance.now() - begin;
    if (waited > WAIT_LIMIT_MS) throw new StackError(`the stack is locked by pid ${owner(note)}`);
    // Calls of one process take turns without a word.
    if (!told && waited > QUIET_MS && owner(note) !== String(process.pid)) {
      told = true;
      report(`stack: waiting for pid ${owner(note)}, which is at work on this checkout's stack`);
    }
    await delay(POLL_MS);
  }
}

function bind(name: string): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", (cause: NodeJS.ErrnoException) => {
      if (cause.code === "EADDRINUSE") resolve(null);
      else reject(cause);
    });
    server.listen(name, () => resolve(server));
  });
}

function owner(note: string): string {
  try {
    return readFileSync(note, "utf8").trim();
  } catch {
    return "unknown";
  }
}
