/** A value as JSON can carry it. */
export type JsonValue =
  null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** What travels beside a request; every key is optional on the wire. */
export interface RequestMeta {
  readonly principal?: string;
  readonly idempotencyKey?: string;
  readonly expectedVersion?: number;
  /** Milliseconds since 1970, UTC. */
  readonly deadline?: number;
  readonly consistency?: "primary" | "secondary" | "session";
  readonly token?: string;
  readonly ticket?: boolean;
}

/** Where an event stands in the tree that its root caused (wiki/Event-Lineage.md). */
export interface Lineage {
  /** `{node}.{env}.{UUIDv7}` */
  readonly eventId: string;
  /** The event that caused this one; empty for a root. */
  readonly parentId: string;
  readonly rootId: string;
  /** Levels from the root, which is 0. */
  readonly depth: number;
}

/**
 * Envelope v1 after decoding: well-formed, of a known version, not yet checked against any
 * template.
 */
export interface Envelope extends Lineage {
  readonly version: 1;
  readonly template: string;
  readonly op: string;
  readonly args: { readonly [name: string]: JsonValue };
  readonly meta: RequestMeta;
}

/** What the broker that took the delivery knows about it, beside its body. */
export interface Arrival {
  /** The AMQP account, as RabbitMQ checked it; empty when the sender did not state it. */
  readonly userId: string;
  readonly exchange: string;
  readonly routingKey: string;
  readonly queue: string;
  readonly replyTo: string;
  readonly correlationId: string;
  readonly messageId: string;
  readonly redelivered: boolean;
  /** Milliseconds since 1970 at which the node took the delivery. */
  readonly receivedAt: number;
  /**
   * Milliseconds since 1970 from the sender's `timestamp` property, which counts seconds; 0 when
   * unknown.
   */
  readonly sentAt: number;
  /** How often a node has put the message off already; 0 when it comes from its sender. */
  readonly attempt: number;
}

/** One row as a template declares it: stored field names, JSON-ready values. */
export type Row = { readonly [column: string]: JsonValue };

/** What an operation yields when it succeeds. */
export interface Result {
  readonly rows: readonly Row[];
  /** Opaque; asks for the page behind this one. */
  readonly next: string | null;
  readonly version: number | null;
  /** Opaque; lets a later read see at least this write. */
  readonly token: string | null;
}

/** The error part of an answer. */
export interface AnswerError {
  readonly code: string;
  readonly class: string;
  readonly message: string;
  readonly detail: string;
  readonly hint: string;
  readonly retryable: boolean;
}

/** An answer of version 1, exactly as it stands on the wire. */
export interface Answer {
  readonly v: 1;
  readonly event_id: string;
  readonly parent_id: string;
  readonly depth: number;
  readonly status: "ok" | "accepted" | "error";
  readonly result: Result | null;
  readonly replayed: boolean;
  readonly error: AnswerError | null;
  readonly ticket: string | null;
  readonly timing: { readonly queue_ms: number; readonly exec_ms: number };
}
