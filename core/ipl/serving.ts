import { baseTopology, joinTopologies, laneTopology, UNROUTABLE_QUEUE } from "../amqp/index.ts";
import type { BrokerServiceName, Config } from "../config/schema.ts";
import { BedsError } from "../contract/errors.ts";
import { Findings } from "../contract/findings.ts";
import type { Principals } from "../message/authorize.ts";
import { Mint } from "../message/event-id.ts";
import { compileTemplates } from "../message/validate.ts";
import { createPipeline, type Pipeline } from "../pipeline.ts";
import type { DeadLetter } from "../reliability/dead-letter.ts";
import { aborted } from "../scheduler/aborted.ts";
import { Instances } from "../scheduler/instances.ts";
import { Pool } from "../scheduler/pool.ts";
import { Transport } from "../scheduler/transport.ts";
import { createClock } from "./clock.ts";
import { connectionOptions } from "./rabbitmq.ts";
import { DatabaseService, databaseTarget } from "./database.ts";
import { localLanes, type LocalLane, neededConnections } from "./instances.ts";
import type { LoadedNode } from "./load.ts";
import { RouteTable, servingOf } from "./routes.ts";
import type { Steps } from "./steps.ts";

/** Beyond its time limit an operation may hold its instance this much longer, in milliseconds. */
const instanceGraceMs = 2000;

/** Between two tries to bring up a database that a development node does without, in milliseconds. */
const retryMs = 1000;

/** One RabbitMQ and the queues that are served there. */
interface LocalTransport {
  readonly transport: Transport;
  readonly lanes: readonly LocalLane[];
}

/**
 * What one worker serves: its databases, its transports, its pools. The second half of the program load (DESIGN §9) and
 * the composition root of the data path.
 */
export class Serving {
  readonly #node: LoadedNode;
  readonly #steps: Steps;
  readonly #tellReady: (lacks: readonly string[]) => void;
  readonly #lanes: readonly LocalLane[];
  readonly #routes: RouteTable;
  readonly #databases: readonly DatabaseService[];
  readonly #transports: readonly LocalTransport[];
  readonly #lacks = new Set<string>();
  readonly #stop = new AbortController();
  readonly #index: number;
  #pools: readonly Pool[] = [];

  /** `tellReady` is told what the worker does without, first when it consumes and again when that changes. */
  constructor(
    node: LoadedNode,
    index: number,
    steps: Steps,
    tellReady: (lacks: readonly string[]) => void,
  ) {
    this.#node = node;
    this.#index = index;
    this.#steps = steps;
    this.#tellReady = tellReady;
    this.#lanes = localLanes(node.loaded.config, node.brokers, index);
    this.#routes = new RouteTable(node.registry.all, node.brokers);
    this.#databases = openDatabases(node, this.#lanes, steps);
    this.#transports = this.#openTransports();
  }

  /** Resolves when every pool consumes. Errors: in prod whatever a step found; in dev only bugs. */
  async start(): Promise<void> {
    const { signal } = this.#stop;
    const declared = Promise.all(this.#transports.map(({ transport }) => transport.declared()));
    const topology = () => this.#steps.run("declare topology", () => declared);
    await Promise.all([
      this.#attempt("rabbitmq", topology),
      ...this.#databases.map((database) => this.#bringUp(database)),
    ]);
    await this.#steps.run("pools", async (say) => {
      this.#pools = this.#transports.flatMap((transport) => this.#openPools(transport));
      await Promise.all(this.#transports.map(({ transport }) => transport.consuming(signal)));
      this.#lacks.delete("rabbitmq");
      say(`${this.#pools.length} queues`);
    });
    this.#tellReady([...this.#lacks]);
  }

  /** Finishes what is in flight. Out: how many messages were left when `signal` was aborted. */
  async drain(signal: AbortSignal): Promise<number> {
    const left = await Promise.all(this.#pools.map((pool) => pool.drain(signal)));
    return left.reduce((sum, count) => sum + count, 0);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.allSettled(this.#transports.map(({ transport }) => transport.close()));
    await Promise.allSettled(this.#databases.map((database) => database.close()));
  }

  /** One set of connections for each distinct RabbitMQ of the local services. */
  #openTransports(): readonly LocalTransport[] {
    const { config } = this.#node.loaded;
    const byPlace = Map.groupBy(this.#lanes, ({ service }) => placeOf(config, service));
    return [...byPlace.values()].flatMap((lanes) => {
      const [first] = lanes;
      if (first === undefined) return [];
      const limits = { maxLength: config.limits.queue_length };
      const declared = laneTopology(
        lanes.map(({ lane }) => lane),
        limits,
      );
      const transport = new Transport({
        service: first.service,
        connection: connectionOptions(this.#node.loaded, first.service, `worker ${this.#index}`),
        topology: joinTopologies(baseTopology(limits), declared),
        observe: this.#steps.observe,
      });
      return [{ transport, lanes }];
    });
  }

  #openPools({ transport, lanes }: LocalTransport): readonly Pool[] {
    const pipeline = this.#pipelineMaker(transport);
    const served = lanes.map(({ lane, broker, instances }) =>
      this.#openPool(lane.queue, instances, broker.prefetchPerInstance, pipeline),
    );
    const pools = [...served, this.#openPool(UNROUTABLE_QUEUE, 1, 1, pipeline)];
    transport.open(pools);
    return pools;
  }

  #openPool(
    queue: string,
    count: number,
    prefetchPerInstance: number,
    pipelineOf: (instances: Instances) => Pipeline,
  ): Pool {
    const { observe } = this.#steps;
    const onAbandoned = (detail: string) =>
      observe({ kind: "pool", queue, change: "instance-replaced", instances: count, detail });
    const now = () => performance.now();
    const instances = new Instances(count, instanceGraceMs, now, onAbandoned);
    const maxBodyBytes = this.#node.loaded.config.limits.message_bytes;
    const pipeline = pipelineOf(instances);
    return new Pool({
      queue,
      instances,
      count,
      prefetchPerInstance,
      maxBodyBytes,
      pipeline,
      observe,
    });
  }

  /** What all pipelines of a transport share; each queue has its own instances. */
  #pipelineMaker(transport: Transport): (instances: Instances) => Pipeline {
    const { loaded, registry } = this.#node;
    const { config, environmentName: env } = loaded;
    const { message_bytes: messageBytes, depth, answer_bytes: answerBytes } = config.limits;
    const now = createClock();
    const random = (bytes: Uint8Array) => crypto.getRandomValues(bytes);
    const shared = {
      templates: compileTemplates(registry.all),
      principals: principalsOf(config),
      routes: this.#routes,
      limits: { messageBytes, depth, answerBytes },
      mint: new Mint({ node: config.node.name, env, now: Date.now, random }),
      keepDeadLetter: (letter: DeadLetter) => transport.keepDeadLetter(letter),
      node: config.node.name,
      now,
      observe: this.#steps.observe,
    };
    return (instances) =>
      createPipeline({ ...shared, onInstance: (limitMs, work) => instances.run(limitMs, work) });
  }

  /** Brings a database up; in dev the node does without one that fails, says so, and keeps trying. */
  async #bringUp(database: DatabaseService): Promise<void> {
    const lack = `database ${database.name}`;
    const came = await this.#attempt(lack, () => this.#serve(database));
    if (!came) void this.#retry(database, lack);
  }

  async #serve(database: DatabaseService): Promise<void> {
    const { signal } = this.#stop;
    const { name } = database;
    await this.#steps.run(`authenticate ${name}`, () => database.authenticate(signal));
    await this.#steps.run(`drift check ${name}`, async (say) => {
      const drift = await database.findDrift(signal);
      if (drift.length > 0 && this.#isProduction) throw new Findings(drift);
      // Every worker finds the same; one of them tells.
      for (const error of this.#index === 0 ? drift : []) {
        const during = `drift check ${name}`;
        this.#steps.observe({ kind: "problem", severity: "warning", during, error });
      }
      say(drift.length === 0 ? "" : `${drift.length} differences`);
    });
    this.#routes.enable(await database.bind());
  }

  async #retry(database: DatabaseService, lack: string): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await Promise.race([Bun.sleep(retryMs), aborted(signal)]);
      try {
        await database.authenticate(signal);
        await this.#serve(database);
      } catch {
        // The first failure is in the log; the same every second would hide all else.
        continue;
      }
      this.#lacks.delete(lack);
      this.#tellReady([...this.#lacks]);
      return;
    }
  }

  /** Out: whether it went well. Errors: in prod what `work` throws; in dev it is reported and remembered. */
  async #attempt(lack: string, work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (thrown) {
      if (this.#isProduction) throw thrown;
      this.#lacks.add(lack);
      this.#steps.skip(lack, BedsError.from(thrown));
      return false;
    }
  }

  get #isProduction(): boolean {
    return this.#node.loaded.environmentName === "prod";
  }
}

function openDatabases(
  node: LoadedNode,
  lanes: readonly LocalLane[],
  steps: Steps,
): readonly DatabaseService[] {
  const queues = new Set(lanes.map(({ lane }) => lane.queue));
  return [...node.drivers].flatMap(([name, driver]) => {
    const templates = node.registry.all.filter(({ database }) => database === name);
    const isServed = templates.some((template) =>
      [...template.operations.values()].some((operation) => {
        const { broker, lane } = servingOf(template, operation, node.brokers);
        return queues.has(lane.queue) && broker.handle === undefined;
      }),
    );
    if (!isServed) return [];
    const connections = neededConnections(lanes, driver.class);
    const target = databaseTarget(node.loaded.config, name, { connections, dba: false });
    return [new DatabaseService({ name, driver, target, templates, observe: steps.observe })];
  });
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
