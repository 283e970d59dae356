import { BedsError, type Template } from "../../../core/contract/index.ts";
import { type RuntimeAccount, runtimeRole } from "./bench-state.ts";
import { serverText } from "./failure.ts";
import { grantWord, type Need, needsOf, ownNeeds } from "./grants.ts";
import type { JsonObject } from "./node.ts";
import type { CommandObject } from "./object.ts";
import type { Bench, Step } from "./steps.ts";

/** What the role is made for. */
export interface RoleDemand {
  /** The `[databases.<name>]` section that templates name. */
  readonly section: string;
  readonly templates: readonly Template[];
  /** All objects as they will be, by name. */
  readonly objects: ReadonlyMap<string, CommandObject>;
  readonly account: RuntimeAccount;
}

/**
 * The steps that let the runtime account do exactly what the operations need, through one role of
 * their own. What nobody needs any more is taken away. Privileges are granted and revoked one by
 * one: to replace a role's whole list, MongoDB wants rights on all databases. Errors of a step:
 * BEDS-W002.
 */
export function roleSteps(demand: RoleDemand, bench: Bench): readonly Step[] {
  const { role } = bench.state;
  const { databaseName } = bench.db;
  const needs = new Map(neededBy(demand).map((need) => [grantWord(databaseName, need), need]));
  const held = new Map((role?.privileges ?? []).map((privilege) => [privilege.word, privilege]));
  const haveRole = once(async () => {
    if (role === undefined) {
      await ask(bench.db, { createRole: runtimeRole, privileges: [], roles: [] });
    }
  });
  const grants = [...needs].sort(byWord).map(([word, { action, collection }]) => {
    const resource = { db: databaseName, collection };
    const privileges = [{ resource, actions: [action] }];
    return roleStep(`grant ${word}`, !held.has(word), async () => {
      await haveRole();
      await ask(bench.db, { grantPrivilegesToRole: runtimeRole, privileges });
    });
  });
  const extra = [...held].filter(([word]) => !needs.has(word)).sort(byWord);
  const revokes = extra.map(([word, { resource, action }]) => {
    const privileges = [{ resource, actions: [action] }];
    return roleStep(`revoke ${word}`, true, async () => {
      await ask(bench.db, { revokePrivilegesFromRole: runtimeRole, privileges });
    });
  });
  const strangers = (role?.inherited ?? []).map((inherited) =>
    roleStep(`revoke role ${JSON.stringify(inherited)}`, true, async () => {
      await ask(bench.db, { revokeRolesFromRole: runtimeRole, roles: [inherited] });
    }),
  );
  return [...grants, ...revokes, ...strangers, accountStep(demand.account, bench)];
}

function roleStep(action: string, changed: boolean, work: () => Promise<void>): Step {
  return {
    change: { path: `role ${runtimeRole}`, action, changed },
    run: async () => (changed ? await work() : undefined),
  };
}

function byWord([left]: readonly [string, unknown], [right]: readonly [string, unknown]): number {
  return left < right ? -1 : 1;
}

function neededBy({ section, templates, objects }: RoleDemand): readonly Need[] {
  const used = templates
    .filter((template) => template.class === "rec" && template.database === section)
    .flatMap((template) => [...template.operations.values()])
    .flatMap((operation) => objects.get(operation.object) ?? []);
  return [...ownNeeds, ...used.flatMap(needsOf)];
}

function accountStep({ user, authSource }: RuntimeAccount, bench: Bench): Step {
  const { db, accounts, state } = bench;
  const roles = [{ role: runtimeRole, db: db.databaseName }];
  const action = `grant role ${runtimeRole} to ${user}@${authSource}`;
  return roleStep(action, !state.isGranted, async () => {
    await ask(accounts, { grantRolesToUser: user, roles });
  });
}

/** Runs a command of the user management. */
async function ask(db: Bench["db"], command: JsonObject): Promise<void> {
  try {
    await db.command(command);
  } catch (thrown) {
    const detail = `${Object.keys(command)[0]}: ${serverText(thrown)}`;
    const hint = "give the DBA's account the role userAdmin on the databases of data and account";
    throw new BedsError("BEDS-W002", { detail, hint, cause: thrown });
  }
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => (done ??= work());
}
