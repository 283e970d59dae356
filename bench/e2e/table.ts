import type { CellFigures, Figures, Ratio, Report } from "./figures.ts";

/** The report for people. */
export function tableOf({ figures, workers, rounds, machine, keyed }: Report): string {
  const rows = figures.flatMap((each) => [
    rowOf(`${each.scenario.name} c=${each.concurrency}`, "beds", each.beds),
    rowOf("", "baseline", each.baseline),
  ]);
  const verdicts = figures.map((each) => verdictOf(each, keyed));
  const settings = [...new Set(figures.map(({ scenario }) => scenario))].map((scenario) => {
    const { name, means, instances, connections, queueType, persistent, confirms } = scenario;
    const kept = persistent ? "persistent" : "transient";
    const told = confirms ? "publisher confirms on both sides" : "no publisher confirms";
    const sizes = figures.find((each) => each.scenario === scenario);
    const bytes = sizes === undefined ? "" : `, ${bytesOf(sizes)}`;
    return (
      `${name}: ${means}\n` +
      `  ${queueType} durable queue, ${kept} messages, manual ack, ${told}${bytes}\n` +
      `  ${instances} instances, ${connections} database connections on each side`
    );
  });
  return [
    `BEDS with ${workers} worker${workers === 1 ? "" : "s"} against a plain amqp-client service; ` +
      `medians of ${rounds} interleaved rounds,\n` +
      `half of the rounds between the figures in brackets; ${machine.cores} cores, ` +
      `load ${machine.load.toFixed(1)} when it began`,
    settings.join("\n"),
    aligned([header, ...rows]),
    verdicts.join("\n"),
  ].join("\n\n");
}

/** Processes in the order of their columns. */
const processes = ["server", "client", "rabbitmq", "mariadb"] as const;
const header = [
  "",
  "",
  "req/s",
  "p50 ms",
  "p99 ms",
  ...processes.map((name) => `${name} µs`),
  "all µs",
];

function rowOf(what: string, side: string, cell: CellFigures): string[] {
  const cpu = processes.map((name) => cell.cpuUs.get(name)?.toFixed(0) ?? "–");
  const times = [cell.p50Ms, cell.p99Ms].map((ms) => ms.toFixed(2));
  return [
    what,
    side,
    Math.round(cell.perSecond).toLocaleString("en"),
    ...times,
    ...cpu,
    cell.allCpuUs.toFixed(0),
  ];
}

function verdictOf(figures: Figures, keyed: boolean | null): string {
  const { scenario, concurrency, ratio, p50Ratio } = figures;
  const name = `${scenario.name} c=${concurrency}`.padEnd(19);
  const cpu = `, CPU ${figures.cpuRatio.toFixed(2)} ×`;
  if (concurrency === 1) return `${name} p50 ${textOf(p50Ratio)} × the baseline's${cpu}`;
  const crossed = [
    ["with the plain client for both", figures.libraryClientRatio] as const,
    ["with BEDS's for both", figures.ownClientRatio] as const,
  ].flatMap(([words, value]) => (value === null ? [] : [`; ${words} ${value.median.toFixed(2)}`]));
  const label = scenario.name === "keyed_write" && keyed === false ? "  NOT KEYED YET" : "";
  return `${name} ${textOf(ratio)} × the baseline's rate${cpu}${crossed.join("")}${label}`;
}

function textOf({ median, low, high }: Ratio): string {
  return `${median.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`;
}

function bytesOf({ beds, baseline }: Figures): string {
  return (
    `request ${beds.requestBytes} and ${baseline.requestBytes} bytes, ` +
    `answer ${beds.answerBytes} and ${baseline.answerBytes}`
  );
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = header.map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? "").length)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart((widths[column] ?? 0) + 2),
        )
        .join(" ")
        .trimEnd(),
    )
    .join("\n");
}
