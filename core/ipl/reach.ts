import { connect } from "node:net";
import { BedsError, type ErrorCode } from "../contract/errors.ts";

/** A server that the node needs, by the name under which people know it. */
export interface Endpoint {
  /** `rabbitmq app_server`, `database app master` */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
  /** Whether a node must not start without it. */
  readonly isNeeded: boolean;
  /** The code that says that this kind of server cannot be reached. */
  readonly code: ErrorCode;
}

/**
 * Opens a TCP connection to a server and closes it again. Out: the milliseconds that it took.
 * Errors: the endpoint's code, with host, port and the reason. Called at boot and by `beds doctor`.
 */
export function reach(endpoint: Endpoint): Promise<number> {
  const started = performance.now();
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const refuse = (reason: string) => {
    socket.destroy();
    const detail = `${endpoint.name} at ${endpoint.host}:${endpoint.port}: ${reason}`;
    reject(new BedsError(endpoint.code, { detail }));
  };
  // The timer is our own: a socket's time limit does not cover the connecting in every runtime.
  const late = setTimeout(
    () => refuse(`no answer within ${endpoint.timeoutMs} ms`),
    endpoint.timeoutMs,
  );
  const socket = connect({ host: endpoint.host, port: endpoint.port });
  socket.once("connect", () => {
    socket.destroy();
    resolve(performance.now() - started);
  });
  socket.once("error", (error: Error) => {
    refuse("code" in error ? String(error.code) : error.message);
  });
  return promise.finally(() => clearTimeout(late));
}
