import type { Envelope, Result } from "./message.ts";
import type { DatabaseClass, Operation, OperationKind, Template } from "./template.ts";

/** One queue of a broker with the one routing key that leads to it (wiki/Queue-Topology.md). */
export interface Lane {
  /** `beds.rBroker.rel` */
  readonly queue: string;
  /** `rel.read`; every key is bound to exactly one queue. */
  readonly routingKey: string;
  readonly class: DatabaseClass;
  /** Part of the contract: a queue of another type is a boot error (BEDS-Q003). */
  readonly queueType: "classic" | "quorum";
}

/**
 * A request that may be executed: its operation exists, its arguments are checked, its principal is
 * allowed.
 */
export interface BrokerRequest {
  readonly envelope: Envelope;
  readonly principal: string;
  readonly template: Template;
  readonly operation: Operation;
  /**
   * The checked arguments in the order of the operation's parameters; null where an optional one
   * was not sent.
   */
  readonly values: readonly unknown[];
}

/** Does the work of one request. Throws `BedsError` for what it expects to go wrong. */
export type BrokerHandler = (request: BrokerRequest, signal: AbortSignal) => Promise<Result>;

/** A broker type: mostly data. What `create` of a broker plugin returns. */
export interface Broker {
  /** The broker service in whose configuration its instances are counted. */
  readonly service: string;
  readonly lanes: readonly Lane[];
  readonly accepts: readonly OperationKind[];
  /**
   * Deliveries that RabbitMQ may send ahead for each instance: 1, or 2 where a redelivery costs
   * nothing.
   */
  readonly prefetchPerInstance: 1 | 2;
  /** Absent: the named object of the operation is called, the shared data path. */
  readonly handle?: BrokerHandler;
}
