import type { Lane } from "../contract/broker.ts";
import type { DeclareArguments, Topology } from "./topology.ts";

/**
 * Bounds of the queues that BEDS declares. Part of each queue's arguments: a change needs a new
 * queue.
 */
export interface QueueLimits {
  /** Messages; a publish beyond it is refused and its publisher told so (BEDS-Q005). */
  readonly maxLength: number;
}

/** The exchanges that every node needs, and the two queues of what found no other. */
export function baseTopology(limits: QueueLimits): Topology {
  return {
    // The alternate exchange first: RabbitMQ would take a dangling name, and drop messages
    // meanwhile.
    exchanges: [
      { name: exchange.unroutable, type: "fanout", durable: true, arguments: {} },
      {
        name: exchange.events,
        type: "topic",
        durable: true,
        arguments: { "alternate-exchange": exchange.unroutable },
      },
      { name: exchange.logs, type: "topic", durable: true, arguments: {} },
      { name: exchange.dead, type: "direct", durable: true, arguments: {} },
      { name: exchange.control, type: "fanout", durable: true, arguments: {} },
      ...retrySteps.map(({ name }) => {
        return { name, type: "fanout", durable: true, arguments: {} } as const;
      }),
    ],
    queues: [
      {
        name: UNROUTABLE_QUEUE,
        type: "classic",
        durable: true,
        arguments: queueArguments("classic", limits),
      },
      {
        name: DEAD_QUEUE,
        type: "quorum",
        durable: true,
        arguments: queueArguments("quorum", limits),
      },
      ...retrySteps.map(({ name, delayMs }) => {
        const args = retryArguments(delayMs, limits);
        return { name, type: "quorum", durable: true, arguments: args } as const;
      }),
    ],
    bindings: [
      ...retrySteps.map(({ name }) => ({ exchange: name, queue: name, routingKey: "" })),
      { exchange: exchange.unroutable, queue: UNROUTABLE_QUEUE, routingKey: "" },
      { exchange: exchange.dead, queue: DEAD_QUEUE, routingKey: DEAD_KEY },
    ],
  };
}

/**
 * A queue for each lane of the brokers that a node runs, each bound by its one key. Needs
 * `baseTopology`.
 */
export function laneTopology(lanes: readonly Lane[], limits: QueueLimits): Topology {
  return {
    exchanges: [],
    queues: lanes.map(({ queue, queueType }) => ({
      name: queue,
      type: queueType,
      durable: true,
      arguments: queueArguments(queueType, limits),
    })),
    bindings: lanes.map(({ queue, routingKey }) => ({
      exchange: exchange.events,
      queue,
      routingKey,
    })),
  };
}

/** The exchanges of wiki/Queue-Topology.md. */
export const exchange = {
  events: "beds.events",
  unroutable: "beds.unroutable",
  logs: "beds.logs",
  dead: "beds.dead",
  control: "beds.control",
} as const;

/** What no routing key takes ends here; an instance answers it. */
export const UNROUTABLE_QUEUE = "beds.unroutable";

export const DEAD_QUEUE = "beds.dead";

/** The routing key of dead letters on `beds.dead`. */
export const DEAD_KEY = "dead";

/**
 * Where messages wait before they are tried again: an exchange and a queue of the same name for
 * each step. A message keeps its routing key, the name of the queue that it came from, and the
 * default exchange takes it back there.
 */
export const retrySteps = [
  { name: "beds.retry.1s", delayMs: 1_000 },
  { name: "beds.retry.5s", delayMs: 5_000 },
  { name: "beds.retry.30s", delayMs: 30_000 },
] as const;

/** The time limit is the queue's: one of a message would wait behind the head of the queue. */
function retryArguments(delayMs: number, limits: QueueLimits): DeclareArguments {
  return {
    ...queueArguments("quorum", limits),
    "x-message-ttl": delayMs,
    "x-dead-letter-exchange": "",
    // RabbitMQ forgets a message only when the queue that it goes back to has confirmed it.
    "x-dead-letter-strategy": "at-least-once",
  };
}

function queueArguments(type: "classic" | "quorum", limits: QueueLimits): DeclareArguments {
  // The default, drop-head, would lose the oldest message without a word.
  const bounded = { "x-max-length": limits.maxLength, "x-overflow": "reject-publish" };
  return type === "quorum" ? { ...bounded, "x-delivery-limit": DELIVERY_LIMIT } : bounded;
}

/**
 * RabbitMQ 4 drops a message from a quorum queue after 20 deliveries unless it is told otherwise,
 * and 3.10 knows no word for "never" (-1 is a boot error there). BEDS counts attempts and deaths by
 * itself (wiki/Reliability.md), so the limit is a number that no message lives long enough to
 * reach: a million redeliveries.
 */
const DELIVERY_LIMIT = 1_000_000;
