import {
  baseTopology,
  joinTopologies,
  laneTopology,
  retrySteps,
  UNROUTABLE_QUEUE,
} from "../amqp/index.ts";
import type { BrokerServiceName, Config } from "../config/schema.ts";
import type { DatabaseClass } from "../contract/template.ts";
import type { Principals } from "../message/authorize.ts";
import { Mint } from "../message/event-id.ts";
import { compileTemplates } from "../message/validate.ts";
import { createPipeline, type Pipeline } from "../pipeline.ts";
import type { Breaker } from "../reliability/breaker.ts";
import { Settler } from "../reliability/settler.ts";
import { Instances } from "../scheduler/instances.ts";
import { Pool } from "../scheduler/pool.ts";
import { Transport } from "../scheduler/transport.ts";
import type { LocalLane } from "./instances.ts";
import type { LoadedNode } from "./load.ts";
import { connectionOptions } from "./rabbitmq.ts";
import type { RouteTable } from "./routes.ts";
import type { Steps } from "./steps.ts";

/** Beyond its time limit an operation may hold its instance this much longer, in milliseconds. */
const instanceGraceMs = 5000;

/**
 * A message that could not be settled is held so long before it goes back to its queue, in
 * milliseconds.
 */
const returnDelayMs = 1000;

export interface ConsumingParts {
  readonly node: LoadedNode;
  /** The worker's number. */
  readonly index: number;
  readonly lanes: readonly LocalLane[];
  readonly routes: RouteTable;
  /** The breaker before a template's database. */
  readonly breakerOf: (template: string) => Breaker | undefined;
  /** Milliseconds since 1970, UTC, with fractions. */
  readonly now: () => number;
  readonly steps: Steps;
}

/** A pool and the class of the databases that its requests need. */
interface ClassPool {
  readonly pool: Pool;
  readonly class: DatabaseClass;
}

/** What a worker takes from RabbitMQ: its transports, its pools, and the data path between them. */
export class Consuming {
  readonly #parts: ConsumingParts;
  readonly #transports: readonly LocalTransport[];
  #pools: readonly ClassPool[] = [];

  /** Begins to connect at once. */
  constructor(parts: ConsumingParts) {
    this.#parts = parts;
    this.#transports = this.#openTransports();
  }

  /**
   * Resolves when topology is declared everywhere. Errors: why a first attempt failed; others
   * follow.
   */
  async declared(): Promise<void> {
    await Promise.all(this.#transports.map(({ transport }) => transport.declared()));
  }

  /**
   * Lets every pool consume. Out: how many queues. Errors: why not, when `signal` is aborted
   * before.
   */
  async open(signal: AbortSignal): Promise<number> {
    this.#pools = this.#transports.flatMap((transport) => this.#openPools(transport));
    await Promise.all(this.#transports.map(({ transport }) => transport.consuming(signal)));
    return this.#pools.length;
  }

  /**
   * Stops the pools whose requests need a database of a class; resolves when RabbitMQ sends them
   * nothing.
   */
  async pause(databaseClass: DatabaseClass, database: string): Promise<void> {
    const pools = this.#pools.filter((each) => each.class === databaseClass);
    const reason = `database ${database} is down`;
    await Promise.all(pools.map(({ pool }) => pool.pause(database, reason)));
  }

  /** Ends the pause that one database asked for. */
  resume(databaseClass: DatabaseClass, database: string): void {
    for (const each of this.#pools) {
      if (each.class === databaseClass) each.pool.resume(database);
    }
  }

  /** Finishes what is in flight. Out: how many messages were left when `signal` was aborted. */
  async drain(signal: AbortSignal): Promise<number> {
    const left = await Promise.all(this.#pools.map(({ pool }) => pool.drain(signal)));
    return left.reduce((sum, count) => sum + count, 0);
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#transports.map(({ transport }) => transport.close()));
  }

  /** One set of connections for each distinct RabbitMQ of the local services. */
  #openTransports(): readonly LocalTransport[] {
    const { node, index, lanes: all, steps } = this.#parts;
    const { config } = node.loaded;
    const byPlace = Map.groupBy(all, ({ service }) => placeOf(config, service));
    return [...byPlace.values()].flatMap((lanes) => {
      const [first] = lanes;
      if (first === undefined) return [];
      const limits = { maxLength: config.limits.queue_length };
      const queues = lanes.map(({ lane }) => lane);
      const transport = new Transport({
        service: first.service,
        connection: connectionOptions(node.loaded, first.service, `worker ${index}`),
        topology: joinTopologies(baseTopology(limits), laneTopology(queues, limits)),
        observe: steps.observe,
      });
      return [{ transport, lanes }];
    });
  }

  #openPools({ transport, lanes }: LocalTransport): readonly ClassPool[] {
    const pipeline = this.#pipelineMaker(transport);
    const served = lanes.map(({ lane, broker, instances }) => {
      const { queue, class: databaseClass } = lane;
      const ahead = broker.prefetchPerInstance;
      return {
        pool: this.#openPool(queue, instances, ahead, pipeline),
        class: databaseClass,
      };
    });
    const unroutable = this.#openPool(UNROUTABLE_QUEUE, 1, 1, pipeline);
    const pools = [...served, { pool: unroutable, class: "none" as const }];
    transport.open(pools.map(({ pool }) => pool));
    return pools;
  }

  #openPool(
    queue: string,
    count: number,
    prefetchPerInstance: number,
    pipelineOf: (instances: Instances) => Pipeline,
  ): Pool {
    const { observe } = this.#parts.steps;
    const onAbandoned = (detail: string) =>
      observe({ kind: "pool", queue, change: "instance-replaced", instances: count, detail });
    const monotonic = () => performance.now();
    const instances = new Instances(count, instanceGraceMs, monotonic, onAbandoned);
    const maxBodyBytes = this.#parts.node.loaded.config.limits.message_bytes;
    const pipeline = pipelineOf(instances);
    const shares = { queue, instances, count, prefetchPerInstance, maxBodyBytes };
    return new Pool({ ...shares, pipeline, observe });
  }

  /** What all pipelines of a transport share; each queue has its own instances. */
  #pipelineMaker(transport: Transport): (instances: Instances) => Pipeline {
    const { node, routes, breakerOf, now, steps } = this.#parts;
    const { config, environmentName: env } = node.loaded;
    const { message_bytes: messageBytes, depth, answer_bytes: answerBytes } = config.limits;
    const random = (bytes: Uint8Array) => crypto.getRandomValues(bytes);
    const settler = new Settler({
      node: config.node.name,
      delays: retrySteps.map(({ delayMs }) => delayMs),
      keepDeadLetter: (letter) => transport.keepDeadLetter(letter),
      putOff: (message) => transport.putOff(message),
      returnDelayMs,
      observe: steps.observe,
    });
    const shared = {
      templates: compileTemplates(node.registry.all),
      principals: principalsOf(config),
      routes,
      limits: { messageBytes, depth, answerBytes },
      mint: new Mint({ node: config.node.name, env, now: Date.now, random }),
      settler,
      breakerOf,
      now,
      observe: steps.observe,
    };
    return (instances) =>
      createPipeline({ ...shared, onInstance: (limitMs, work) => instances.run(limitMs, work) });
  }
}

/** One RabbitMQ and the queues that are served there. */
interface LocalTransport {
  readonly transport: Transport;
  readonly lanes: readonly LocalLane[];
}

function principalsOf(config: Config): Principals {
  return new Map(
    Object.entries(config.principals).map(([name, { roles, may_assert: mayAssert }]) => {
      return [name, { roles, mayAssert }];
    }),
  );
}

function placeOf(config: Config, service: BrokerServiceName): string {
  const { host, port, vhost, user } = config.broker_services[service];
  return `${user}@${host}:${port}/${vhost}`;
}
