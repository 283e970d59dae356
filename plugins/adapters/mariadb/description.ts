import type {
  DatabaseDescription,
  DescribedObject,
  DescribedValue,
} from "../../../core/contract/index.ts";
import type { Connection, Scalar } from "./connection.ts";
import { harmlessPrivileges, privilegesOf } from "./grants.ts";
import { systemObjects, systemPrivileges, systemProcedures } from "./system-objects.ts";
import { acceptedTypes } from "./types.ts";

/**
 * What one account sees of a database: with the runtime account that is exactly what it may use.
 * The server shows no bodies to it. Called at boot, in `beds check`, and by the workbench for the
 * grants alone.
 */
export async function describeDatabase(
  connection: Connection,
  database: string,
): Promise<DatabaseDescription> {
  const read = reader(connection);
  const [server] = await read("SELECT VERSION(), @@max_connections, @@version_comment", []);
  const routines = await read(routinesText, [database]);
  const parameters = groupValues(await read(parametersText, [database]));
  const tables = await read(tablesText, [database]);
  const columns = groupValues(await read(columnsText, [database]));
  const objects = new Map<string, DescribedObject>();
  for (const object of [
    ...tables.map((row) => describeTable(database, row, columns)),
    ...routines.map((row) => describeRoutine(database, row, parameters)),
  ]) {
    const twin = objects.get(object.name);
    const refusal = `there are a ${twin?.type ?? ""} and a ${object.type} of this name`;
    objects.set(object.name, twin === undefined ? object : { ...object, refusal });
  }
  const version = word(server, 0);
  const { isMariadb } = connection;
  return {
    product: /mariadb/i.test(version + word(server, 2)) ? "MariaDB" : "MySQL",
    version,
    maxConnections: Number(server?.[1]),
    objects,
    grants: await readGrants(connection),
    harmlessGrants: [...harmlessPrivileges, ...systemPrivileges(database, isMariadb)],
    missing: missingObjects(objects, isMariadb),
  };
}

/** The privileges of the account of this connection, those of everybody (PUBLIC) included. */
export async function readGrants(connection: Connection): Promise<readonly string[]> {
  const own = await connection.query("SHOW GRANTS");
  // MySQL and MariaDB before 10.11 have no PUBLIC; where it has no privileges some versions refuse
  // the question.
  const shared = await connection.query("SHOW GRANTS FOR PUBLIC").catch(() => null);
  const lines = [...own.rows, ...(shared?.rows ?? [])].map((row) => word(row, 0));
  return privilegesOf(lines);
}

type Cells = readonly unknown[];

const routinesText = `SELECT ROUTINE_NAME, ROUTINE_TYPE, SQL_MODE, SECURITY_TYPE
  FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = ? ORDER BY ROUTINE_NAME, ROUTINE_TYPE`;

const parametersText = `SELECT CONCAT(ROUTINE_TYPE, ' ', SPECIFIC_NAME), PARAMETER_NAME,
    DTD_IDENTIFIER, PARAMETER_MODE
  FROM information_schema.PARAMETERS WHERE SPECIFIC_SCHEMA = ? AND ORDINAL_POSITION > 0
  ORDER BY ROUTINE_TYPE, SPECIFIC_NAME, ORDINAL_POSITION`;

const tablesText = `SELECT t.TABLE_NAME, t.TABLE_TYPE, v.SECURITY_TYPE
  FROM information_schema.TABLES t
  LEFT JOIN information_schema.VIEWS v USING (TABLE_SCHEMA, TABLE_NAME)
  WHERE t.TABLE_SCHEMA = ? ORDER BY t.TABLE_NAME`;

const columnsText = `SELECT TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, 'IN'
  FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? ORDER BY TABLE_NAME, ORDINAL_POSITION`;

function reader(
  connection: Connection,
): (text: string, values: readonly Scalar[]) => Promise<readonly Cells[]> {
  return async (text, values) => {
    const reply = await connection.execute(text, values, Number.MAX_SAFE_INTEGER);
    return reply.rows;
  };
}

/** The values of one routine or table, and the first of its parameters that is not IN. */
interface ValueGroup {
  readonly values: DescribedValue[];
  outward: string | undefined;
}

function groupValues(rows: readonly Cells[]): ReadonlyMap<string, ValueGroup> {
  const groups = new Map<string, ValueGroup>();
  for (const row of rows) {
    const group = groups.get(word(row, 0)) ?? { values: [], outward: undefined };
    groups.set(word(row, 0), group);
    const declared = word(row, 2);
    group.values.push({ name: word(row, 1), declared, accepts: acceptedTypes(declared) });
    if (word(row, 3) !== "IN") group.outward ??= word(row, 1);
  }
  return groups;
}

function describeRoutine(
  database: string,
  row: Cells,
  groups: ReadonlyMap<string, ValueGroup>,
): DescribedObject {
  const name = word(row, 0);
  const kind = word(row, 1);
  const group = groups.get(`${kind} ${name}`);
  const refusal = routineRefusal(row, group?.outward);
  return {
    name,
    type: kind === "FUNCTION" ? "function" : "procedure",
    parameters: group?.values ?? [],
    ...(refusal === undefined ? {} : { refusal }),
    requires: [`EXECUTE ON ${kind} ${database}.${name}`],
  };
}

/**
 * Own procedures that the account does not see, or sees as another version of BEDS has them.
 */
function missingObjects(
  objects: ReadonlyMap<string, DescribedObject>,
  isMariadb: boolean,
): readonly string[] {
  return systemProcedures(isMariadb).flatMap(({ name, parameters }) => {
    const found = objects.get(name);
    if (found === undefined) return [`procedure ${name}`];
    const real = found.parameters.length;
    if (real === parameters) return [];
    return [`procedure ${name} with ${parameters} parameters (it has ${real})`];
  });
}

const ownNames: ReadonlySet<string> = new Set(systemObjects(true).map(({ name }) => name));

function routineRefusal(row: Cells, outward: string | undefined): string | undefined {
  if (ownNames.has(word(row, 0))) return "it is BEDS's own and no operation's object";
  if (!/STRICT_(ALL|TRANS)_TABLES/.test(word(row, 2))) {
    return "it was created without a strict sql_mode, so that it would cut values silently";
  }
  if (word(row, 3) !== "DEFINER") return "it runs with the caller's rights: SQL SECURITY INVOKER";
  if (outward !== undefined) return `parameter ${outward} is OUT or INOUT: answer with a SELECT`;
  return undefined;
}

function describeTable(
  database: string,
  row: Cells,
  groups: ReadonlyMap<string, ValueGroup>,
): DescribedObject {
  const name = word(row, 0);
  const isView = word(row, 1) === "VIEW";
  const invoker = isView && word(row, 2) !== "DEFINER";
  return {
    name,
    type: isView ? "view" : "table",
    parameters: [],
    columns: groups.get(name)?.values ?? [],
    ...(invoker ? { refusal: "it runs with the caller's rights: SQL SECURITY INVOKER" } : {}),
    requires: [`SELECT ON ${database}.${name}`],
  };
}

function word(row: Cells | undefined, at: number): string {
  return String(row?.[at] ?? "");
}
