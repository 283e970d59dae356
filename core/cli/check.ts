import type { BedsError } from "../contract/errors.ts";
import { Findings } from "../contract/findings.ts";
import { checkNode } from "../ipl/check.ts";
import { exitCodes } from "../ipl/exit-code.ts";
import { type LoadedNode, loadNode } from "../ipl/load.ts";
import { errorJson, errorsOf, renderError } from "../observe/error-text.ts";
import type { Invocation } from "./command.ts";
import { counted } from "./counted.ts";
import { nodeOptions } from "./node-options.ts";

/** `beds check`: everything that is wrong, at once. Out: 1 with findings, 0 without. */
export async function check(invocation: Invocation): Promise<number> {
  const { options, output, stop } = invocation;
  const offline = options.has("offline");
  let node: LoadedNode;
  try {
    node = await loadNode(await nodeOptions(invocation));
  } catch (thrown) {
    // What is wrong with the files is just what was asked for; no server is asked before they are
    // right.
    if (!errorsOf(thrown).every((error) => error.class === "BOOT")) throw thrown;
    return report(invocation, errorsOf(thrown));
  }
  const errors = await checkNode(node, { offline }, stop);
  if (errors.length > 0) return report(invocation, errors);
  const counts = countOf(node);
  if (output.json) output.document({ ok: true, ...counts, offline, findings: [] });
  else output.data(okText(counts, offline));
  return exitCodes.ok;
}

function report({ output }: Invocation, errors: readonly BedsError[]): number {
  const findings = new Findings(errors);
  if (output.json) {
    output.document({ ok: false, findings: errorJson(findings) });
  } else {
    output.data(renderError(findings, { color: output.colorsData }));
    output.say(`\n${counted(errors.length, "finding")}`);
  }
  return exitCodes.findings;
}

interface Counts {
  readonly templates: number;
  readonly operations: number;
  readonly databases: number;
  readonly plugins: number;
}

function countOf({ registry, drivers, plugins }: LoadedNode): Counts {
  const operations = registry.all.reduce((sum, template) => sum + template.operations.size, 0);
  return {
    templates: registry.all.length,
    operations,
    databases: drivers.size,
    plugins: plugins.all.length,
  };
}

function okText({ templates, operations, databases, plugins }: Counts, offline: boolean): string {
  const found = [
    counted(templates, "template"),
    counted(operations, "operation"),
    counted(plugins, "plugin"),
    counted(databases, "database"),
  ].join(", ");
  return offline ? `ok: ${found}; no server was asked (--offline)` : `ok: ${found}; all agree`;
}
