import { isToWorker, type FromWorker } from "./protocol.ts";

export interface ParentLinkParts {
  /** Milliseconds between two signs of life. */
  readonly beatMs: number;
  /** The parent wants this worker to drain. */
  onDrain(): void;
  /** The parent is gone: nobody will ever stop this worker but itself. */
  onOrphaned(): void;
}

/** A worker's link to its parent. */
export interface ParentLink extends Disposable {
  tell(message: FromWorker): void;
}

/**
 * Ties a worker process to its parent: beats, listens, and notices the parent's death twice over:
 * by the end of the channel between them, and, should that ever fail to be told, by being given to
 * another parent.
 */
export function linkToParent(parts: ParentLinkParts): ParentLink {
  const parent = process.ppid;
  let orphaned = false;
  const orphan = () => {
    if (orphaned) return;
    orphaned = true;
    clearInterval(beats);
    parts.onOrphaned();
  };
  const tell = (message: FromWorker) => {
    if (!orphaned) process.send?.(message);
  };
  const beats = setInterval(() => {
    if (process.ppid === parent) tell({ type: "beat" });
    else orphan();
  }, parts.beatMs);
  process.on("message", (message) => {
    if (isToWorker(message)) parts.onDrain();
  });
  process.on("disconnect", orphan);
  return { tell, [Symbol.dispose]: () => clearInterval(beats) };
}
