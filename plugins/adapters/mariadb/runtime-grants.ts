import {
  BedsError,
  type DatabaseTarget,
  type ObjectType,
  type Operation,
  type SourceLocation,
  type Template,
} from "../../../core/contract/index.ts";
import type { Connection } from "./connection.ts";
import { readGrants } from "./description.ts";
import { runForDba, type Step } from "./installation.ts";
import { quoteName } from "./names.ts";
import { systemProcedures } from "./system-objects.ts";

/** The runtime account as the server knows it, and what it may do already. */
export interface RuntimeAccount {
  /** Quoted: `` `beds_run`@`%` `` */
  readonly name: string;
  readonly grants: ReadonlySet<string>;
}

/**
 * Asked over a connection of the account itself: only then is it sure which `user@host` the server
 * means.
 */
export async function readRuntimeAccount(runtime: Connection): Promise<RuntimeAccount> {
  const reply = await runtime.query("SELECT CURRENT_USER()");
  const account = String(reply.rows[0]?.[0]);
  const at = account.lastIndexOf("@");
  const quote = (text: string): string => `\`${text.replaceAll("`", "``")}\``;
  return {
    name: `${quote(account.slice(0, at))}@${quote(account.slice(at + 1))}`,
    grants: new Set(await readGrants(runtime)),
  };
}

/**
 * One step a privilege that an operation of this database needs, those for BEDS's own objects, and
 * no other. Nothing is ever revoked: two versions of BEDS may run side by side, and `beds check`
 * names what is too much.
 */
export function grantSteps(
  dba: Connection,
  target: DatabaseTarget,
  templates: readonly Template[],
  account: RuntimeAccount,
): readonly Step[] {
  const { database, name } = target;
  const needed = new Map<string, Need>();
  for (const { path, name: object } of systemProcedures(dba.isMariadb)) {
    const where = { file: path, line: 1, column: 1 };
    needed.set(object, { words: "EXECUTE ON PROCEDURE", object, where });
  }
  for (const template of templates) {
    if (template.class !== "rel" || template.database !== name) continue;
    for (const operation of template.operations.values()) {
      const need = needOf(operation);
      const key = `${need.words} ${need.object}`;
      if (!needed.has(key)) needed.set(key, need);
    }
  }
  return [...needed.values()].map((need) => grantStep(dba, database, account, need));
}

interface Need {
  readonly words: string;
  readonly object: string;
  readonly where: SourceLocation;
}

function needOf({ name, object, objectType, where }: Operation): Need {
  const words = privilegeWords.get(objectType);
  if (words !== undefined) return { words, object, where };
  const detail = `${name}: a ${objectType} is no object of this database`;
  throw new BedsError("BEDS-T019", { detail, where });
}

function grantStep(
  dba: Connection,
  database: string,
  account: RuntimeAccount,
  { words, object, where }: Need,
): Step {
  // In the words of `grants.ts`, so that it can be compared with what the account has.
  const privilege = `${words} ${database}.${object}`;
  const changed = !account.grants.has(privilege);
  const run = async (): Promise<void> => {
    if (!changed) return;
    const place = `${quoteName(database)}.${quoteName(object)}`;
    await runForDba(dba, `GRANT ${words} ${place} TO ${account.name}`, where);
  };
  const action = `grant ${privilege} to ${account.name.replaceAll("`", "")}`;
  return { change: { path: where.file, action, changed }, run };
}

const privilegeWords: ReadonlyMap<ObjectType, string> = new Map([
  ["procedure", "EXECUTE ON PROCEDURE"],
  ["function", "EXECUTE ON FUNCTION"],
  ["view", "SELECT ON"],
]);
