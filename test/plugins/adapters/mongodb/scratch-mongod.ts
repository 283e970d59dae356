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
  #process: Bun.Subprocess | undefined;

  private constructor(program: string, port: number) {
    this.#program = program;
    this.port = port;
  }

  /** Null where this machine has no mongod that can be started, such as with a server elsewhere. */
  static async start(): Promise<ScratchMongod | null> {
    const program = findProgram();
    if (program === null) return null;
    const mongod = new ScratchMongod(program, await freePort());
    await mongod.run();
    await mongod.ask(async (client) => {
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
    this.#process = Bun.spawn([this.#program, ...place, ...options, ...failing], {
      stdout: "ignore",
      stderr: "ignore",
    });
    await this.ask(async (client) => await client.db("admin").command({ ping: 1 }));
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

/** A way to the server that can be cut, or can swallow what goes through it. */
export class TcpProxy implements Disposable {
  readonly port: number;
  /**
   * `pass`: as if it were not there. `swallow`: the server's answers get lost. `cut`: connections
   * end.
   */
  mode: "pass" | "swallow" | "cut" = "pass";
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
          link.waiting.push(Buffer.from(bytes));
          link.flush();
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
