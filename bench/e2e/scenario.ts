/** What is asked for: one operation of BEDS and the same work in a plain service. */
export type ScenarioName = "echo" | "call" | "keyed_write";

export const scenarioNames: readonly ScenarioName[] = ["echo", "call", "keyed_write"];

/** What both sides of a scenario have in common, and what each is given. */
export interface Scenario {
  readonly name: ScenarioName;
  /** One sentence for the reader of the table: what one request is. */
  readonly means: string;
  readonly template: string;
  readonly op: string;
  readonly broker: "benchReader" | "benchWriter";
  /** The queue that BEDS consumes, as the broker plugin declares it. */
  readonly queue: string;
  readonly routingKey: string;
  readonly queueType: "classic" | "quorum";
  readonly persistent: boolean;
  /** Whether the client publishes with confirms, on both sides alike. */
  readonly confirms: boolean;
  /** Instances of the node. */
  readonly instances: number;
  /** Database connections of each side: at most for BEDS, the pool's size for the baseline. */
  readonly connections: number;
  /** Requests in flight. */
  readonly concurrencies: readonly number[];
}

export const scenarios: Readonly<Record<ScenarioName, Scenario>> = {
  echo: {
    name: "echo",
    means: "one JSON request answered with its argument",
    template: "BenchEcho",
    op: "echo",
    broker: "benchReader",
    queue: "beds.bench.read",
    routingKey: "benchRead.in",
    queueType: "classic",
    persistent: false,
    confirms: false,
    instances: 128,
    connections: 1,
    concurrencies: [1, 64, 256],
  },
  call: {
    name: "call",
    means: "one CALL of a procedure that reads one of 10,000 rows",
    template: "BenchCall",
    op: "fetch",
    broker: "benchReader",
    queue: "beds.bench.read",
    routingKey: "benchRead.in",
    queueType: "classic",
    persistent: false,
    confirms: false,
    instances: 8,
    connections: 8,
    concurrencies: [64],
  },
  keyed_write: {
    name: "keyed_write",
    means: "one transaction: key, CALL that inserts a row, stored answer, commit",
    template: "BenchCall",
    op: "create",
    broker: "benchWriter",
    queue: "beds.bench.write",
    routingKey: "benchWrite.in",
    queueType: "quorum",
    persistent: true,
    confirms: true,
    instances: 16,
    connections: 16,
    concurrencies: [64],
  },
};

/** The baseline consumes a queue of its own, of the same type and with the same arguments. */
export function baselineQueue({ queueType }: Scenario): string {
  return `beds.bench.baseline.${queueType}`;
}

/** Deliveries that RabbitMQ may send ahead to the baseline: never fewer than are in flight. */
export const baselinePrefetch = 256;

/** Rows that `BenchCall.fetch` chooses from. */
export const personCount = 10_000;

/** Whose answers are measured: BEDS, or the plain service. */
export type Side = "beds" | "baseline";

/**
 * What the client publishes with: `own` is core/amqp, as BEDS's own client uses it; `library` is
 * the plain `@cloudamqp/amqp-client`.
 */
export type Transport = "own" | "library";
