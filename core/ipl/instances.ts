import type { Broker, Lane } from "../contract/broker.ts";
import type { DatabaseClass } from "../contract/template.ts";
import type { BrokerServiceName, Config } from "../config/schema.ts";

/** A queue that a node serves, with the instances that one of its workers gives to it. */
export interface LocalLane {
  /** The broker plugin's name. */
  readonly name: string;
  readonly broker: Broker;
  readonly lane: Lane;
  readonly service: BrokerServiceName;
  readonly instances: number;
}

/**
 * The queues that one worker of this node serves, with its share of the instances: the counts of
 * the configuration are for the node, so that they are divided, the first workers taking what does
 * not divide evenly.
 */
export function localLanes(
  config: Config,
  brokers: ReadonlyMap<string, Broker>,
  worker: number,
): readonly LocalLane[] {
  const lanes: LocalLane[] = [];
  for (const service of serviceNames) {
    const { is_local: isLocal, brokers: counts } = config.broker_services[service];
    if (!isLocal) continue;
    for (const [name, count] of Object.entries(counts)) {
      const broker = brokers.get(name);
      const instances = share(count, worker, config.node.workers);
      if (broker === undefined || instances === 0) continue;
      for (const lane of broker.lanes) lanes.push({ name, broker, lane, service, instances });
    }
  }
  return lanes;
}

/** In the order in which people name them. */
export const serviceNames: readonly BrokerServiceName[] = [
  "app_server",
  "admin",
  "segundo",
  "tercero",
];

/**
 * How many connections one worker needs to a database of this class: one for each instance that may
 * call it.
 */
export function neededConnections(lanes: readonly LocalLane[], of: DatabaseClass): number {
  const counts = lanes.filter(({ lane }) => lane.class === of).map(({ instances }) => instances);
  return Math.max(1, ...counts);
}

function share(count: number, worker: number, workers: number): number {
  return Math.floor(count / workers) + (worker < count % workers ? 1 : 0);
}
