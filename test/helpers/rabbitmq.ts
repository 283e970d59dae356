import { checkoutLayout } from "../../config/stack/layout.ts";
import { type Account, secret } from "../../config/stack/secret.ts";
import {
  type AmqpConnection,
  type ConnectionOptions,
  openConnection,
  systemSurroundings,
} from "../../core/amqp/index.ts";
import type { DeclareArguments } from "../../core/amqp/topology.ts";

/** How an account of the local stack connects. */
export function rabbitOptions(
  account: Account = "beds_run",
  changes: Partial<ConnectionOptions> = {},
): ConnectionOptions {
  const layout = checkoutLayout();
  return {
    host: "127.0.0.1",
    port: layout.ports.amqp,
    vhost: "beds",
    user: account,
    pass: secret(layout, account),
    name: "beds test",
    surroundings: systemSurroundings,
    ...changes,
  };
}

/** Never aborted. */
export const never: AbortSignal = new AbortController().signal;

/** Queues that exist for one test file, made with the administrator's account. */
export class TestQueues {
  readonly connection: AmqpConnection;
  readonly #names = new Set<string>();

  private constructor(connection: AmqpConnection) {
    this.connection = connection;
  }

  static async open(): Promise<TestQueues> {
    return new TestQueues(await openConnection(rabbitOptions("beds_test"), never));
  }

  /** A durable queue of its own for one test. */
  async make(more: DeclareArguments = {}): Promise<string> {
    const name = this.name();
    const channel = await this.connection.openChannel();
    const options = { durable: true, autoDelete: false, exclusive: false };
    await channel.library.queueDeclare(name, options, { ...more });
    await channel.close();
    return name;
  }

  /** A name that will be deleted at the end, whoever declares it. */
  name(): string {
    const name = `beds.test.${crypto.randomUUID()}`;
    this.#names.add(name);
    return name;
  }

  /** Messages that wait in the queue, without those that a consumer holds. */
  async count(name: string): Promise<number> {
    const channel = await this.connection.openChannel();
    const found = await channel.library.queueDeclare(name, { passive: true });
    await channel.close();
    return found.messageCount;
  }

  async delete(name: string): Promise<void> {
    const channel = await this.connection.openChannel();
    await channel.library.queueDelete(name);
    await channel.close();
  }

  async close(): Promise<void> {
    for (const name of this.#names) await this.delete(name);
    await this.connection.close();
  }
}

/** Asks until it is true; throws with `what` when it never is. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  limitMs = 5_000,
): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not within ${limitMs} ms: ${what}`);
    await Bun.sleep(10);
  }
}

/** The error that a promise rejects with. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (thrown) {
    return thrown;
  }
  throw new Error("it did not fail");
}
