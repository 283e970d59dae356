/**
 * `client.ts '{"scenario":…,"side":…,"transport":…}'`: a process that sends requests and times the
 * answers.
 */
import { exchange } from "../../core/amqp/index.ts";
import { Mint } from "../../core/message/event-id.ts";
import { Load } from "./load.ts";
import { openLibraryWire } from "./library-wire.ts";
import { openOwnWire } from "./own-wire.ts";
import { giveUp, obey, say } from "./parent.ts";
import { rabbitPlace } from "./place.ts";
import { checkAnswer, isReplay, requestText } from "./request.ts";
import {
  baselineQueue,
  type ScenarioName,
  scenarios,
  type Side,
  type Transport,
} from "./scenario.ts";
import type { OnAnswer, Wire } from "./wire.ts";

export interface ClientSettings {
  readonly scenario: ScenarioName;
  readonly side: Side;
  readonly transport: Transport;
}

async function main({ scenario: name, side, transport }: ClientSettings): Promise<void> {
  const scenario = scenarios[name];
  // A client of BEDS has a client's account; the baseline's queue belongs to the node's.
  const account = side === "beds" ? "app1" : "beds_run";
  const mint = new Mint({
    node: account,
    env: "dev",
    now: Date.now,
    random: (bytes) => crypto.getRandomValues(bytes),
  });
  const body = () => requestText(scenario, side, mint);
  const load = new Load(body, checkAnswer);
  const probes = new Map<string, (answer: string) => void>();
  const onAnswer: OnAnswer = (id, answer) => {
    const probe = probes.get(id);
    if (probe === undefined) load.take(id, answer);
    else probe(answer);
  };
  const { persistent, confirms } = scenario;
  const open = transport === "own" ? openOwnWire : openLibraryWire;
  const target =
    side === "beds"
      ? { exchange: exchange.events, routingKey: scenario.routingKey, userId: account }
      : { exchange: "", routingKey: baselineQueue(scenario), userId: null };
  const wire = await open(rabbitPlace(account), { ...target, persistent, confirms }, onAnswer);
  load.attach(wire);
  obey(async (order) => {
    if (order.kind === "load") return { kind: "result", result: await load.run(order.load) };
    const same = body();
    const first = await ask(wire, probes, "probe 1", same);
    checkAnswer(first);
    return { kind: "replayed", replayed: isReplay(await ask(wire, probes, "probe 2", same)) };
  });
  say({ kind: "ready" });
}

async function ask(
  wire: Wire,
  probes: Map<string, (answer: string) => void>,
  id: string,
  body: string,
): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  probes.set(id, resolve);
  wire.send(id, body);
  const answer = await promise;
  probes.delete(id);
  return answer;
}

await main(JSON.parse(process.argv[2] ?? "{}")).catch(giveUp);
