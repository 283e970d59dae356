import { BedsError } from "../contract/errors.ts";
import { Findings } from "../contract/findings.ts";
import { Breaker } from "../reliability/breaker.ts";
import { sleep } from "../contract/sleep.ts";
import { createClock } from "./clock.ts";
import { Consuming } from "./consuming.ts";
import { DatabaseService, databaseTarget } from "./database.ts";
import type { ExecutorSettings } from "./executor.ts";
import { localLanes, type LocalLane, neededConnections } from "./instances.ts";
import type { LoadedNode } from "./load.ts";
import { RouteTable, servingOf } from "./routes.ts";
import type { Steps } from "./steps.ts";

/**
 * Between two tries to bring up a database that a development node does without, in milliseconds.
 */
const retryMs = 1000;

/** Between two looks whether a database is back, in milliseconds: the first, and the longest. */
const probeMs = 250;
const slowestProbeMs = 30_000;

/** Between two looks for keys that have expired, in milliseconds. */
const purgeMs = 60_000;

/** Tries that a conflict is worth at once, before the request is put off. */
const conflicts = { tries: 3, waitMs: 20, random: Math.random, now: () => performance.now() };

/**
 * What one worker serves: its databases and what it takes from RabbitMQ for them. The second half
 * of the program load (wiki/IPL.md) and the composition root of the data path.
 */
export class Serving {
  readonly #node: LoadedNode;
  readonly #index: number;
  readonly #steps: Steps;
  readonly #tellReady: (lacks: readonly string[]) => void;
  readonly #routes: RouteTable;
  readonly #databases: readonly DatabaseService[];
  readonly #breakers = new Map<string, Breaker>();
  readonly #consuming: Consuming;
  readonly #lacks = new Set<string>();
  readonly #stop = new AbortController();
  #isConsuming = false;

  /**
   * `tellReady` is told what the worker does without, first when it consumes and again when that
   * changes.
   */
  constructor(
    node: LoadedNode,
    index: number,
    steps: Steps,
    tellReady: (lacks: readonly string[]) => void,
  ) {
    const now = createClock();
    const lanes = localLanes(node.loaded.config, node.brokers, index);
    this.#node = node;
    this.#index = index;
    this.#steps = steps;
    this.#tellReady = tellReady;
    this.#routes = new RouteTable(node.registry.all, node.brokers);
    this.#databases = openDatabases(node, lanes, steps, now);
    const breakerOf = (template: string) =>
      this.#breakers.get(node.registry.byName.get(template)?.database ?? "");
    const routes = this.#routes;
    this.#consuming = new Consuming({ node, index, lanes, routes, breakerOf, now, steps });
    for (const database of this.#databases) {
      this.#breakers.set(database.name, this.#breakerBefore(database));
    }
  }

  /** Resolves when every pool consumes. Errors: in prod whatever a step found; in dev only bugs. */
  async start(): Promise<void> {
    const declared = () => this.#steps.run("declare topology", () => this.#consuming.declared());
    await Promise.all([
      this.#attempt("rabbitmq", declared),
      ...this.#databases.map((database) => this.#bringUp(database)),
    ]);
    await this.#steps.run("pools", async (say) => {
      const queues = await this.#consuming.open(this.#stop.signal);
      this.#lacks.delete("rabbitmq");
      this.#isConsuming = true;
      say(`${queues} queues`);
    });
    this.#tellReady([...this.#lacks]);
    if (this.#index === 0) for (const database of this.#databases) void this.#keepPurging(database);
  }

  /** Finishes what is in flight. Out: how many messages were left when `signal` was aborted. */
  async drain(signal: AbortSignal): Promise<number> {
    return await this.#consuming.drain(signal);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#consuming.close();
    await Promise.allSettled(this.#databases.map((database) => database.close()));
  }

  /** One worker a node forgets expired keys; a database that is down has time. */
  async #keepPurging(database: DatabaseService): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await sleep(purgeMs, signal);
      if (signal.aborted || this.#breakers.get(database.name)?.isOpen === true) continue;
      try {
        await database.purgeKeys(signal);
      } catch (thrown) {
        const during = `forgetting keys of ${database.name}`;
        const error = BedsError.from(thrown);
        this.#steps.observe({ kind: "problem", severity: "warning", during, error });
      }
    }
  }

  #breakerBefore(database: DatabaseService): Breaker {
    const { signal } = this.#stop;
    return new Breaker({
      pause: () => this.#consuming.pause(database.class, database.name),
      resume: () => this.#consuming.resume(database.class, database.name),
      probe: () => database.authenticate(signal),
      wait: { firstMs: probeMs, mostMs: slowestProbeMs },
      now: () => performance.now(),
      signal,
    });
  }

  /**
   * Brings a database up; in dev the node does without one that fails, says so, and keeps trying.
   */
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
      await sleep(retryMs, signal);
      try {
        await database.authenticate(signal);
        await this.#serve(database);
      } catch {
        // The first failure is in the log; the same every second would hide all else.
        continue;
      }
      this.#lacks.delete(lack);
      if (this.#isConsuming) this.#tellReady([...this.#lacks]);
      return;
    }
  }

  /**
   * Out: whether it went well. Errors: in prod what `work` throws; in dev it is reported and
   * remembered.
   */
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
  now: () => number,
): readonly DatabaseService[] {
  const { config } = node.loaded;
  const keepKeysMs = config.reliability.keep_keys_days * 86_400_000;
  const settings: ExecutorSettings = { conflicts, keepKeysMs, now };
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
    const target = databaseTarget(config, name, { connections, dba: false });
    const { observe } = steps;
    return [new DatabaseService({ name, driver, target, templates, settings, observe })];
  });
}
