import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "bun:test";
import { createConnection } from "mysql2/promise";
import { type KeyedRig, makeKeyedRig } from "./keyed-rig.ts";

// What a server that died within a commit leaves behind: a prepared transaction that holds its key.

let rig: KeyedRig;

beforeAll(async () => {
  rig = await makeKeyedRig("orphan");
});

afterAll(async () => {
  await rig.dispose();
});

/** Claims a key in a transaction that is prepared and then left alone. Out: its name. */
async function leaveOrphan(key: string, prefix = "beds-"): Promise<string> {
  const { master, dba, database } = rig.scratch.target;
  if (dba === null) throw new Error("the scratch database has no DBA");
  const { user, pass: password } = dba;
  const { host, port } = master;
  const connection = await createConnection({ host, port, user, password, database });
  const name = `${prefix}${randomBytes(16).toString("hex")}`;
  await connection.query(`XA START '${name}'`);
  await connection.query(
    `INSERT INTO beds_key (scope, idem_key, req_hash, attempt, created_at, expires_at)
       VALUES ('app1/Keyed.keep', '${key}', REPEAT('0', 64), REPEAT('0', 32), NOW(), NOW())`,
  );
  await connection.query(`XA END '${name}'`);
  await connection.query(`XA PREPARE '${name}'`);
  await connection.end();
  return name;
}

async function prepared(): Promise<readonly string[]> {
  return (await rig.scratch.root("XA RECOVER")).map((row) => String(row["data"]));
}

test("an orphan is committed by the first connection for writes, since it may have been answered", async () => {
  const name = await leaveOrphan("k1");
  expect(await prepared()).toContain(name);
  const db = await rig.open(2);
  try {
    await db.mutate("other", "keep", { text: "goes on" });
    expect(await prepared()).not.toContain(name);
    expect(await rig.keys("k1")).toBe(1);
  } finally {
    await db.adapter.close();
  }
});

test("two workers that come at once both go on", async () => {
  const names = await Promise.all([leaveOrphan("k2"), leaveOrphan("k3"), leaveOrphan("k4")]);
  const workers = await Promise.all([rig.open(2), rig.open(2)]);
  try {
    const texts = ["one", "two"];
    await Promise.all(workers.map((db, at) => db.mutate(`w${at}`, "keep", { text: texts[at] })));
    const left = await prepared();
    expect(names.filter((name) => left.includes(name))).toEqual([]);
  } finally {
    for (const { adapter } of workers) await adapter.close();
  }
});

test("a prepared transaction of somebody else is left alone", async () => {
  const name = await leaveOrphan("k5", "theirs-");
  const db = await rig.open(1);
  try {
    await db.mutate("another", "keep", { text: "as before" });
    expect(await prepared()).toContain(name);
  } finally {
    await db.adapter.close();
    await rig.scratch.root(`XA ROLLBACK '${name}'`);
  }
});
