import { AMQPClient } from "@cloudamqp/amqp-client";
import { replyQueueName } from "../../core/amqp/index.ts";
import { type RabbitPlace, rabbitUrl } from "./place.ts";
import type { OnAnswer, Wire, WireOptions } from "./wire.ts";

/**
 * The plain client: `@cloudamqp/amqp-client` as its documentation has it, answers in an exclusive
 * queue. With confirms its publish resolves with the confirm, which nobody waits for here either.
 */
export async function openLibraryWire(
  place: RabbitPlace,
  options: WireOptions,
  onAnswer: OnAnswer,
): Promise<Wire> {
  const connection = await new AMQPClient(rabbitUrl(place)).connect();
  const channel = await connection.channel();
  if (options.confirms) await channel.confirmSelect();
  const replyTo = replyQueueName(place.user, crypto.randomUUID());
  const once = { durable: false, autoDelete: true, exclusive: true };
  await channel.queueDeclare(replyTo, once);
  await channel.basicConsume(replyTo, { noAck: true }, (message) => {
    onAnswer(message.properties.correlationId ?? "", message.bodyString() ?? "");
  });
  const { exchange, routingKey, userId } = options;
  const fixed = {
    contentType: "application/json",
    deliveryMode: options.persistent ? 2 : 1,
    replyTo,
    ...(userId === null ? {} : { userId }),
  };
  return {
    send: (correlationId, body) => {
      void channel.basicPublish(exchange, routingKey, body, { ...fixed, correlationId });
    },
  };
}
