/** Where a client's requests go and what they carry; the same for both transports. */
export interface WireOptions {
  readonly exchange: string;
  readonly routingKey: string;
  /** The account of the connection; BEDS asks for it, the baseline needs none. */
  readonly userId: string | null;
  readonly persistent: boolean;
  readonly confirms: boolean;
}

/** A connection that publishes requests and hands over the answers; one a client. */
export interface Wire {
  /** Publishes one request. `id` comes back with its answer. */
  send(id: string, body: string): void;
}

/** Called with each answer's correlation id and body. */
export type OnAnswer = (id: string, body: string) => void;
