import type { Mint } from "../../core/message/event-id.ts";
import { personCount, type Scenario, type Side } from "./scenario.ts";

/** The envelope of one request, with a new event id; the baseline gets the very same text. */
export function requestText(scenario: Scenario, side: Side, mint: Mint): string {
  const { template, op } = scenario;
  return JSON.stringify({
    v: 1,
    event_id: mint.next(),
    template,
    op,
    args: argsOf(scenario, side),
  });
}

function argsOf({ name }: Scenario, side: Side): Readonly<Record<string, string | number>> {
  if (name === "call") return { id: 1 + Math.floor(Math.random() * personCount) };
  if (name === "keyed_write") return { text: `${side}: an entry of forty characters or so` };
  return { text: "forty characters that come back as sent" };
}

/** As much of an answer as is looked at. */
interface Answered {
  readonly status?: unknown;
  readonly replayed?: unknown;
  readonly result?: { readonly rows?: readonly unknown[] };
}

/**
 * Throws with the answer when it is not one row. Every answer is parsed, as an application would.
 */
export function checkAnswer(text: string): void {
  const answer: Answered = JSON.parse(text);
  if (answer.status === "ok" && answer.result?.rows?.length === 1) return;
  throw new Error(`not the answer that was asked for: ${text.slice(0, 500)}`);
}

/** Whether an answer says that its effect was there already. */
export function isReplay(text: string): boolean {
  checkAnswer(text);
  const answer: Answered = JSON.parse(text);
  return answer.replayed === true;
}
