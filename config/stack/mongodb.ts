/**
 * MongoDB: a replica set of one (transactions need a set), with authentication and without
 * server-side JavaScript.
 *
 * The set and the accounts are made by mongod's own internal user, whose password is the key
 * file. It works on an empty server as the localhost exception does, but also later: accounts
 * that were deleted or whose password file is gone are simply made again, and no administrator's
 * account is needed at all.
 *
 * `beds_run` lives in the database `docs`, not in `admin`, so that the DBA's account, which is
 * user administrator of `docs` alone, can grant it roles. Its authSource is therefore `docs`.
 */
import { join } from "node:path";
import { type Db, MongoClient, MongoServerError } from "mongodb";
import { StackError } from "./failure.ts";
import { HOST, type Layout } from "./layout.ts";
import type { Packages } from "./package.ts";
import { findProgram, run } from "./run.ts";
import { type Account, secret, storedRandom } from "./secret.ts";
import type { Recipe } from "./server.ts";
import { waitUntil, within } from "./wait.ts";

const DATABASE = "docs";
const REPLICA_SET = "beds";
const OLDEST_MAJOR = 5;
const LOGIN_LIMIT_MS = 3000;
const ELECTION_LIMIT_MS = 15_000;

const DBA_ROLES = ["readWrite", "dbAdmin", "userAdmin"].map((role) => ({ role, db: DATABASE }));

/** Server error codes: https://www.mongodb.com/docs/manual/reference/error-codes/ */
const NOT_YET_INITIALIZED = 94;

/** Shared libraries that the wheel's mongod needs and a bare machine may lack. */
const LIBRARY_PACKAGES: ReadonlyMap<string, string> = new Map([
  ["libcurl.so.4", "libcurl4"],
  ["libssl.so.3", "libssl3"],
  ["libcrypto.so.3", "libssl3"],
]);

export function mongodbRecipe(layout: Layout, packages: Packages): Recipe {
  let program = "";
  return {
    name: "mongodb",
    label: "mongodb",
    port: layout.ports.mongodb,
    otherPorts: [],
    program: /mongod/,
    async install() {
      program = (await suitableOnPath()) ?? (await fromWheel(packages));
    },
    async makeData() {
      // mongod fills the folder at its first start; the replica set follows in `provision`.
    },
    async command(folder) {
      return { argv: [program, ...options(layout, folder)], env: {} };
    },
    provision: () => provision(layout),
    ready: () => canLogIn(layout),
  };
}

function options(layout: Layout, folder: string): readonly string[] {
  const keyFile = keyFilePath(layout);
  storedRandom(keyFile);
  return [
    ...["--dbpath", folder],
    ...["--bind_ip", HOST],
    ...["--port", String(layout.ports.mongodb)],
    ...["--replSet", REPLICA_SET],
    ...["--keyFile", keyFile],
    ...["--wiredTigerCacheSizeGB", "0.25"],
    ...["--oplogSize", "1024"],
    ...["--setParameter", "diagnosticDataCollectionEnabled=false"],
    "--auth",
    "--noscripting",
    "--nounixsocket",
    "--quiet",
  ];
}

async function provision(layout: Layout): Promise<void> {
  const client = connect(layout, "__system", storedRandom(keyFilePath(layout)), "local");
  try {
    const admin = client.db("admin");
    await haveReplicaSet(layout, admin);
    if (!(await waitUntil(() => isPrimary(admin), ELECTION_LIMIT_MS))) {
      throw new StackError("the replica set has no primary");
    }
    await haveUser(admin, "beds_dba", secret(layout, "beds_dba"), DBA_ROLES);
    await haveUser(client.db(DATABASE), "beds_run", secret(layout, "beds_run"));
  } finally {
    await client.close();
  }
}

/** Makes the set, or renames its only member after a change of ports. */
async function haveReplicaSet(layout: Layout, admin: Db): Promise<void> {
  const host = `${HOST}:${layout.ports.mongodb}`;
  const members = [{ _id: 0, host }];
  try {
    const { config } = await admin.command({ replSetGetConfig: 1 });
    if (config.members[0].host === host) return;
    const next = { ...config, version: config.version + 1, members };
    await admin.command({ replSetReconfig: next, force: true });
  } catch (cause) {
    if (!(cause instanceof MongoServerError) || cause.code !== NOT_YET_INITIALIZED) throw cause;
    await admin.command({ replSetInitiate: { _id: REPLICA_SET, members } });
  }
}

async function isPrimary(admin: Db): Promise<boolean> {
  const hello = await admin.command({ hello: 1 });
  return hello["isWritablePrimary"] === true;
}

/** Sets the password; roles only when they are given, because others grant more of them. */
async function haveUser(db: Db, name: string, pwd: string, roles?: object[]): Promise<void> {
  const { users } = await db.command({ usersInfo: name });
  if (users.length === 0) {
    await db.command({ createUser: name, pwd, roles: roles ?? [] });
    return;
  }
  await db.command({ updateUser: name, pwd, ...(roles ? { roles } : {}) });
}

/** Whether both accounts can log in and the server takes writes. */
async function canLogIn(layout: Layout): Promise<boolean> {
  const answers = await Promise.all([
    logIn(layout, "beds_run", DATABASE),
    logIn(layout, "beds_dba", "admin"),
  ]);
  return answers.every(Boolean);
}

async function logIn(layout: Layout, account: Account, authSource: string): Promise<boolean> {
  const client = connect(layout, account, secret(layout, account), authSource);
  const answer = await within(isPrimary(client.db("admin")), LOGIN_LIMIT_MS, false);
  await client.close();
  return answer;
}

function connect(layout: Layout, user: string, password: string, authSource: string): MongoClient {
  return new MongoClient(`mongodb://${HOST}:${layout.ports.mongodb}/`, {
    auth: { username: user, password },
    authSource,
    directConnection: true,
    maxPoolSize: 1,
    serverSelectionTimeoutMS: 2000,
    monitorCommands: false,
  });
}

/** The password of mongod's internal user. Not with the secrets: no client logs in with it. */
export function keyFilePath(layout: Layout): string {
  return join(layout.home, "etc", "mongodb.key");
}

async function suitableOnPath(): Promise<string | null> {
  const program = findProgram("mongod", "/usr/bin/mongod", "/usr/local/bin/mongod");
  if (!program) return null;
  const { output } = await run([program, "--version"]);
  const major = Number(/db version v(\d+)\./.exec(output)?.[1] ?? 0);
  return major >= OLDEST_MAJOR ? program : null;
}

async function fromWheel(packages: Packages): Promise<string> {
  const program = join(await packages.mongodWheel(), "fiftyone", "db", "bin", "mongod");
  for (let attempt = 0; ; attempt++) {
    const { code, output } = await run([program, "--version"]);
    if (code === 0) return program;
    const missing = /loading shared libraries: (\S+):/.exec(output)?.[1] ?? "";
    const needed = LIBRARY_PACKAGES.get(missing);
    if (!needed || attempt === LIBRARY_PACKAGES.size) {
      throw new StackError(`mongod does not run here: ${output.trim()}`);
    }
    await packages.apt(needed);
  }
}
