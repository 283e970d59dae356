import type { Arrival } from "../contract/message.ts";
import type { FieldTable } from "./field-table.ts";

/**
 * The headers with which a node publishes a message again under its own account. RabbitMQ accepts
 * no foreign `user-id`, and a message that comes back from a retry queue shows the default exchange
 * and the queue's name, so that all of it travels here (wiki/Queue-Topology.md).
 */
export function republishHeaders(arrival: Arrival, attempt: number): FieldTable {
  return {
    "beds-principal": arrival.userId,
    "beds-exchange": arrival.exchange,
    "beds-routing-key": arrival.routingKey,
    "beds-attempt": attempt,
  };
}

/**
 * The arrival as it was before a node published the message again. Only for messages whose
 * `user-id` is the node's own account, which RabbitMQ has checked: nobody else can make BEDS
 * believe these headers.
 */
export function restoreArrival(arrival: Arrival, headers: FieldTable): Arrival {
  const principal = headers["beds-principal"];
  const attempt = headers["beds-attempt"];
  if (typeof principal !== "string" || typeof attempt !== "number") return arrival;
  return {
    ...arrival,
    userId: principal,
    exchange: textOf(headers["beds-exchange"], arrival.exchange),
    routingKey: textOf(headers["beds-routing-key"], arrival.routingKey),
    attempt,
  };
}

function textOf(value: unknown, otherwise: string): string {
  return typeof value === "string" ? value : otherwise;
}
