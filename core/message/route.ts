import type { Lane } from "../contract/broker.ts";
import { BedsError } from "../contract/errors.ts";
import type { Arrival } from "../contract/message.ts";
import type { Operation } from "../contract/template.ts";
import type { Authorized } from "./authorize.ts";

/**
 * Where an operation is served, made once at boot for every operation of every template, served
 * here or not. `Execute` is whatever the pipeline runs for it. A route that is disabled (drift, the
 * kill switch) has nothing to run and says why.
 */
export type Route<Execute> = Pick<Lane, "queue" | "routingKey"> &
  (
    | { readonly execute: Execute; readonly disabled: null }
    | { readonly execute: null; readonly disabled: BedsError }
  );

/** By the operation itself, which exists once in a process. */
export type Routes<Execute> = ReadonlyMap<Operation, Route<Execute>>;

/** A request with what executes it. */
export interface Routed<Execute> {
  readonly request: Authorized;
  readonly execute: Execute;
}

/**
 * The fourth stage: finds what executes the request. `lane` is the one whose queue the request was
 * taken from; `now` is in milliseconds since 1970.
 *
 * Errors: BEDS-R003 when the operation belongs to another queue, with the right routing key; R004
 * when it is switched off here; E001 when the request's deadline has passed.
 */
export function route<Execute>(
  request: Authorized,
  arrival: Pick<Arrival, "queue" | "routingKey">,
  routes: Routes<Execute>,
  now: number,
): Routed<Execute> {
  const { entry, envelope } = request;
  const found = routes.get(request.operation);
  if (found === undefined) {
    throw new BedsError("BEDS-R004", { detail: `${entry.name}: the node has no route for it` });
  }
  if (found.queue !== arrival.queue) {
    const detail = `${entry.name} goes with the routing key ${found.routingKey}`;
    const isKeyRight = arrival.routingKey === found.routingKey;
    throw new BedsError(isKeyRight ? "BEDS-Q008" : "BEDS-R003", { detail });
  }
  if (found.disabled !== null) {
    const { code, message } = found.disabled;
    // The full detail is the operator's: it may name grants and objects.
    const detail = `${entry.name}: ${code}: ${message}`;
    throw new BedsError("BEDS-R004", { detail, cause: found.disabled });
  }
  const { deadline } = envelope.meta;
  if (deadline !== undefined && now > deadline) {
    throw new BedsError("BEDS-E001", { detail: `${entry.name}: ${now - deadline} ms late` });
  }
  return { request, execute: found.execute };
}
