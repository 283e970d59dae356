import { checkoutLayout, HOST } from "../../config/stack/layout.ts";
import { VHOST } from "../../config/stack/rabbitmq-account.ts";
import { type Account, secret } from "../../config/stack/secret.ts";

/** Where RabbitMQ is and as whom one goes there. */
export interface RabbitPlace {
  readonly host: string;
  readonly port: number;
  readonly vhost: string;
  readonly user: Account;
  readonly pass: string;
}

export function rabbitPlace(user: Account): RabbitPlace {
  const layout = checkoutLayout();
  const pass = secret(layout, user);
  return { host: HOST, port: layout.ports.amqp, vhost: VHOST, user, pass };
}

/** As the library wants it. Frames as large as BEDS's own: its default of 8 KiB would only cost. */
export function rabbitUrl({ host, port, vhost, user, pass }: RabbitPlace): string {
  return `amqp://${user}:${pass}@${host}:${port}/${vhost}?frameMax=131072`;
}

/** An account of the benchmark's own database (`database.ts`). */
export interface DatabasePlace {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly pass: string;
}
