/**
 * MariaDB, twice: a primary, and a secondary that replicates everything from it by GTID.
 *
 * Accounts are made on the primary only and reach the secondary as every other change does.
 * root has no password and no TCP account: it exists over a socket in a folder of this user
 * alone. The secondary remembers which primary its data come from; when the primary's data were
 * made anew, so are its own, because two histories cannot be joined.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { StackError } from "./failure.ts";
import { HOST, type Layout } from "./layout.ts";
import {
  accountStatements,
  asRoot,
  canLogIn,
  followPrimary,
  isFollowing,
  straysOfRoot,
} from "./mariadb-account.ts";
import type { Packages } from "./package.ts";
import { markedEnvironment } from "./process.ts";
import { findProgram, run } from "./run.ts";
import { storedRandom } from "./secret.ts";
import type { Recipe } from "./server.ts";

/** A Unix socket's path has 108 bytes, the last one for the end. */
const SOCKET_PATH_LIMIT = 107;

/** Which history the data folder belongs to. */
const HISTORY = "beds-history";

export function mariadbRecipe(layout: Layout, packages: Packages): Recipe {
  const socket = socketPath(layout, "mariadb");
  return {
    name: "mariadb",
    label: "mariadb primary",
    port: layout.ports.mariadb,
    otherPorts: [],
    program: /mariadbd/,
    install: () => installMariadb(packages),
    async makeData(folder) {
      await makeTables(layout, "mariadb", folder);
      storedRandom(join(folder, HISTORY));
    },
    async command(folder) {
      const options = ["server-id = 1", "innodb_flush_log_at_trx_commit = 1", "sync_binlog = 1"];
      return mariadbCommand(layout, "mariadb", folder, options);
    },
    provision: () =>
      asRoot(socket, async (query) => {
        for (const statement of accountStatements(layout)) await query(statement);
        for (const statement of await straysOfRoot(query)) await query(statement);
      }),
    ready: () => canLogIn(layout, layout.ports.mariadb),
  };
}

export function mariadbSecondaryRecipe(layout: Layout, packages: Packages): Recipe {
  const name = "mariadb-secondary";
  return {
    name,
    label: "mariadb secondary",
    port: layout.ports.mariadbSecondary,
    otherPorts: [],
    program: /mariadbd/,
    install: () => installMariadb(packages),
    async makeData(folder) {
      await makeTables(layout, name, folder);
      writeFileSync(join(folder, HISTORY), primaryHistory(layout));
    },
    isCurrent: (folder) => readHistory(folder) === primaryHistory(layout),
    async command(folder) {
      // A crash of the machine costs it at most a second, which it fetches again.
      const options = [
        "server-id = 2",
        "read_only = 1",
        // The end of a transaction that a crash of the primary left prepared (wiki/Reliability.md).
        "slave_skip_errors = 1397",
        "relay-log = relay",
        "relay_log_recovery = 1",
        "innodb_flush_log_at_trx_commit = 2",
        "sync_binlog = 0",
      ];
      return mariadbCommand(layout, name, folder, options);
    },
    provision: () => asRoot(socketPath(layout, name), (query) => followPrimary(layout, query)),
    async ready() {
      if (!(await canLogIn(layout, layout.ports.mariadbSecondary))) return false;
      return await asRoot(socketPath(layout, name), isFollowing).catch(() => false);
    },
  };
}

async function installMariadb(packages: Packages): Promise<void> {
  if (isInstalled()) return;
  // The core packages have the programs without a service of their own.
  await packages.apt("mariadb-server-core|mariadb-server", "mariadb-client-core|mariadb-client");
  if (!isInstalled()) {
    throw new StackError("mariadbd or mariadb-install-db is not there after the installation");
  }
}

/** The last of the three belongs to the client's package, and the installer needs it. */
function isInstalled(): boolean {
  return Boolean(findServer() && findInstaller() && findProgram("my_print_defaults"));
}

function findServer(): string | null {
  return findProgram("mariadbd", "/usr/sbin/mariadbd", "/usr/local/sbin/mariadbd");
}

function findInstaller(): string | null {
  return findProgram("mariadb-install-db", "/usr/bin/mariadb-install-db");
}

/**
 * The system tables. The installer is a shell script that breaks on a path with a space in it,
 * so it runs inside the folder and is never told where that is.
 */
async function makeTables(layout: Layout, name: string, folder: string): Promise<void> {
  const result = await run(
    [
      findInstaller() ?? "mariadb-install-db",
      "--no-defaults",
      "--datadir=.",
      "--auth-root-authentication-method=normal",
      "--skip-test-db",
      ...asRootUser("--user=root"),
    ],
    { cwd: folder, env: markedEnvironment({ home: layout.home, server: name }) },
  );
  if (result.code !== 0) {
    throw new StackError(`mariadb-install-db failed:\n${result.output.trimEnd()}`);
  }
}

/** MariaDB refuses to run as root unless it is told to. */
function asRootUser(option: string): readonly string[] {
  return process.getuid?.() === 0 ? [option] : [];
}

function mariadbCommand(
  layout: Layout,
  name: string,
  folder: string,
  options: readonly string[],
): { argv: string[]; env: Record<string, string> } {
  const file = writeOptions(layout, name, folder, options);
  return { argv: [findServer() ?? "mariadbd", `--defaults-file=${file}`], env: {} };
}

/** Writes the option file, the only one the server reads. */
function writeOptions(
  layout: Layout,
  name: string,
  folder: string,
  options: readonly string[],
): string {
  const port = name === "mariadb" ? layout.ports.mariadb : layout.ports.mariadbSecondary;
  const lines = [
    "[mariadbd]",
    `datadir = "${folder}"`,
    `socket = "${socketPath(layout, name)}"`,
    `pid-file = "${join(layout.home, "run", `${name}.own.pid`)}"`,
    `bind-address = ${HOST}`,
    `port = ${port}`,
    ...asRootUser("user = root"),
    "skip-name-resolve",
    "character-set-server = utf8mb4",
    "collation-server = utf8mb4_unicode_ci",
    "max_connections = 500",
    "innodb_buffer_pool_size = 128M",
    "local_infile = 0",
    // The binary log is the secondary's only source, so it is never purged: `destroy` is.
    "log-bin = binlog",
    "log_slave_updates = 1",
    "gtid_strict_mode = 1",
    "binlog_format = ROW",
    "expire_logs_days = 0",
    // The DBA's account has no SUPER and may create functions all the same.
    "log_bin_trust_function_creators = 1",
    ...options,
  ];
  const file = join(layout.home, "etc", `${name}.cnf`);
  writeFileSync(file, `${lines.join("\n")}\n`, { mode: 0o600 });
  return file;
}

/**
 * The server's socket, in a folder that only this user may enter. A checkout whose path is too
 * long for one has it in the system's folder for temporary files.
 */
export function socketPath(layout: Layout, name: string): string {
  const usual = join(layout.home, "run", `${name}.sock`);
  if (Buffer.byteLength(usual) <= SOCKET_PATH_LIMIT) return usual;
  const digest = createHash("sha256").update(layout.home).digest("hex").slice(0, 16);
  const folder = join(tmpdir(), `beds-stack-${digest}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { uid, mode } = statSync(folder);
  if (uid !== userInfo().uid || (mode & 0o077) !== 0) {
    throw new StackError(`${folder} is not this user's alone; remove it`);
  }
  return join(folder, `${name}.sock`);
}

function primaryHistory(layout: Layout): string {
  return readHistory(join(layout.home, "data", "mariadb"));
}

function readHistory(folder: string): string {
  try {
    return readFileSync(join(folder, HISTORY), "utf8");
  } catch {
    return "none";
  }
}
