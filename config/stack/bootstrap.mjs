/**
 * `node config/stack/bootstrap.mjs <script.ts> [args...]`: the first thing that runs on a bare
 * checkout, so plain Node 20 and no dependencies. It installs the packages that the lock file
 * names when they are not there, makes sure that Bun itself works, and hands over to it.
 *
 * npm writes node_modules/.package-lock.json last. If that file is there and says the same as
 * package-lock.json, the installation is whole and current; anything else is installed anew, which
 * also heals an installation that was cut off.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, linkSync, mkdirSync, readFileSync } from "node:fs";
import { renameSync, rmSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const OLDEST_NODE = 20;
const LOCK_POLL_MS = 100;
/** A lock this old is abandoned, even if its process id is in use again. */
const LOCK_LIMIT_MS = 15 * 60_000;

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const bun = join(root, "node_modules", ".bin", "bun");

await main();

async function main() {
  const major = Number(process.versions.node.split(".")[0]);
  if (major < OLDEST_NODE) {
    fail(`Node ${OLDEST_NODE} or newer is needed; this is ${process.versions.node}`);
  }
  if (process.argv.length < 3) fail("usage: node config/stack/bootstrap.mjs <script.ts> [args...]");
  if (!isInstalled()) await withLock(install);
  process.exit(await runChild(bun, process.argv.slice(2), "inherit"));
}

function isInstalled() {
  return packagesMatch() && bunWorks();
}

/** Installs what is missing; another process may have done it while this one waited. */
async function install() {
  if (!packagesMatch()) {
    const start = performance.now();
    say("installing packages (npm ci)");
    // Under `npm run`, the npm that runs is the one to use.
    const script = process.env["npm_execpath"];
    const npm = script?.endsWith("npm-cli.js") ? [process.execPath, script] : ["npm"];
    const [program, ...args] = [...npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"];
    const code = await runChild(program, args, ["ignore", 2, 2], root);
    if (code !== 0) fail(`npm ci failed (exit code ${code}); see its messages above`, code);
    say(`packages installed (${secondsSince(start)})`);
  }
  if (bunWorks()) return;
  // npm was told not to run install scripts; Bun's puts its binary in place.
  const start = performance.now();
  const script = join(root, "node_modules", "bun", "install.js");
  const code = await runChild(process.execPath, [script], ["ignore", 2, 2], root);
  if (code !== 0 || !bunWorks()) {
    fail(`Bun does not run on ${process.platform} ${process.arch}; tried ${script}`);
  }
  say(`Bun put in place (${secondsSince(start)})`);
}

/** Whether every package of the lock file is installed in its version, but for other platforms'. */
function packagesMatch() {
  const wanted = lockedPackages(join(root, "package-lock.json"));
  const present = lockedPackages(join(root, "node_modules", ".package-lock.json"));
  if (!wanted)
    fail("package-lock.json is missing or broken; restore it: git checkout package-lock.json");
  if (!present) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === "") return true;
    const found = present[path];
    if (!found) return entry.optional === true;
    return found.version === entry.version && existsSync(join(root, path, "package.json"));
  });
}

function lockedPackages(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8")).packages;
  } catch {
    return null;
  }
}

/** The placeholder that stands in for Bun before its install script ran fails this. */
function bunWorks() {
  const result = spawnSync(bun, ["--version"], { encoding: "utf8" });
  return result.status === 0 && /^\d+\.\d+\.\d+/.test(result.stdout);
}

/** Runs a program to its end and returns its exit code, as a shell would report it. */
function runChild(program, args, stdio, cwd = process.cwd()) {
  return new Promise((finish) => {
    const child = spawn(program, args, { stdio, cwd });
    const forward = (signal) => {
      // Ctrl-C in a terminal, or its end, reaches the whole process group, the child included.
      // A second SIGINT would look to it like an impatient user's.
      const fromTerminal = signal !== "SIGTERM" && (process.stdin.isTTY || process.stderr.isTTY);
      if (!fromTerminal) child.kill(signal);
    };
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, forward);
    const end = (code) => {
      for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.off(signal, forward);
      finish(code);
    };
    child.once("error", (cause) => {
      say(cause.message);
      end(127);
    });
    child.once("exit", (code, signal) => end(code ?? 128 + (constants.signals[signal] ?? 0)));
  });
}

/** Runs `work` while no other bootstrap of this checkout installs anything. */
async function withLock(work) {
  const lock = join(root, ".stack", "install.lock");
  mkdirSync(dirname(lock), { recursive: true, mode: 0o700 });
  let told = false;
  while (!takeLock(lock)) {
    const owner = lockOwner(lock);
    if (!told && owner) say(`waiting for pid ${owner}, which is installing packages`);
    told ||= owner !== "";
    await delay(LOCK_POLL_MS);
  }
  process.once("exit", () => rmSync(lock, { force: true }));
  await work();
  rmSync(lock, { force: true });
}

/** Tries once; removes the lock of a process that is gone. */
function takeLock(lock) {
  const own = `${lock}.${process.pid}`;
  writeFileSync(own, `${process.pid}\n`);
  try {
    // A link either makes the lock with its content, or fails: there is no empty lock.
    linkSync(own, lock);
    return true;
  } catch (cause) {
    if (cause.code !== "EEXIST") throw cause;
    if (isAbandoned(lock)) breakLock(lock);
    return false;
  } finally {
    rmSync(own, { force: true });
  }
}

/** Moves the lock away and looks again: it may be the lock of one who was quicker. */
function breakLock(lock) {
  const moved = `${lock}.${process.pid}.old`;
  try {
    renameSync(lock, moved);
    if (!isAbandoned(moved)) linkSync(moved, lock);
    unlinkSync(moved);
  } catch {
    // Somebody else broke it.
  }
}

function isAbandoned(lock) {
  try {
    if (Date.now() - statSync(lock).mtimeMs > LOCK_LIMIT_MS) return true;
    process.kill(Number(lockOwner(lock)), 0);
    return false;
  } catch (cause) {
    return cause.code === "ESRCH";
  }
}

function lockOwner(lock) {
  try {
    return readFileSync(lock, "utf8").trim();
  } catch {
    return "";
  }
}

function secondsSince(start) {
  return `${((performance.now() - start) / 1000).toFixed(1)} s`;
}

function say(text) {
  process.stderr.write(`bootstrap: ${text}\n`);
}

function fail(text, code = 1) {
  say(text);
  process.exit(code);
}
