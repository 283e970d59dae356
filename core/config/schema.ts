import * as v from "valibot";
import {
  choice,
  flag,
  free,
  integer,
  milliseconds,
  named,
  requiredInteger,
  requiredText,
  secret,
  section,
  text,
  texts,
  word,
} from "./schema-value.ts";
import type { Secret } from "./secret.ts";

/** The version of the configuration that this program reads (BEDS-C005). */
export const schemaVersion = 1;

const mebibyte = 1_048_576;
const anyPort = { min: 1, max: 65_535 };

const node = section("This node as a process.", {
  name: text(
    "What the node is called in event ids: letters, digits, `-` and `_`; empty: the host's name",
    "",
  ),
  workers: integer("Worker processes; instances are divided over them", { min: 1, max: 64 }, 2),
  drain_ms: milliseconds("How long a worker may finish what it has begun before it stops", 25_000),
  heartbeat_ms: milliseconds("How often a worker tells its parent that it is alive", 1000),
  hang_ms: milliseconds("Silence after which a worker counts as blocked and is killed", 5000),
  restart_budget: v.optional(
    section("How often workers may be restarted before the node is degraded.", {
      restarts: integer("Restarts that the budget allows", { min: 0, max: 1000 }, 10),
      per_ms: milliseconds("The time that the budget is for", 60_000, 1000),
      slow_ms: milliseconds("The wait between restarts once the budget is spent", 5000),
    }),
    {},
  ),
});

const log = section("What is logged and where.", {
  level: choice("The least level that is logged", ["debug", "info", "warning", "error"], "info"),
  sinks: texts("Logger plugins that get every record", ["console"]),
  requests: choice(
    "Which settled requests are logged: all, only those that failed, or none",
    ["errors", "all", "none"],
    "errors",
  ),
});

const limits = section("Upper bounds that protect a node.", {
  message_bytes: integer(
    "The largest request, in bytes; larger ones are refused unread",
    { min: 1024, max: 64 * mebibyte },
    mebibyte,
  ),
  depth: integer("How deeply a request's JSON may be nested", { min: 4, max: 256 }, 32),
  answer_bytes: integer(
    "The largest answer, in bytes",
    { min: 1024, max: 64 * mebibyte },
    mebibyte,
  ),
  output_bytes: integer(
    "What may wait to be written to one RabbitMQ connection, in bytes",
    { min: 65_536, max: 1024 * mebibyte },
    16 * mebibyte,
  ),
  queue_length: integer(
    "Messages in one queue, beyond which RabbitMQ refuses more; part of the queue's contract",
    { min: 1, max: 100_000_000 },
    100_000,
  ),
});

const reliability = section("What keeps mutations from being lost or doubled.", {
  keep_keys_days: integer(
    "How long the key of a mutation and its answer are remembered; longer than any dead letter waits",
    { min: 1, max: 3650 },
    7,
  ),
});

const templates = section("Where the data domains are described.", {
  path: word("The templates' folder, relative to the configuration file", "templates"),
});

const plugins = section("Plugins beside the built-in ones, and what all of them are told.", {
  paths: texts("Files of third-party plugins, relative to the configuration file", []),
  options: named(
    "`[plugins.options.<name>]`: the options of one plugin, checked by its own schema",
    free("Options of the plugin"),
  ),
});

const tls = section("Encryption of the connection.", {
  enabled: flag("Whether the connection is encrypted", false),
  ca: text(
    "PEM file of the authority that signed the server, relative to the configuration file",
    "",
  ),
  cert: text("PEM file of the node's own certificate, relative to the configuration file", ""),
  key: text("PEM file of the certificate's key, relative to the configuration file", ""),
});

const brokerService = section("One broker service and its RabbitMQ.", {
  host: word("RabbitMQ's host", "127.0.0.1"),
  port: integer("RabbitMQ's port", anyPort, 5672),
  vhost: word("The virtual host", "beds"),
  user: text("The node's account", ""),
  pass: secret("The account's password"),
  is_local: flag("Whether this node runs the service's brokers", false),
  heartbeat_ms: milliseconds("The AMQP heartbeat", 10_000, 1000),
  connect_timeout_ms: milliseconds("How long a connection may take to open", 5000),
  tls: v.optional(tls, {}),
  brokers: named(
    "Instances of each broker on this node, for each of its queues",
    requiredInteger("Instances for each queue; 0: none", { min: 0, max: 1024 }),
  ),
});

const mongoAccount = {
  auth_source: text("MongoDB: the database that holds the account; empty: `admin`", ""),
};

const databaseMaster = section("The server that takes writes.", {
  host: word("The server's host", "127.0.0.1"),
  port: requiredInteger("The server's port", anyPort),
  user: requiredText("The account that brokers use; it may call the named objects only"),
  pass: secret("The account's password"),
  ...mongoAccount,
  replica_set: text("MongoDB: the name of the replica set; empty: a single server", ""),
});

const databaseSecondary = section("The server that may serve reads.", {
  host: word("The server's host", "127.0.0.1"),
  port: requiredInteger("The server's port", anyPort),
  user: v.exactOptional(requiredText("The account; absent: the master's, with its password")),
  pass: secret("The account's password"),
});

const databaseOwner = section("The DBA's account on the master, used by `beds db` alone.", {
  user: requiredText("The account that owns the schema"),
  pass: secret("The account's password"),
  ...mongoAccount,
});

const database = section("One database, as templates name it.", {
  adapter: requiredText("The adapter plugin: `mariadb`, `mongodb`, or a third-party one"),
  database: text("The database's name on its server; empty: the name of this section", ""),
  connect_timeout_ms: milliseconds("How long a connection may take to open", 5000),
  connections: integer(
    "Connections of each worker; 0: as many as its instances need",
    { min: 0, max: 1024 },
    0,
  ),
  master: databaseMaster,
  secondary: v.exactOptional(databaseSecondary),
  dba: v.exactOptional(databaseOwner),
});

const client = section("The account with which `beds call` sends requests.", {
  service: text("The broker service whose RabbitMQ is used", "app_server"),
  user: text("The account; it is the principal of the requests", ""),
  pass: secret("The account's password"),
  timeout_ms: milliseconds("How long to wait for an answer", 10_000),
});

const principal = section("Who may send requests: a RabbitMQ account, as the broker sees it.", {
  roles: texts("Roles, which templates' operations name; empty: nothing is allowed", []),
  may_assert: flag("Whether it may speak for others with `meta.principal` (gateways)", false),
});

/**
 * The whole configuration: the only home of its keys, types, defaults and descriptions.
 * `wiki/Configuration.md` is generated from it (`core/config/reference.ts`); `core/config/check.ts`
 * says what does not fit, and where.
 */
export const configSchema = v.strictObject({
  schema_version: v.optional(
    v.pipe(v.literal(schemaVersion), v.description("The version of this file's keys")),
    schemaVersion,
  ),
  node: v.optional(node, {}),
  log: v.optional(log, {}),
  limits: v.optional(limits, {}),
  reliability: v.optional(reliability, {}),
  templates: v.optional(templates, {}),
  plugins: v.optional(plugins, {}),
  broker_services: v.optional(
    section("The broker services that nodes run and where their RabbitMQ is.", {
      app_server: v.optional(brokerService, {}),
      admin: v.optional(brokerService, {}),
      segundo: v.optional(brokerService, {}),
      tercero: v.optional(brokerService, {}),
    }),
    {},
  ),
  databases: named("The databases, by the name that templates use.", database),
  client: v.optional(client, {}),
  principals: named(
    "Accounts and their roles; an account that is not here may do nothing.",
    principal,
  ),
});

/** The configuration of a process: complete, checked, deeply frozen. */
export type Config = DeepReadonly<v.InferOutput<typeof configSchema>>;
export type BrokerServiceName = keyof Config["broker_services"];
export type BrokerServiceConfig = Config["broker_services"][BrokerServiceName];
export type DatabaseConfig = Config["databases"][string];

type DeepReadonly<T> = unknown extends T ? T : T extends Whole ? T : ReadonlyTree<T>;
type ReadonlyTree<T> = { readonly [K in keyof T]: DeepReadonly<T[K]> };
/** What has no inside that anyone could change. */
type Whole = string | number | boolean | Secret;
