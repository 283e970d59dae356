import type { Broker, Lane } from "../contract/broker.ts";
import { BedsError } from "../contract/errors.ts";
import { isRead, type Operation, operationName, type Template } from "../contract/template.ts";
import type { Route } from "../message/route.ts";
import type { Execute } from "../pipeline.ts";

/** Which broker serves an operation, and on which of its queues. */
export interface Serving {
  readonly broker: Broker;
  readonly lane: Lane;
}

/**
 * Finds the broker and queue of an operation: reads go to the template's read broker, everything
 * else to its write broker, on the queue of the template's class. That both exist was checked when
 * the templates were read.
 */
export function servingOf(
  template: Template,
  operation: Operation,
  brokers: ReadonlyMap<string, Broker>,
): Serving {
  const name = isRead(operation.kind) ? template.readBroker : template.writeBroker;
  const broker = brokers.get(name);
  const lane = broker?.lanes.find((candidate) => candidate.class === template.class);
  if (broker === undefined || lane === undefined) {
    const detail = `${operationName(template, operation)}: broker ${name} has no ${template.class} queue`;
    throw new BedsError("BEDS-T007", { detail, where: operation.where });
  }
  return { broker, lane };
}

/**
 * The routes of a worker: one for every operation of every template, so that a request with the
 * wrong key is told the right one. It changes only when a database comes up late (in dev) and its
 * operations are switched on.
 */
export class RouteTable extends Map<Operation, Route<Execute>> {
  readonly #templates: readonly Template[];
  readonly #brokers: ReadonlyMap<string, Broker>;

  constructor(templates: readonly Template[], brokers: ReadonlyMap<string, Broker>) {
    super();
    this.#templates = templates;
    this.#brokers = brokers;
    const reason = new BedsError("BEDS-R004", { detail: "its database has not come up yet" });
    for (const template of templates) {
      for (const operation of template.operations.values()) {
        const { broker, lane } = servingOf(template, operation, brokers);
        const { handle } = broker;
        this.#set(operation, lane, handle === undefined ? reason : handled(operation, handle));
      }
    }
  }

  /** Switches operations on, or off with the reason. */
  enable(executors: ReadonlyMap<Operation, Execute | BedsError>): void {
    for (const template of this.#templates) {
      for (const operation of template.operations.values()) {
        const found = executors.get(operation);
        if (found === undefined) continue;
        this.#set(operation, servingOf(template, operation, this.#brokers).lane, found);
      }
    }
  }

  #set(operation: Operation, lane: Lane, does: Execute | BedsError): void {
    const { queue, routingKey } = lane;
    const off = does instanceof BedsError;
    this.set(
      operation,
      off
        ? { queue, routingKey, execute: null, disabled: does }
        : { queue, routingKey, execute: does, disabled: null },
    );
  }
}

/** A broker's own handler gets a signal that ends with the operation's time limit. */
function handled(operation: Operation, handle: NonNullable<Broker["handle"]>): Execute {
  return {
    isRepeatable: isRead(operation.kind),
    run: async (request) => {
      const result = await handle(request, AbortSignal.timeout(request.operation.timeoutMs));
      return { result, error: null, replayed: false };
    },
  };
}
