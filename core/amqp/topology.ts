import { BedsError } from "../contract/errors.ts";
import type { Channel } from "./channel.ts";
import type { AmqpConnection } from "./connection.ts";
import { readServerRefusal } from "./server-refusal.ts";

/** Arguments of a declaration: `x-queue-type`, `alternate-exchange`. */
export type DeclareArguments = { readonly [name: string]: string | number | boolean };

export interface ExchangeDeclaration {
  readonly name: string;
  readonly type: "topic" | "fanout" | "direct";
  readonly durable: boolean;
  readonly arguments: DeclareArguments;
}

export interface QueueDeclaration {
  readonly name: string;
  readonly type: "classic" | "quorum";
  readonly durable: boolean;
  /** Beside `x-queue-type`, which comes from `type`. */
  readonly arguments: DeclareArguments;
}

export interface BindingDeclaration {
  readonly exchange: string;
  readonly queue: string;
  readonly routingKey: string;
}

/** What must be there before anybody publishes or consumes. Plain data; declared in this order. */
export interface Topology {
  readonly exchanges: readonly ExchangeDeclaration[];
  readonly queues: readonly QueueDeclaration[];
  readonly bindings: readonly BindingDeclaration[];
}

/**
 * Declares everything, on a channel of its own that is closed afterwards. What is there already in
 * the same form stays. Errors: BEDS-Q003 naming the queue or exchange, the argument and both
 * values; BEDS-Q002 when the account may not; BEDS-Q009 and BEDS-Q006. Called on every connect,
 * before consuming.
 */
export async function declareTopology(
  connection: AmqpConnection,
  topology: Topology,
): Promise<void> {
  const channel = await connection.openChannel();
  try {
    for (const exchange of topology.exchanges) await declareExchange(channel, exchange);
    for (const queue of topology.queues) await declareQueue(channel, queue);
    for (const binding of topology.bindings) await declareBinding(channel, binding);
  } finally {
    await channel.close();
  }
}

/** One topology out of several. */
export function joinTopologies(...parts: readonly Topology[]): Topology {
  return {
    exchanges: parts.flatMap((part) => part.exchanges),
    queues: parts.flatMap((part) => part.queues),
    bindings: parts.flatMap((part) => part.bindings),
  };
}

function declareExchange(channel: Channel, exchange: ExchangeDeclaration): Promise<void> {
  const { name, type, durable } = exchange;
  const options = { durable, autoDelete: false };
  const call = channel.library.exchangeDeclare(name, type, options, exchange.arguments);
  return declared(channel, call, `exchange '${name}'`);
}

async function declareQueue(channel: Channel, queue: QueueDeclaration): Promise<void> {
  const { name, type, durable } = queue;
  const options = { durable, autoDelete: false, exclusive: false };
  const all = { "x-queue-type": type, ...queue.arguments };
  await declared(channel, channel.library.queueDeclare(name, options, all), `queue '${name}'`);
}

function declareBinding(channel: Channel, binding: BindingDeclaration): Promise<void> {
  const { queue, exchange, routingKey } = binding;
  const call = channel.library.queueBind(queue, exchange, routingKey);
  return declared(channel, call, `binding '${routingKey}' of '${exchange}' to '${queue}'`);
}

async function declared<T>(channel: Channel, call: Promise<T>, what: string): Promise<T> {
  try {
    return await channel.settling(call, `declaring ${what}`);
  } catch (thrown) {
    const error = BedsError.from(thrown);
    const refusal = readServerRefusal(error.cause);
    if (refusal?.code !== PRECONDITION_FAILED) throw error;
    throw mismatch(what, refusal.text, error);
  }
}

const PRECONDITION_FAILED = 406;

/**
 * Says in our words what RabbitMQ's text says: which argument, what BEDS needs, what is there, what
 * to do.
 */
function mismatch(what: string, text: string, cause: BedsError): BedsError {
  const match = INEQUIVALENT.exec(text);
  if (match === null) return new BedsError("BEDS-Q003", { detail: `${what}: ${text}`, cause });
  const [, argument = "", kind = "", name = "", received = "", current = ""] = match;
  const detail =
    `${kind} '${name}': ${argument} is ${plainValue(current)} in RabbitMQ, ` +
    `BEDS needs ${plainValue(received)}`;
  const hint =
    kind === "queue"
      ? `let it run empty, delete it (rabbitmqctl delete_queue ${name} --if-empty), start again`
      : `stop its publishers, delete exchange '${name}', start again: BEDS makes it anew`;
  return new BedsError("BEDS-Q003", { detail, hint, cause });
}

const INEQUIVALENT =
  /inequivalent arg '([^']+)' for (queue|exchange) '([^']+)' in vhost .*?: received (.+) but current is (.+)$/s;

/** `the value '10' of type 'signedint'` → `10`; `'classic'` → `classic`; `none` → `not set`. */
function plainValue(text: string): string {
  if (text === "none") return "not set";
  return /^(?:the value )?'(.*?)'(?: of type '[^']*')?$/s.exec(text)?.[1] ?? text;
}
