/**
 * Loopback ports: is something listening, is one free, and who holds it.
 *
 * Whether something listens is read from `/proc/net/tcp` and never found out by connecting: a
 * connection to a port that nobody listens on may be given that very port as its own and so
 * connect to itself, which keeps the server off its port for a minute.
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { createServer } from "node:net";
import { StackError } from "./failure.ts";
import { HOST } from "./layout.ts";
import { waitUntil } from "./wait.ts";

/** States of a socket in `/proc/net/tcp`, from the kernel's `include/net/tcp_states.h`. */
const LISTEN = "0A";
/** Sockets without a process: closed ones that wait, for a minute at most. */
const CLOSING = new Set(["04", "05", "06", "09", "0B"]);
const CLOSING_LIMIT_MS = 65_000;
const GHOST_LIMIT_MS = 3000;
const QUIET_MS = 1000;

interface SocketEntry {
  readonly state: string;
  readonly inode: string;
}

/** Whether some process listens on the port. */
export function isListening(port: number): boolean {
  return socketsAt(port).some((socket) => socket.state === LISTEN);
}

/**
 * Returns when `port` can be bound. Waits for a connection that is closing; throws when a live
 * process has the port, naming who needs it, who has it, and the way out.
 */
export async function requireFreePort(
  port: number,
  label: string,
  report: (line: string) => void,
): Promise<void> {
  const begin = performance.now();
  let told = false;
  let free = false;
  await waitUntil(async () => {
    free = await canBind(port);
    if (free) return true;
    const waited = performance.now() - begin;
    const sockets = socketsAt(port);
    const closing = sockets.length > 0 && sockets.every((socket) => CLOSING.has(socket.state));
    // A process that was just killed is gone from `/proc` a moment before its sockets are.
    if (!closing) return portHolder(port) !== null || waited > GHOST_LIMIT_MS;
    if (!told && waited > QUIET_MS) {
      told = true;
      report(`stack: ${label} waits for port ${port}, which a closed connection still holds`);
    }
    return false;
  }, CLOSING_LIMIT_MS);
  if (free) return;
  const holder = portHolder(port);
  throw new StackError(
    `port ${port} for ${label} is taken${holder ? ` by ${holder}` : ""}; ` +
      "free it, or choose other ports: BEDS_STACK_PORT_BASE=21670",
  );
}

function canBind(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ host: HOST, port, exclusive: true }, () => {
      server.close(() => resolve(true));
    });
  });
}

/** "mariadbd (pid 123)" for a process that uses the port, or null when `/proc` does not say. */
function portHolder(port: number): string | null {
  const targets = new Set(socketsAt(port).map((socket) => `socket:[${socket.inode}]`));
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      for (const descriptor of readdirSync(`/proc/${pid}/fd`)) {
        if (!targets.has(readlinkSync(`/proc/${pid}/fd/${descriptor}`))) continue;
        return `${readFileSync(`/proc/${pid}/comm`, "utf8").trim()} (pid ${pid})`;
      }
    } catch {
      // Another user's process, or one that just ended: look on.
    }
  }
  return null;
}

/** The sockets whose own port it is. */
function socketsAt(port: number): readonly SocketEntry[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((table) =>
    readTable(table)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[1]?.endsWith(suffix))
      .map((fields) => ({ state: fields[3] ?? "", inode: fields[9] ?? "" })),
  );
}

function readTable(table: string): readonly string[] {
  try {
    return readFileSync(table, "utf8").split("\n").slice(1);
  } catch {
    return [];
  }
}
