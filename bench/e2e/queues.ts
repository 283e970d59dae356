import { type AMQPChannel, AMQPClient } from "@cloudamqp/amqp-client";
import { rabbitPlace, rabbitUrl } from "./place.ts";
import { baselineQueue, scenarioNames, scenarios } from "./scenario.ts";

/** The arguments that BEDS gives its queues (core/amqp/base-topology.ts), for the baseline's. */
export function queueArguments(
  type: "classic" | "quorum",
): Readonly<Record<string, string | number>> {
  const all = { "x-queue-type": type, "x-max-length": 100_000, "x-overflow": "reject-publish" };
  return type === "quorum" ? { ...all, "x-delivery-limit": 1_000_000 } : all;
}

/**
 * Deletes the benchmark's queues with whatever is in them, before and after a run. Errors: one of
 * them has a consumer, so that another run is under way.
 */
export async function deleteQueues(): Promise<void> {
  const all = scenarioNames.map((name) => scenarios[name]);
  const names = new Set(all.flatMap((each) => [each.queue, baselineQueue(each)]));
  const connection = await new AMQPClient(rabbitUrl(rabbitPlace("beds_run"))).connect();
  try {
    for (const name of names) await deleteQueue(await connection.channel(), name);
  } finally {
    await connection.close();
  }
}

async function deleteQueue(channel: AMQPChannel, name: string): Promise<void> {
  // RabbitMQ ends the channel over a queue that is not there, and the library speaks of it aloud.
  channel.onerror = () => undefined;
  // Asked for by hand: of a quorum queue, `if-unused` costs the connection (540).
  const found = await channel.queueDeclare(name, { passive: true }).catch(() => null);
  if (found === null) return;
  if (found.consumerCount > 0) {
    throw new Error(
      `queue '${name}' has a consumer: does another bench:e2e run, or a node that one left?`,
    );
  }
  await channel.queueDelete(name);
  await channel.close();
}
