/**
 * Whether an answer may be published to `replyTo`. A caller must not make BEDS write into a queue
 * of the caller's choosing (wiki/Queue-Topology.md), so an address is one of two: a direct reply-to
 * that RabbitMQ itself has issued, or a queue `beds.reply.<account>.<name>` of the account that
 * sent the request.
 *
 * In: the `reply-to` and `user-id` properties as they arrived; RabbitMQ has checked the latter.
 * `<name>` has no dot: else the account `a` could name a queue of the account `a.b`. Pure; called
 * once a delivery.
 */
export function isReplyAddress(replyTo: string, userId: string): boolean {
  if (!PRINTABLE.test(replyTo)) return false;
  if (replyTo.startsWith(DIRECT)) return replyTo.length > DIRECT.length;
  if (userId === "") return false;
  const own = `${QUEUE}${userId}.`;
  return (
    replyTo.startsWith(own) && replyTo.length > own.length && !replyTo.includes(".", own.length)
  );
}

/** The name of a reply queue; `name` has no dot. Used by our own RPC client. */
export function replyQueueName(account: string, name: string): string {
  return `${QUEUE}${account}.${name}`;
}

/** What is not, may have been decoded with loss and would be another name. */
const PRINTABLE = /^[\x21-\x7e]+$/;

const DIRECT = "amq.rabbitmq.reply-to.";
const QUEUE = "beds.reply.";
