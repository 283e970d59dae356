import { isFailedAttempt, RpcClient } from "../amqp/index.ts";
import type { LoadedConfig } from "../config/load.ts";
import type { BrokerServiceName } from "../config/schema.ts";
import { BedsError } from "../contract/errors.ts";
import type { Answer, JsonValue } from "../contract/message.ts";
import { suggestion } from "../contract/suggest.ts";
import { Mint } from "../message/event-id.ts";
import { readAnswer } from "./answer.ts";
import { serviceNames } from "./instances.ts";
import { loadConfiguration, loadDomains, type LoadedNode, type NodeOptions } from "./load.ts";
import { connectionOptions } from "./rabbitmq.ts";
import { servingOf } from "./routes.ts";
import { Steps } from "./steps.ts";

/** What a person wants to ask. */
export interface CallRequest {
  readonly template: string;
  readonly op: string;
  readonly args: { readonly [name: string]: JsonValue };
  /** By the names of the wire; empty: no meta is sent. */
  readonly meta: { readonly [key: string]: string | number | boolean };
  /** Milliseconds for connecting and answering together; undefined: what `[client]` says. */
  readonly timeoutMs: number | undefined;
  /** Undefined: the key that the local templates give. */
  readonly routingKey: string | undefined;
}

export interface CallOutcome {
  readonly answer: Answer;
  /** The request's own id; the answer's `parent_id`. */
  readonly eventId: string;
  readonly routingKey: string;
  /** From publishing to the answer. */
  readonly ms: number;
}

/**
 * Sends one request through RabbitMQ with the account of `[client]`, like any application
 * (wiki/Architecture.md), and waits for its answer. An answer that says `error` is an outcome, not
 * an error.
 *
 * Errors: those of the configuration; BEDS-C004 without a client's account; BEDS-R001 and R002 for
 * what the local templates do not have; BEDS-Q001 … Q012 from RabbitMQ. Called by `beds call`.
 */
export async function callOperation(
  options: NodeOptions,
  request: CallRequest,
  signal: AbortSignal,
): Promise<CallOutcome> {
  const loaded = await loadConfiguration(options, new Steps(() => 0));
  const { client: account, limits } = loaded.config;
  const service = clientService(loaded);
  const routingKey = request.routingKey ?? (await findRoutingKey(loaded, options, request));
  const timeoutMs = request.timeoutMs ?? account.timeout_ms;
  const failed = new AbortController();
  const client = new RpcClient({
    target: `rabbitmq ${service}`,
    connection: connectionOptions(loaded, service, "call", account),
    observe: (observation) => {
      // Who waits at a terminal wants to know at once; a node would try again.
      if (isFailedAttempt(observation)) failed.abort();
    },
    maxAnswerBytes: limits.answer_bytes + answerFrameBytes,
  });
  try {
    const asked = performance.now();
    const waiting = AbortSignal.any([signal, failed.signal, AbortSignal.timeout(timeoutMs)]);
    await client.waitUntilUp(waiting);
    // Not before the connection is up: the id tells when the request was sent.
    const eventId = clientMint(loaded).next();
    const started = performance.now();
    const body = JSON.stringify(envelopeOf(request, eventId));
    const left = Math.max(1, timeoutMs - (started - asked));
    const sent = { timeoutMs: left, messageId: eventId, persistent: true };
    const bytes = await client.request(routingKey, body, sent, signal).catch((thrown: unknown) => {
      throw withEventId(BedsError.from(thrown), eventId);
    });
    const ms = performance.now() - started;
    return { answer: readAnswer(bytes), eventId, routingKey, ms };
  } finally {
    await client.close();
  }
}

/** What an answer has around its rows. */
const answerFrameBytes = 65_536;

function envelopeOf({ template, op, args, meta }: CallRequest, eventId: string): object {
  const head = { v: 1, event_id: eventId, parent_id: "", depth: 0, template, op, args };
  return Object.keys(meta).length === 0 ? head : { ...head, meta };
}

function clientService({ config }: LoadedConfig): BrokerServiceName {
  const { service, user } = config.client;
  const found = serviceNames.find((name) => name === service);
  if (found === undefined) {
    const detail = `client.service = '${service}'${suggestion(service, serviceNames)}`;
    throw new BedsError("BEDS-C008", { detail });
  }
  if (user !== "") return found;
  throw new BedsError("BEDS-C004", {
    detail: "client.user is empty, so that no request can be sent",
    hint: "give [client] user and pass",
  });
}

/** Event ids say who made them; an account's name may have characters that an id must not. */
function clientMint({ config, environmentName }: LoadedConfig): Mint {
  return new Mint({
    node: config.client.user.replaceAll(/[^A-Za-z0-9_-]/g, "-").slice(0, 64),
    env: environmentName,
    now: Date.now,
    random: (bytes) => crypto.getRandomValues(bytes),
  });
}

async function findRoutingKey(
  loaded: LoadedConfig,
  options: NodeOptions,
  { template: wanted, op }: CallRequest,
): Promise<string> {
  const { registry, brokers }: LoadedNode = await loadDomains(loaded, options, new Steps(() => 0));
  const hint = "correct the name, or give --key to send it all the same";
  const template = registry.byName.get(wanted);
  if (template === undefined) {
    const detail = `'${wanted}'${suggestion(wanted, registry.byName.keys())}`;
    throw new BedsError("BEDS-R001", { detail, hint });
  }
  const operation = template.operations.get(op);
  if (operation === undefined) {
    const detail = `${wanted} has no '${op}'${suggestion(op, template.operations.keys())}`;
    throw new BedsError("BEDS-R002", { detail, hint });
  }
  return servingOf(template, operation, brokers).lane.routingKey;
}

/** With the id a person can find the request in the logs, even when nobody answered. */
function withEventId(error: BedsError, eventId: string): BedsError {
  const detail = error.detail === "" ? `event ${eventId}` : `${error.detail}; event ${eventId}`;
  return new BedsError(error.code, { detail, hint: error.hint, cause: error });
}
