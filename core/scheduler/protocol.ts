/** What the parent and its worker processes say to each other, one JSON object a message. */
export type FromWorker =
  | { readonly type: "beat" }
  /** The worker consumes from all its queues. `lacks` names what it does without (only in dev). */
  | { readonly type: "ready"; readonly lacks: readonly string[] }
  /** The worker's program load failed for good; `exitCode` is by sysexits. */
  | {
      readonly type: "failed";
      readonly code: string;
      readonly detail: string;
      readonly exitCode: number;
    }
  | { readonly type: "drained"; readonly unfinished: number };

export type ToWorker = { readonly type: "drain" };

/**
 * Recognises a message of the other side; anything else (a plugin's own `process.send`) is ignored.
 */
export function isFromWorker(message: unknown): message is FromWorker {
  return hasType(message, ["beat", "ready", "failed", "drained"]);
}

export function isToWorker(message: unknown): message is ToWorker {
  return hasType(message, ["drain"]);
}

function hasType(message: unknown, types: readonly string[]): boolean {
  if (typeof message !== "object" || message === null || !("type" in message)) return false;
  return typeof message.type === "string" && types.includes(message.type);
}
