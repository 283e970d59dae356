import { openConnection } from "../../core/amqp/index.ts";
import { never, rabbitOptions } from "./rabbitmq.ts";

/** A message of the queue `beds.dead`, as an operator would see it. */
export interface Dead {
  readonly body: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** Takes everything out of the dead letters, with the administrator's account. */
export async function takeDeadLetters(): Promise<readonly Dead[]> {
  const connection = await openConnection(rabbitOptions("beds_test"), never);
  try {
    const channel = await connection.openChannel();
    const found: Dead[] = [];
    for (;;) {
      const message = await channel.library.basicGet("beds.dead", { noAck: true });
      if (message === null) return found;
      found.push({ body: message.bodyString() ?? "", headers: message.properties.headers ?? {} });
    }
  } finally {
    await connection.close();
  }
}
