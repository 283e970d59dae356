import type { CellFigures, Figures, Ratio, Report } from "./figures.ts";

/**
 * The report for programs: one flat object with dotted keys. Every ratio is BEDS to baseline, so
 * that a rate's should be large and a time's (`p50_ratio`) small.
 */
export function jsonOf({ figures, workers, rounds, machine, keyed, scenarios }: Report): string {
  const entries: [string, unknown][] = [
    ["workers", workers],
    ["rounds", rounds],
    ["machine.cores", machine.cores],
    ["machine.load_average", machine.load],
    ["scenarios", scenarios],
    ...figures.flatMap(figureEntries),
  ];
  // Until mutations are keyed, its ratio compares a bare procedure call with a keyed transaction.
  if (keyed !== null) {
    entries.push(["keyed_write.keyed", keyed]);
    if (!keyed) entries.push(["keyed_write.note", "not keyed yet"]);
  }
  return JSON.stringify(Object.fromEntries(entries), null, 2);
}

function figureEntries(figures: Figures): [string, unknown][] {
  const prefix = `${figures.scenario.name}.c${figures.concurrency}`;
  const crossed: [string, Ratio | null][] = [
    ["library_client_ratio", figures.libraryClientRatio],
    ["own_client_ratio", figures.ownClientRatio],
  ];
  return [
    ...ratioEntries(`${prefix}.ratio`, figures.ratio),
    ...ratioEntries(`${prefix}.p50_ratio`, figures.p50Ratio),
    [`${prefix}.cpu_ratio`, rounded(figures.cpuRatio, 3)],
    ...crossed.flatMap(([name, ratio]) =>
      ratio === null ? [] : ratioEntries(`${prefix}.${name}`, ratio),
    ),
    ...cellEntries(`${prefix}.beds`, figures.beds),
    ...cellEntries(`${prefix}.baseline`, figures.baseline),
  ];
}

function ratioEntries(name: string, { median, low, high }: Ratio): [string, unknown][] {
  return [
    [name, rounded(median, 3)],
    [`${name}_quartiles`, [rounded(low, 3), rounded(high, 3)]],
  ];
}

function cellEntries(prefix: string, cell: CellFigures): [string, unknown][] {
  return [
    [`${prefix}.per_second`, rounded(cell.perSecond, 0)],
    [`${prefix}.p50_ms`, rounded(cell.p50Ms, 3)],
    [`${prefix}.p99_ms`, rounded(cell.p99Ms, 3)],
    ...[...cell.cpuUs].map(([name, us]): [string, unknown] => {
      return [`${prefix}.cpu_us.${name}`, rounded(us, 1)];
    }),
    [`${prefix}.cpu_us.all`, rounded(cell.allCpuUs, 1)],
    [`${prefix}.request_bytes`, cell.requestBytes],
    [`${prefix}.answer_bytes`, cell.answerBytes],
  ];
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
