import {
  BedsError,
  type DatabaseServer,
  type DatabaseTarget,
  type ObjectChange,
  type ObjectSource,
  type Template,
  type Workbench,
} from "../../../core/contract/index.ts";
import { Connection } from "./connection.ts";
import { accessError } from "./errors.ts";
import { createLedger, installationSteps, type Step, surveyDatabase } from "./installation.ts";
import { readObjectFiles } from "./object-file.ts";
import { grantSteps, readRuntimeAccount } from "./runtime-grants.ts";
import type { SessionLimits } from "./session.ts";
import { systemObjects } from "./system-objects.ts";

/** Seconds that one `beds db apply` waits for another one on the same database. */
const turnS = 3;

/**
 * The DBA's side: installs the object files and grants the runtime account what the templates need.
 * Every object's definer is the DBA's account, whose rights it runs with; the runtime account gets
 * EXECUTE and SELECT on single objects and nothing else. A second `apply` changes nothing. DDL
 * cannot be rolled back: when a file is refused, those before it stay installed, and the next
 * `apply` goes on from there.
 */
export class MariadbWorkbench implements Workbench {
  readonly #target: DatabaseTarget;
  readonly #limits: SessionLimits;
  #dba: Connection | null = null;

  constructor(target: DatabaseTarget, limits: SessionLimits) {
    this.#target = target;
    this.#limits = limits;
  }

  async plan(
    sources: readonly ObjectSource[],
    templates: readonly Template[],
  ): Promise<readonly ObjectChange[]> {
    const dba = await this.#connection();
    const objects = await this.#objectSteps(dba, sources);
    const grants = await this.#grantSteps(dba, templates);
    return [...objects, ...grants].map((step) => step.change);
  }

  async apply(
    sources: readonly ObjectSource[],
    templates: readonly Template[],
    report: (change: ObjectChange) => void,
  ): Promise<void> {
    const dba = await this.#connection();
    await this.#takeTurn(dba);
    try {
      // Every file is read before the first one is applied, so that a slip in the last one changes
      // nothing.
      for (const step of await this.#objectSteps(dba, sources)) await runStep(step, report);
      // Asked only now: where an object had to be dropped to be replaced, its grants went with it.
      for (const step of await this.#grantSteps(dba, templates)) await runStep(step, report);
    } finally {
      // Where this fails the connection is gone, and the lock with it.
      await dba.execute("DO RELEASE_LOCK(?)", [this.#turn()], 0).catch(() => {});
    }
  }

  async close(): Promise<void> {
    await this.#dba?.end();
    this.#dba = null;
  }

  async #objectSteps(dba: Connection, sources: readonly ObjectSource[]): Promise<readonly Step[]> {
    const files = readObjectFiles([...systemObjects(dba.isMariadb), ...sources]);
    return installationSteps(dba, files, await surveyDatabase(dba, this.#target.database));
  }

  async #grantSteps(dba: Connection, templates: readonly Template[]): Promise<readonly Step[]> {
    const runtime = await this.#open(this.#target.master, "control");
    try {
      return grantSteps(dba, this.#target, templates, await readRuntimeAccount(runtime));
    } finally {
      await runtime.end();
    }
  }

  /** One `apply` at a time on a database; the lock ends with the connection at the latest. */
  async #takeTurn(dba: Connection): Promise<void> {
    const reply = await dba.execute("SELECT GET_LOCK(?, ?)", [this.#turn(), turnS], 1);
    if (Number(reply.rows[0]?.[0]) === 1) return await createLedger(dba);
    const detail = `another \`beds db apply\` is running on database ${this.#target.name}`;
    throw new BedsError("BEDS-W002", { detail });
  }

  #turn(): string {
    return `beds_db_apply ${this.#target.database}`.slice(0, 64);
  }

  async #connection(): Promise<Connection> {
    if (this.#dba?.alive === true) return this.#dba;
    const { dba, name } = this.#target;
    if (dba === null) throw new BedsError("BEDS-W004", { detail: `database ${name}` });
    this.#dba = await this.#open(dba, "dba");
    return this.#dba;
  }

  async #open(server: DatabaseServer, role: "dba" | "control"): Promise<Connection> {
    const { database, name, connectTimeoutMs } = this.#target;
    const settings = { ...this.#limits, server, role, connectTimeoutMs };
    try {
      return await Connection.open({ ...settings, database: role === "dba" ? database : null });
    } catch (thrown) {
      throw accessError(thrown, name);
    }
  }
}

async function runStep(step: Step, report: (change: ObjectChange) => void): Promise<void> {
  await step.run();
  report(step.change);
}
