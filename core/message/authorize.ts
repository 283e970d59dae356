import type { BrokerRequest } from "../contract/broker.ts";
import { BedsError } from "../contract/errors.ts";
import type { Arrival, Envelope } from "../contract/message.ts";
import type { Operation, Template } from "../contract/template.ts";
import type { CompiledOperation, Validated } from "./validate.ts";

/** One entry of the configuration's principals: who it is to BEDS. */
export interface Principal {
  readonly roles: readonly string[];
  /** Gateways and nodes: they may say in `meta.principal` for whom they ask. */
  readonly mayAssert: boolean;
}

/** By name, which for those who send themselves is their AMQP account. */
export type Principals = ReadonlyMap<string, Principal>;

/**
 * A request that may be executed. The class is not exported and its key has no name elsewhere, so
 * that only `authorize` makes one: nothing that asks for an `Authorized` can be handed a request
 * that nobody checked.
 */
export type Authorized = AuthorizedRequest;

/**
 * The third stage: central and default-deny (wiki/Compliance.md). The principal is the AMQP
 * user-id, which RabbitMQ has checked, unless that account may assert another; it needs one of the
 * operation's roles.
 *
 * Errors: BEDS-A001, the same for every reason, because an answer must not tell what exists or who
 * may. The reason is the error's cause, for the node's own log.
 */
export function authorize(
  validated: Validated,
  arrival: Arrival,
  principals: Principals,
): Authorized {
  const { userId } = arrival;
  const { entry, envelope } = validated;
  if (userId === "") throw denied("the message has no user-id");
  const account = principals.get(userId);
  if (account === undefined) throw denied(`account '${userId}' is not configured`);
  const asserted = account.mayAssert ? envelope.meta.principal : undefined;
  const name = asserted ?? userId;
  const principal = asserted === undefined ? account : principals.get(asserted);
  if (principal === undefined) throw denied(`principal '${name}' is not configured`);
  if (!hasRole(entry.roles, principal.roles)) {
    throw denied(`principal '${name}' has no role that ${entry.name} accepts`);
  }
  return new AuthorizedRequest(validated, userId, name);
}

declare const authorizedHere: unique symbol;

class AuthorizedRequest implements BrokerRequest {
  declare readonly [authorizedHere]: true;
  // Only declared, since fields that are defined first and set later make each request cost more.
  declare readonly envelope: Envelope;
  declare readonly entry: CompiledOperation;
  declare readonly values: readonly unknown[];
  declare readonly template: Template;
  declare readonly operation: Operation;
  /** The AMQP account that sent it. */
  declare readonly account: string;
  /** On whose behalf it runs. */
  declare readonly principal: string;

  constructor(validated: Validated, account: string, principal: string) {
    this.envelope = validated.envelope;
    this.entry = validated.entry;
    this.values = validated.values;
    this.template = validated.entry.template;
    this.operation = validated.entry.operation;
    this.account = account;
    this.principal = principal;
  }
}

function hasRole(accepted: ReadonlySet<string>, held: readonly string[]): boolean {
  // By index: for-of over a frozen list takes five times as long.
  for (let at = 0; at < held.length; at++) {
    const role = held[at];
    if (role !== undefined && accepted.has(role)) return true;
  }
  return false;
}

function denied(reason: string): BedsError {
  return new BedsError("BEDS-A001", { cause: new Error(reason) });
}
