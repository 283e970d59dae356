import { BedsError } from "../contract/errors.ts";
import { Findings } from "../contract/findings.ts";
import type { Template } from "../contract/template.ts";
import { FrozenMap } from "./frozen.ts";

/** All templates of a process, frozen. A look-up costs the same however many there are. */
export interface TemplateRegistry {
  /** In the order in which they were read. */
  readonly all: readonly Template[];
  readonly byName: ReadonlyMap<string, Template>;
  readonly byTla: ReadonlyMap<string, Template>;
}

/**
 * Puts templates together. Throws `Findings` with every name (BEDS-T004) and every TLA (T005) that
 * two templates share, located at the later one.
 */
export function buildRegistry(templates: Iterable<Template>): TemplateRegistry {
  const all = Object.freeze([...templates]);
  const errors: BedsError[] = [];
  const byName = new Map<string, Template>();
  const byTla = new Map<string, Template>();
  for (const template of all) {
    const { name, tla, where } = template;
    const namesake = byName.get(name);
    if (namesake === undefined) byName.set(name, template);
    else errors.push(new BedsError("BEDS-T004", { detail: twin(name, namesake), where }));
    const acronym = byTla.get(tla);
    if (acronym === undefined) byTla.set(tla, template);
    else errors.push(new BedsError("BEDS-T005", { detail: twin(tla, acronym), where }));
  }
  if (errors.length > 0) throw new Findings(errors);
  return Object.freeze({ all, byName: new FrozenMap(byName), byTla: new FrozenMap(byTla) });
}

function twin(word: string, first: Template): string {
  return `'${word}' is taken by ${first.name} in ${first.where.file}`;
}
