import type { ObjectChange } from "../contract/adapter.ts";
import { exitCodes } from "../ipl/exit-code.ts";
import { loadNode } from "../ipl/load.ts";
import { chooseDatabases, strayFolders, withWorkbench } from "../ipl/workbench.ts";
import type { Invocation } from "./command.ts";
import { counted } from "./counted.ts";
import { nodeOptions } from "./node-options.ts";
import type { Output } from "./output.ts";
import { Progress } from "./progress.ts";

/** What happened to, or is planned for, one database. */
interface DatabaseOutcome {
  readonly database: string;
  readonly files: number;
  readonly changes: readonly ObjectChange[];
}

/** `beds db plan`: what `apply` would do. Out: 1 when it would do something. */
export async function planDatabases(invocation: Invocation): Promise<number> {
  const { output } = invocation;
  const outcomes = await eachDatabase(invocation, async (work) => {
    const changes = (await work.plan()).filter(({ changed }) => changed);
    if (!output.json) for (const change of changes) output.data(changeLine(work.name, change));
    return { database: work.name, files: work.files, changes };
  });
  const count = countOf(outcomes);
  if (output.json) output.document({ databases: outcomes });
  else if (count === 0) sayNothingToDo(outcomes, output);
  else output.say(`${counted(count, "change")} to make; \`beds db apply\` makes them`);
  return count === 0 ? exitCodes.ok : exitCodes.findings;
}

/** `beds db apply`: installs what is new or changed, and says each change as it is made. */
export async function applyDatabases(invocation: Invocation): Promise<number> {
  const { output } = invocation;
  const outcomes = await eachDatabase(invocation, async (work) => {
    const planned = (await work.plan()).filter(({ changed }) => changed).length;
    const progress = new Progress(output, "changes", planned, () => performance.now());
    const changes: ObjectChange[] = [];
    try {
      await work.apply((change) => {
        if (!change.changed) return;
        changes.push(change);
        progress.step(output.json ? undefined : changeLine(work.name, change));
      });
    } finally {
      progress.clear();
    }
    return { database: work.name, files: work.files, changes };
  });
  const count = countOf(outcomes);
  if (output.json) output.document({ databases: outcomes });
  else if (count === 0) sayNothingToDo(outcomes, output);
  else output.say(`${counted(count, "change")} made; next: \`beds check\` or \`beds run\``);
  return exitCodes.ok;
}

async function eachDatabase(
  invocation: Invocation,
  work: Parameters<typeof withWorkbench<DatabaseOutcome>>[2],
): Promise<readonly DatabaseOutcome[]> {
  const { words, output } = invocation;
  const node = await loadNode(await nodeOptions(invocation));
  for (const folder of await strayFolders(node)) {
    output.say(`warning: db/${folder} beside the templates belongs to no configured database`);
  }
  const outcomes: DatabaseOutcome[] = [];
  for (const name of chooseDatabases(node, words)) {
    outcomes.push(await withWorkbench(node, name, work));
    await output.flush();
  }
  return outcomes;
}

function changeLine(database: string, { path, action }: ObjectChange): string {
  return path === "" ? `${database}: ${action}` : `${database}: ${action} (${path})`;
}

function sayNothingToDo(outcomes: readonly DatabaseOutcome[], output: Output): void {
  const names = outcomes.map(({ database, files }) => `${database} (${counted(files, "file")})`);
  const where = names.length === 0 ? "no database has a DBA's side" : names.join(", ");
  output.say(`nothing to do: ${where}`);
}

function countOf(outcomes: readonly DatabaseOutcome[]): number {
  return outcomes.reduce((sum, { changes }) => sum + changes.length, 0);
}
