import type { Order, Word } from "./child.ts";

/** The other end of `Child`: says a word to the process that started this one. */
export function say(word: Word): void {
  process.send?.(word);
}

/** Says what went wrong and ends; for errors that no answer can carry. */
export function giveUp(thrown: unknown): never {
  say({ kind: "failed", reason: thrown instanceof Error ? thrown.message : String(thrown) });
  process.exit(1);
}

/** Takes orders, one at a time, until the parent is gone. */
export function obey(take: (order: Order) => Promise<Word>): void {
  process.on("message", (order: Order) => void take(order).then(say, giveUp));
  endWithParent();
}

/** Without its parent nobody would stop this process. */
export function endWithParent(): void {
  process.on("disconnect", () => process.exit(0));
}
