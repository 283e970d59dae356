/**
 * A failure whose message says everything: what, why, and the remedy. The command line prints
 * it without a stack trace.
 */
export class StackError extends Error {
  override readonly name: string = "StackError";
}

/** The server's process ended by itself while it was being started. */
export class ServerEnded extends StackError {
  override readonly name = "ServerEnded";
}

/** The server runs, but on data that cannot be mended. */
export class DataUnusable extends StackError {
  override readonly name = "DataUnusable";
}

/** The message of whatever was thrown. */
export function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
