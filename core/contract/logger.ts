/** RFC 5424's words, as far as BEDS needs them. */
export type LogLevel = "debug" | "info" | "warning" | "error";

/**
 * One line of log. `fields` holds only names of the allow-list in `core/observe/record.ts`, so that
 * no body, argument or secret can reach a log by accident.
 */
export interface LogRecord {
  /** Milliseconds since 1970, UTC. */
  readonly time: number;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: { readonly [name: string]: string | number | boolean };
}

/**
 * Where log lines go. What `create` of a logger plugin returns. Must not throw and must not wait.
 */
export interface LogSink {
  write(record: LogRecord): void;
  /** Writes out what is still buffered. */
  close(): Promise<void>;
}
