import { describe, expect, test } from "bun:test";
import { isReplyAddress, replyQueueName } from "../../../core/amqp/index.ts";

const table: readonly (readonly [
  replyTo: string,
  userId: string,
  allowed: boolean,
  why: string,
])[] = [
  ["amq.rabbitmq.reply-to.g1h2AA5yZXBseUAxMjM0.abc==", "app1", true, "a direct reply-to"],
  ["amq.rabbitmq.reply-to.g1h2AA5yZXBseUAxMjM0.abc==", "", true, "a direct reply-to names nobody"],
  ["beds.reply.app1.0190", "app1", true, "a queue of the account"],
  [replyQueueName("app1", "x"), "app1", true, "what our own client makes"],
  ["beds.reply.a.b.x", "a.b", true, "an account with a dot"],
  ["beds.reply.app1.0190", "app2", false, "a queue of another account"],
  ["beds.reply.app1.0190", "app", false, "a queue of an account that begins the same"],
  ["beds.reply.app1.0190", "", false, "the sender is unknown"],
  ["beds.reply..x", "", false, "an empty account"],
  ["beds.reply.a.b.x", "a", false, "it may belong to the account a.b"],
  ["beds.reply.app1.", "app1", false, "no name"],
  ["beds.reply.app1", "app1", false, "no name"],
  ["amq.rabbitmq.reply-to", "app1", false, "RabbitMQ has not issued it"],
  ["amq.rabbitmq.reply-to.", "app1", false, "RabbitMQ has not issued it"],
  ["beds.wBroker.rel", "app1", false, "a queue of BEDS"],
  ["beds.dead", "app1", false, "a queue of BEDS"],
  ["Beds.reply.app1.x", "app1", false, "names have their case"],
  ["", "app1", false, "nothing"],
];

describe("an answer may go to", () => {
  for (const [replyTo, userId, allowed, why] of table) {
    test(`'${replyTo}' of '${userId}': ${allowed ? "yes" : "no"}, ${why}`, () => {
      expect(isReplyAddress(replyTo, userId)).toBe(allowed);
    });
  }
});
