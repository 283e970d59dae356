import type { Lane } from "../contract/broker.ts";
import { BedsError } from "../contract/errors.ts";
import type { Arrival } from "../contract/message.ts";
import { isRead, type Operation } from "../contract/template.ts";
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
 * The fourth stage: finds what executes the request. `arrival` says from which queue it was taken
 * and with which key it was published; `now` is in milliseconds since 1970.
 *
 * Errors: BEDS-R003 when the operation belongs to another queue, with the right routing key; Q008
 * when the key was right but no queue took it; R004 when it is switched off here; those of
 * `refuseExpired`.
 */
export function route<Execute>(
  request: Authorized,
  arrival: Pick<Arrival, "queue" | "routingKey" | "redelivered" | "attempt">,
  routes: Routes<Execute>,
  now: number,
): Routed<Execute> {
  const { entry } = request;
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
  refuseExpired(request, arrival, now);
  return { request, execute: found.execute };
}

/**
 * Refuses a request whose deadline has passed; asked again when its instance is free, because it
 * may have waited.
 *
 * Errors: BEDS-E001. A mutation that was delivered before may have been done then, so that nobody
 * can say of it that it was not: D004.
 */
export function refuseExpired(
  { entry, envelope, operation }: Authorized,
  { redelivered, attempt }: Pick<Arrival, "redelivered" | "attempt">,
  now: number,
): void {
  const { deadline } = envelope.meta;
  if (deadline === undefined || now <= deadline) return;
  const mayBeDone = !isRead(operation.kind) && (redelivered || attempt > 0);
  const detail = `${entry.name}: ${(now - deadline).toFixed(0)} ms late`;
  throw new BedsError(mayBeDone ? "BEDS-D004" : "BEDS-E001", { detail });
}
