import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MongoClient } from "mongodb";
import { checkoutLayout, HOST } from "../../../../config/stack/layout.ts";
import type { DatabaseTarget } from "../../../../core/contract/index.ts";

/**
 * A mongod of the test's own, which may be killed and told to fail
 * (https://github.com/mongodb/mongo/wiki/The-failCommand-Fail-Point). It has one account,
 * `scratch`, that owns the database `docs`.
 */
export class ScratchMongod implements AsyncDisposable {
  readonly port: number;
  readonly #program: string;
  readonly #folder = mkdtempSync(join(tmpdir(), "beds-mongod-"));
  readonly #options: ScratchOptions;
  #process: Bun.Subprocess | undefined;

  private constructor(program: string, port: number, options: ScratchOptions) {
    this.#program = program;
    this.port = port;
    this.#options = options;
  }

  /** Null where this machine has no mongod that can be started, such as with a server elsewhere. */
  static async start(options: ScratchOptions = {}): Promise<ScratchMongod | null> {
    const program = findProgram();
    if (program === null) return null;
    const mongod = new ScratchMongod(program, await freePort(), options);
    await mongod.run();
    await mongod.ask(async (client) => {
      if (options.isReplicaSet === true) await initiate(client, mongod.port);
      const roles = ["readWrite", "dbAdmin", "userAdmin"].map((role) => ({ role, db: "docs" }));
      await client.db("docs").command({ createUser: "scratch", pwd: "scratch", roles });
    });
    return mongod;
  }

  /** Starts the server and returns once it answers. */
  async run(): Promise<void> {
    const options = [
      "--noscripting",
      "--nounixsocket",
      "--quiet",
      "--wiredTigerCacheSizeGB",
      "0.25",
    ];
    const place = ["--dbpath", this.#folder, "--bind_ip", HOST, "--port", String(this.port)];
    const failing = ["--setParameter", "enableTestCommands=1"];
    const set = this.#options.isReplicaSet === true ? ["--replSet", "scratch"] : [];
    const wanted = Object.entries(this.#options.parameters ?? {});
    const parameters = wanted.flatMap(([name, value]) => ["--setParameter", `${name}=${value}`]);
    this.#process = Bun.spawn(
      [this.#program, ...place, ...options, ...failing, ...set, ...parameters],
      {
        stdout: "ignore",
        stderr: "ignore",
      },
    );
    await this.ask(async (client) => {
      await client.db("admin").command({ ping: 1 });
      const hello = await client.db("admin").command({ hello: 1 });
      if (hello["setName"] !== undefined) await waitForPrimary(client);
    });
  }

  /** Ends it as a power cut would. */
  async kill(): Promise<void> {
    this.#process?.kill("SIGKILL");
    await this.#process?.exited;
  }

  /** Makes the next `times` of these commands fail as the server itself would say it. */
  async fail(failCommands: readonly string[], data: object, times = 1): Promise<void> {
    await this.ask(async (client) => {
      await client.db("admin").command({
        configureFailPoint: "failCommand",
        mode: { times },
        data: { failCommands, appName: "beds", ...data },
      });
    });
  }

  async ask(work: (client: MongoClient) => Promise<unknown>): Promise<void> {
    const client = new MongoClient(`mongodb://${HOST}:${this.port}/`, {
      directConnection: true,
      serverSelectionTimeoutMS: 15_000,
    });
    try {
      await work(client);
    } finally {
      await client.close();
    }
  }

  /** How a node's configuration would name it, through `port` where a proxy stands before it. */
  target(port = this.port): DatabaseTarget {
    const server = { host: HOST, port, user: "scratch", pass: "scratch", authSource: "docs" };
    return {
      name: "docs",
      database: "docs",
      master: server,
      secondary: null,
      dba: server,
      connections: 4,
      connectTimeoutMs: 2000,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** How a scratch server is started. */
export interface ScratchOptions {
  /** A set of one, so that it has transactions. */
  readonly isReplicaSet?: boolean;
  readonly parameters?: Readonly<Record<string, number>>;
}

async function initiate(client: MongoClient, port: number): Promise<void> {
  const members = [{ _id: 0, host: `${HOST}:${port}` }];
  await client.db("admin").command({ replSetInitiate: { _id: "scratch", members } });
  await waitForPrimary(client);
}

async function waitForPrimary(client: MongoClient): Promise<void> {
  while ((await client.db("admin").command({ hello: 1 }))["isWritablePrimary"] !== true) {
    await Bun.sleep(20);
  }
}

/** A way to the server that can be cut, or can swallow what goes through it. */
export class TcpProxy implements Disposable {
  readonly port: number;
  /**
   * `pass`: as if it were not there. `swallow`: the server's answers get lost. `cut`: connections
   * end.
   */
  mode: "pass" | "swallow" | "cut" = "pass";
  /**
   * Once a client sends something with this text its connection ends, before the server has got it
   * or just afterwards. Holds for the next `times`.
   */
  ends: { readonly at: string; readonly isForwarded: boolean; times: number } | null = null;
  readonly #listener: Bun.TCPSocketListener<Link>;
  readonly #links = new Set<Link>();

  constructor(targetPort: number) {
    this.#listener = Bun.listen<Link>({
      hostname: HOST,
      port: 0,
      socket: {
        open: (client) => this.#open(client, targetPort),
        data: (client, bytes) => {
          const link = client.data;
          const { ends } = this;
          const isEnd = ends !== null && ends.times > 0 && bytes.includes(ends.at);
          if (isEnd) ends.times -= 1;
          if (!isEnd || ends.isForwarded) link.waiting.push(Buffer.from(bytes));
          link.flush();
          if (isEnd) link.end();
        },
        close: (client) => {
          client.data.end();
        },
      },
    });
    this.port = this.#listener.port;
  }

  /** Ends all connections at once. */
  cut(): void {
    for (const link of this.#links) link.end();
  }

  [Symbol.dispose](): void {
    this.cut();
    this.#listener.stop(true);
  }

  #open(client: Bun.Socket<Link>, targetPort: number): void {
    const link = new Link(client, () => this.#links.delete(link));
    client.data = link;
    this.#links.add(link);
    if (this.mode === "cut") {
      link.end();
      return;
    }
    void Bun.connect({
      hostname: HOST,
      port: targetPort,
      socket: {
        open: (server) => {
          link.server = server;
          link.flush();
        },
        data: (_, bytes) => {
          if (this.mode === "cut") link.end();
          else if (this.mode === "pass") client.write(bytes);
        },
        close: () => link.end(),
        error: () => link.end(),
      },
    }).catch(() => link.end());
  }
}

class Link {
  readonly waiting: Buffer[] = [];
  server: Bun.Socket | undefined;
  readonly #client: Bun.Socket<Link>;
  readonly #forget: () => void;

  constructor(client: Bun.Socket<Link>, forget: () => void) {
    this.#client = client;
    this.#forget = forget;
  }

  flush(): void {
    if (this.server === undefined) return;
    for (const bytes of this.waiting.splice(0)) this.server.write(bytes);
  }

  end(): void {
    this.#forget();
    this.#client.end();
    this.server?.end();
  }
}

function findProgram(): string | null {
  const onPath = Bun.which("mongod");
  if (onPath !== null) return onPath;
  const packages = join(checkoutLayout().home, "packages");
  const [found] = new Bun.Glob("*/fiftyone/db/bin/mongod").scanSync(packages);
  return found === undefined ? null : join(packages, found);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
