/**
 * `baseline.ts '{"scenario":…}'`: the plain service that BEDS is compared with, a process of its
 * own.
 */
import { AMQPClient } from "@cloudamqp/amqp-client";
import { type BaselineRequest, openWork } from "./baseline-work.ts";
import { endWithParent, giveUp, say } from "./parent.ts";
import { type DatabasePlace, rabbitPlace, rabbitUrl } from "./place.ts";
import { queueArguments } from "./queues.ts";
import { baselinePrefetch, baselineQueue, type ScenarioName, scenarios } from "./scenario.ts";

export interface BaselineSettings {
  readonly scenario: ScenarioName;
  readonly runtime: DatabasePlace;
  readonly dba: DatabasePlace;
}

/**
 * What one would write with the library and the driver alone: consume, parse, work, answer, ack. An
 * error ends the process: nothing is settled wrongly, and the benchmark says so.
 */
async function main(settings: BaselineSettings): Promise<void> {
  const scenario = scenarios[settings.scenario];
  const work = openWork(scenario, settings);
  const connection = await new AMQPClient(rabbitUrl(rabbitPlace("beds_run"))).connect();
  const channel = await connection.channel();
  await channel.basicQos(baselinePrefetch);
  const durable = { durable: true, autoDelete: false, exclusive: false };
  const queue = baselineQueue(scenario);
  await channel.queueDeclare(queue, durable, queueArguments(scenario.queueType));
  await channel.basicConsume(queue, { noAck: false }, async (message) => {
    try {
      const request: BaselineRequest = JSON.parse(message.bodyString() ?? "");
      const rows = work(request);
      // An echo has nothing to wait for, and waiting would cost it a turn.
      const body = answerText(request, Array.isArray(rows) ? rows : await rows);
      const { replyTo = "", correlationId = "" } = message.properties;
      const properties = { contentType: "application/json", correlationId };
      void channel.basicPublish("", replyTo, body, properties);
      void channel.basicAck(message.deliveryTag);
    } catch (thrown) {
      giveUp(thrown);
    }
  });
  endWithParent();
  say({ kind: "ready" });
}

/** The shape of BEDS's answer, so that both send about as many bytes; the id is the request's. */
function answerText({ event_id: id }: BaselineRequest, rows: readonly unknown[]): string {
  return JSON.stringify({
    v: 1,
    event_id: id,
    parent_id: id,
    depth: 1,
    status: "ok",
    result: { rows, next: null, version: null, token: null },
    replayed: false,
    error: null,
    ticket: null,
    timing: { queue_ms: 0, exec_ms: 0 },
  });
}

await main(JSON.parse(process.argv[2] ?? "{}")).catch(giveUp);
