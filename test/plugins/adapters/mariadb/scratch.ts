import { createHash, randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { createConnection } from "mysql2/promise";
import { checkoutLayout, HOST } from "../../../../config/stack/layout.ts";
import { asRoot, type Query } from "../../../../config/stack/mariadb-account.ts";
import { socketPath } from "../../../../config/stack/mariadb.ts";
import {
  type Adapter,
  type AdapterDriver,
  type Binding,
  type DatabaseServer,
  type DatabaseTarget,
  type ObjectChange,
  type ObjectSource,
  operationName,
  type Row,
  type Template,
} from "../../../../core/contract/index.ts";
import { parseTemplate } from "../../../../core/template/parse.ts";
import mariadb from "../../../../plugins/adapters/mariadb/index.ts";

const layout = checkoutLayout();

/** A database of one test file's own, with accounts of its own, on the stack's real server. */
export interface Scratch {
  readonly database: string;
  readonly driver: AdapterDriver;
  readonly target: DatabaseTarget;
  /** Runs one statement as one of the accounts, on a connection of its own. */
  as(who: "run" | "dba", sql: string, values?: readonly string[]): Promise<unknown[]>;
  root(sql: string): Promise<readonly Record<string, unknown>[]>;
  apply(sources: readonly ObjectSource[], templates: readonly Template[]): Promise<ObjectChange[]>;
  plan(
    sources: readonly ObjectSource[],
    templates: readonly Template[],
  ): Promise<readonly ObjectChange[]>;
  dispose(): Promise<void>;
}

export async function makeScratch(name: string): Promise<Scratch> {
  const database = `beds_t_${name}_${process.pid}`;
  const accounts = { run: account(`${name}_run`), dba: account(`${name}_dba`) };
  const root = rootQuery;
  await root(`DROP DATABASE IF EXISTS ${database}`);
  await root(`CREATE DATABASE ${database} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci`);
  for (const { user, pass } of Object.values(accounts)) {
    await root(`CREATE OR REPLACE USER '${user}'@'%' IDENTIFIED BY '${pass}'`);
  }
  await root(`GRANT ALL ON ${database}.* TO '${accounts.dba.user}'@'%' WITH GRANT OPTION`);
  const target: DatabaseTarget = {
    name,
    database,
    master: accounts.run,
    secondary: null,
    dba: accounts.dba,
    connections: 4,
    connectTimeoutMs: 1000,
  };
  const driver = await mariadb.create({});
  if (!("openWorkbench" in driver) || driver.openWorkbench === undefined) throw new Error("no DBA");
  const openWorkbench = driver.openWorkbench.bind(driver);
  return {
    database,
    driver,
    target,
    root,
    as: (who, sql, values) => runAs(accounts[who], database, sql, values),
    async apply(sources, templates) {
      const changes: ObjectChange[] = [];
      const workbench = openWorkbench(target);
      try {
        await workbench.apply(sources, templates, (change) => changes.push(change));
      } finally {
        await workbench.close();
      }
      return changes;
    },
    async plan(sources, templates) {
      const workbench = openWorkbench(target);
      try {
        return await workbench.plan(sources, templates);
      } finally {
        await workbench.close();
      }
    },
    async dispose() {
      await root(`DROP DATABASE IF EXISTS ${database}`);
      for (const { user } of Object.values(accounts))
        await root(`DROP USER IF EXISTS '${user}'@'%'`);
    },
  };
}

/** The template of a file, with its database's name replaced by the scratch target's. */
export function loadTemplate(file: string, database: string): Template {
  const text = readFileSync(file, "utf8").replace(/^database = .*$/m, `database = "${database}"`);
  return parseTemplate(text, relative(layout.checkout, file));
}

/** All object files below `folder`, as `beds db` finds them. */
export function loadSources(folder: string): ObjectSource[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".sql"))
    .toSorted()
    .map((path) => makeSource(`db/app/${path}`, readFileSync(join(folder, path), "utf8")));
}

export function makeSource(path: string, text: string): ObjectSource {
  return { path, text, checksum: createHash("sha256").update(text).digest("hex") };
}

/**
 * Calls an operation as the pipeline does: arguments by parameter name, the core's method by kind.
 */
export type Call = (
  op: string,
  args?: { readonly [name: string]: unknown },
  options?: { readonly timeoutMs?: number; readonly rowCap?: number },
) => Promise<readonly Row[]>;

export async function makeCall(adapter: Adapter, template: Template): Promise<Call> {
  const bindings = new Map<string, Binding>();
  for (const [name, operation] of template.operations) {
    bindings.set(name, await adapter.bind(template, operation));
  }
  const methods = {
    create: "createRecord",
    fetch: "fetchRecords",
    update: "updateRecord",
    delete: "deleteRecord",
    call: "callObject",
  } as const;
  return async (op, args = {}, options = {}) => {
    const binding = bindings.get(op);
    if (binding === undefined) throw new Error(`no operation ${op}`);
    const { operation } = binding;
    const names = operation.parameters.map((parameter) => parameter.name);
    const stray = Object.keys(args).filter((name) => !names.includes(name));
    if (stray.length > 0)
      throw new Error(`${operationName(template, operation)} takes no ${stray}`);
    const values = names.map((name) => args[name] ?? null);
    return await adapter.core[methods[operation.kind]](binding, values, {
      timeoutMs: options.timeoutMs ?? operation.timeoutMs,
      rowCap: options.rowCap ?? operation.result.rowCap,
    });
  };
}

/** What a promise is rejected with, as `CODE: detail`; "fulfilled" when it is not. */
export async function outcome(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "fulfilled";
  } catch (thrown) {
    if (!(thrown instanceof Error)) return String(thrown);
    const detail: unknown = Reflect.get(thrown, "detail");
    return `${String(Reflect.get(thrown, "code"))}: ${String(detail ?? thrown.message)}`;
  }
}

async function rootQuery(sql: string): Promise<readonly Record<string, unknown>[]> {
  let rows: readonly Record<string, unknown>[] = [];
  await asRoot(socketPath(layout, "mariadb"), async (query: Query) => {
    rows = await query(sql);
  });
  return rows;
}

function account(name: string): DatabaseServer {
  return {
    host: HOST,
    port: layout.ports.mariadb,
    user: `beds_t_${name}_${process.pid}`,
    pass: randomBytes(12).toString("hex"),
  };
}

async function runAs(
  server: DatabaseServer,
  database: string,
  sql: string,
  values: readonly string[] = [],
): Promise<unknown[]> {
  const { host, port, user, pass } = server;
  const connection = await createConnection({ host, port, user, password: pass });
  try {
    const [rows] = await connection.query(sql.replaceAll("{db}", database), [...values]);
    return Array.isArray(rows) ? rows : [];
  } finally {
    connection.destroy();
  }
}
