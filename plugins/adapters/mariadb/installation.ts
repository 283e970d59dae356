import { BedsError, type ObjectChange, type SourceLocation } from "../../../core/contract/index.ts";
import type { Connection } from "./connection.ts";
import { serverText } from "./errors.ts";
import type { ObjectFile } from "./object-file.ts";

/** Something that `apply` does and `plan` only tells. */
export interface Step {
  readonly change: ObjectChange;
  /** Does it; nothing when `change.changed` is false. Errors: BEDS-W002. */
  readonly run: () => Promise<void>;
}

/** What the DBA's account sees of a database before anything is done. */
export interface Survey {
  /** Checksums of the files that were applied, by path. */
  readonly applied: ReadonlyMap<string, string>;
  /** `table usr`, `view usr_active_v`, `procedure usr_create` */
  readonly objects: ReadonlySet<string>;
}

/**
 * Where the workbench remembers what it applied. The DBA's: the runtime account is granted nothing
 * on it.
 */
const ledger = "beds_object_source";

export async function surveyDatabase(dba: Connection, database: string): Promise<Survey> {
  const found = await dba.execute(objectsText, [database, database], Number.MAX_SAFE_INTEGER);
  const objects = new Set(found.rows.map((row) => `${String(row[0])} ${String(row[1])}`));
  if (!objects.has(`table ${ledger}`)) return { applied: new Map(), objects };
  const entries = await dba.query(`SELECT path, checksum FROM \`${ledger}\``);
  const applied = new Map(entries.rows.map((row) => [String(row[0]), String(row[1])]));
  return { applied, objects };
}

/** Makes the ledger where it is not there yet. Errors: BEDS-W002. */
export async function createLedger(dba: Connection): Promise<void> {
  await runForDba(
    dba,
    `CREATE TABLE IF NOT EXISTS \`${ledger}\` (
       path VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL PRIMARY KEY,
       checksum CHAR(64) CHARACTER SET ascii NOT NULL,
       applied_at DATETIME(6) NOT NULL
     ) COMMENT 'object files that beds db apply has installed'`,
  );
}

/**
 * One step a file, in order. Errors: BEDS-W003 for a table's file that was changed after it was
 * applied. A file is applied again when it was changed or when its object is gone; a gone table
 * takes its alterations with it.
 */
export function installationSteps(
  dba: Connection,
  files: readonly ObjectFile[],
  survey: Survey,
): readonly Step[] {
  return files.map((file) => {
    const { path, checksum } = file.source;
    const applied = survey.applied.get(path);
    const isTable = file.kind === "table" || file.kind === "alteration";
    if (isTable && applied !== undefined && applied !== checksum) throw changedTable(path);
    const object = `${isTable ? "table" : file.kind} ${file.name}`;
    const exists = survey.objects.has(object);
    const action = actionOf(file, object, exists, applied);
    const changed = !(exists && applied === checksum);
    const run = async (): Promise<void> => {
      if (!changed) return;
      if (!action.startsWith("adopt")) await install(dba, file);
      await dba.execute(recordText, [path, checksum], 0);
    };
    return { change: { path, action, changed }, run };
  });
}

/**
 * Runs one statement of the DBA. Errors: BEDS-W002 with the server's text, and the line it names.
 */
export async function runForDba(
  dba: Connection,
  text: string,
  where?: SourceLocation,
): Promise<void> {
  try {
    await dba.query(text);
  } catch (thrown) {
    const { errno, text: detail } = serverText(thrown);
    const number = errno === 0 ? "" : ` [error ${errno}]`;
    const facts = { detail: `${detail}${number}` };
    if (where === undefined) throw new BedsError("BEDS-W002", facts);
    const line = where.line + Number(/ at line (\d+)\s*$/.exec(detail)?.[1] ?? 1) - 1;
    throw new BedsError("BEDS-W002", { ...facts, where: { ...where, line } });
  }
}

const objectsText = `SELECT LOWER(ROUTINE_TYPE), ROUTINE_NAME FROM information_schema.ROUTINES
    WHERE ROUTINE_SCHEMA = ?
  UNION ALL SELECT IF(TABLE_TYPE = 'VIEW', 'view', 'table'), TABLE_NAME
    FROM information_schema.TABLES WHERE TABLE_SCHEMA = ?`;

const recordText = `INSERT INTO \`${ledger}\` (path, checksum, applied_at)
  VALUES (?, ?, UTC_TIMESTAMP(6))
  ON DUPLICATE KEY UPDATE checksum = VALUES(checksum), applied_at = VALUES(applied_at)`;

async function install(dba: Connection, file: ObjectFile): Promise<void> {
  for (const text of file.statements(dba.isMariadb)) {
    await runForDba(dba, text, { file: file.source.path, line: file.line, column: 1 });
  }
}

/**
 * A table that was there before its file is left as it is: nobody but the DBA knows how to merge
 * the two.
 */
function actionOf(
  file: ObjectFile,
  object: string,
  exists: boolean,
  applied: string | undefined,
): string {
  if (file.kind === "alteration") return `alter ${object}`;
  if (!exists) return `create ${object}`;
  return file.kind === "table" && applied === undefined ? `adopt ${object}` : `replace ${object}`;
}

function changedTable(path: string): BedsError {
  return new BedsError("BEDS-W003", { detail: path, where: { file: path, line: 1, column: 1 } });
}
