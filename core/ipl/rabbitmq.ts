import { resolve } from "node:path";
import { type ConnectionOptions, systemSurroundings, type TlsFiles } from "../amqp/index.ts";
import type { LoadedConfig } from "../config/load.ts";
import type { BrokerServiceConfig, BrokerServiceName } from "../config/schema.ts";
import type { Secret } from "../config/secret.ts";

/** An account of RabbitMQ. */
export interface Account {
  readonly user: string;
  readonly pass: Secret;
}

/**
 * How to connect to the RabbitMQ of a broker service, the password read. In: `purpose` is how
 * RabbitMQ lists the connection, behind the node's name; `account` replaces the node's own. Errors:
 * BEDS-C006 for a secret that cannot be read.
 */
export function connectionOptions(
  { config, directory }: LoadedConfig,
  service: BrokerServiceName,
  purpose: string,
  account: Account = config.broker_services[service],
): ConnectionOptions {
  const settings = config.broker_services[service];
  const tls = tlsFiles(settings.tls, directory);
  return {
    host: settings.host,
    port: settings.port,
    vhost: settings.vhost,
    user: account.user,
    pass: account.pass.reveal(),
    name: `beds ${config.node.name} ${purpose}`,
    ...(tls === undefined ? {} : { tls }),
    heartbeatSeconds: Math.ceil(settings.heartbeat_ms / 1000),
    connectTimeoutMs: settings.connect_timeout_ms,
    maxOutputBytes: config.limits.output_bytes,
    surroundings: systemSurroundings,
  };
}

function tlsFiles(tls: BrokerServiceConfig["tls"], directory: string): TlsFiles | undefined {
  if (!tls.enabled) return undefined;
  const given = [
    ["ca", tls.ca],
    ["cert", tls.cert],
    ["key", tls.key],
  ].filter(([, path]) => path !== "");
  return Object.fromEntries(given.map(([name, path = ""]) => [name, resolve(directory, path)]));
}
