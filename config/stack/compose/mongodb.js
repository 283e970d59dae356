/**
 * Run by mongosh in the container, as its healthcheck: the replica set and the accounts, as
 * config/stack/mongodb.ts makes them for the private server. Quits with 1 until all is there.
 */
/* global db, fs, quit */
const password = (account) => fs.readFileSync(`/beds-secrets/${account}`, "utf8").trim();
const docs = db.getSiblingDB("docs");
const admin = db.getSiblingDB("admin");
const NOT_YET_INITIALIZED = 94;

try {
  admin.runCommand({ replSetGetConfig: 1 });
} catch (cause) {
  if (cause.code !== NOT_YET_INITIALIZED) throw cause;
  admin.runCommand({
    replSetInitiate: { _id: "beds", members: [{ _id: 0, host: "127.0.0.1:21675" }] },
  });
}
if (!db.hello().isWritablePrimary) quit(1);

if (!admin.getUser("beds_dba")) {
  const roles = ["readWrite", "dbAdmin", "userAdmin"].map((role) => ({ role, db: "docs" }));
  admin.createUser({ user: "beds_dba", pwd: password("beds_dba"), roles });
}
if (!docs.getUser("beds_run")) {
  docs.createUser({ user: "beds_run", pwd: password("beds_run"), roles: [] });
}
