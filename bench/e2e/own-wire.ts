import { openConnection, replyQueueName, systemSurroundings } from "../../core/amqp/index.ts";
import type { RabbitPlace } from "./place.ts";
import type { OnAnswer, Wire, WireOptions } from "./wire.ts";

/**
 * A client on core/amqp, as BEDS's own RPC client is: one output buffer, flushed at the end of the
 * turn, answers in an exclusive queue. Confirms are asked for where the options say so, and not
 * waited for.
 */
export async function openOwnWire(
  place: RabbitPlace,
  options: WireOptions,
  onAnswer: OnAnswer,
): Promise<Wire> {
  const connection = await openConnection(
    { ...place, name: "bench:e2e client", surroundings: systemSurroundings },
    AbortSignal.timeout(10_000),
  );
  void connection.closed.then((reason) => {
    throw reason;
  });
  const replies = await connection.openChannel();
  const replyTo = replyQueueName(place.user, crypto.randomUUID());
  const once = { durable: false, autoDelete: true, exclusive: true };
  await replies.library.queueDeclare(replyTo, once);
  replies.receive({
    maxBodyBytes: 1_000_000,
    onDelivery: ({ properties, body }) => onAnswer(properties.correlationId, body.toString()),
    onConfirm: () => undefined,
    onCancel: () => undefined,
  });
  await replies.library.basicConsume(replyTo, { noAck: true }, () => undefined);
  const channel = await connection.openChannel();
  channel.onLost = (reason) => {
    throw reason;
  };
  if (options.confirms) await channel.library.confirmSelect();
  channel.receive({
    maxBodyBytes: 0,
    onDelivery: () => undefined,
    onConfirm: () => undefined,
    onCancel: () => undefined,
  });
  const { exchange, routingKey, userId } = options;
  const fixed = {
    contentType: "application/json",
    deliveryMode: options.persistent ? 2 : 1,
    replyTo,
    ...(userId === null ? {} : { userId }),
  } as const;
  return {
    send: (correlationId, body) => {
      const properties = { ...fixed, correlationId };
      connection.writer.publish(channel.id, { exchange, routingKey, body, properties });
    },
  };
}
