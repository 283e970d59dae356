/**
 * Who may do what on RabbitMQ. A client may publish requests under the keys of the data path and
 * of the other brokers, and own reply queues under its own name; nothing else.
 */
import type { Layout } from "./layout.ts";
import { type Account, rabbitHash, secret } from "./secret.ts";

export const VHOST = "beds";

const CLIENTS: readonly Account[] = ["app1", "app2"];

/** `rec.read`, `rel.write.<pool>`, and the plain keys of the other brokers: `user`, `admin.in`. */
const REQUEST_KEYS = String.raw`^((rec|rel)\.(read|write)(\..+)?|[a-zA-Z]+(\.in)?)$`;

/** Everything that `load_definitions` imports: users, the vhost, permissions. No queue. */
export function rabbitDefinitions(layout: Layout): object {
  return {
    vhosts: [{ name: VHOST }],
    users: [
      user(layout, "beds_run", []),
      user(layout, "beds_test", ["administrator"]),
      ...CLIENTS.map((client) => user(layout, client, [])),
    ],
    permissions: [
      // The default exchange, which replies go through, is `amq.default` to this check.
      permission("beds_run", String.raw`^(beds\..*|amq\..*)$`),
      permission("beds_test", ".*"),
      ...CLIENTS.map((client) => {
        const replies = String.raw`beds\.reply\.${client}\..*`;
        return permission(client, `^${replies}$`, String.raw`^(beds\.events|${replies})$`);
      }),
    ],
    topic_permissions: CLIENTS.map((client) => ({
      user: client,
      vhost: VHOST,
      exchange: "beds.events",
      write: REQUEST_KEYS,
      read: ".*",
    })),
  };
}

function user(layout: Layout, name: Account, tags: readonly string[]): object {
  return {
    name,
    password_hash: rabbitHash(secret(layout, name)),
    hashing_algorithm: "rabbit_password_hashing_sha256",
    tags,
  };
}

function permission(name: Account, own: string, write: string = own): object {
  return { user: name, vhost: VHOST, configure: own, write, read: own };
}
