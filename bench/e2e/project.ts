import { chmod, cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Node } from "../../config/stack/node.ts";
import { type DatabasePlace, rabbitPlace } from "./place.ts";
import type { Scenario } from "./scenario.ts";

/**
 * The folder in which the compiled program runs: configuration, templates and secrets of this run
 * alone.
 */
export class Project implements AsyncDisposable {
  readonly #folder: string;
  readonly #binary: string;
  readonly #workers: number;

  private constructor(folder: string, binary: string, workers: number) {
    this.#folder = folder;
    this.#binary = binary;
    this.#workers = workers;
  }

  /** Makes the folder and installs the database objects with `beds db apply`. */
  static async create(
    binary: string,
    workers: number,
    accounts: { readonly runtime: DatabasePlace; readonly dba: DatabasePlace },
  ): Promise<Project> {
    const folder = await mkdtemp(join(tmpdir(), "beds-bench-"));
    const project = new Project(folder, binary, workers);
    try {
      await chmod(folder, 0o700);
      await cp(join(import.meta.dir, "templates"), join(folder, "templates"), { recursive: true });
      const { runtime, dba } = accounts;
      const node = rabbitPlace("beds_run");
      for (const { user, pass } of [runtime, dba, node]) await writeFile(join(folder, user), pass);
      await writeFile(join(folder, "beds.toml"), configuration(runtime, dba, workers));
      await project.#beds("db", "apply");
      return project;
    } catch (thrown) {
      await project[Symbol.asyncDispose]();
      throw thrown;
    }
  }

  /** Starts a node that serves one scenario. */
  async start(scenario: Scenario, signal: AbortSignal): Promise<Node> {
    const { broker, instances, connections } = scenario;
    // Both are shares of the node; each worker gets its part of the instances and its own
    // connections.
    const each = Math.max(1, Math.floor(connections / this.#workers));
    const settings = [
      `broker_services.app_server.brokers.${broker}=${instances}`,
      `databases.bench.connections=${each}`,
    ];
    const words = settings.flatMap((setting) => ["--set", setting]);
    return await Node.start(this.#binary, this.#folder, signal, () => undefined, words);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #beds(...words: readonly string[]): Promise<void> {
    const ran = Bun.spawn([this.#binary, ...words], {
      cwd: this.#folder,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [out, err, code] = await Promise.all([
      new Response(ran.stdout).text(),
      new Response(ran.stderr).text(),
      ran.exited,
    ]);
    if (code !== 0) throw new Error(`beds ${words.join(" ")} failed:\n${out}${err}`);
  }
}

/** The base configuration's defaults everywhere: what is measured is the product as it comes. */
function configuration(runtime: DatabasePlace, dba: DatabasePlace, workers: number): string {
  const rabbit = rabbitPlace("beds_run");
  const plugins = ["echo-adapter.ts", "read-broker.ts", "write-broker.ts"];
  const paths = plugins.map((file) => join(import.meta.dir, file));
  const account = ({ user }: { readonly user: string }) =>
    `user = "${user}"\npass = "file:${user}"`;
  const address = ({ host, port }: { readonly host: string; readonly port: number }) =>
    `host = "${host}"\nport = ${port}`;
  return `schema_version = 1

[node]
name = "bench"
workers = ${workers}

[plugins]
paths = ${JSON.stringify(paths)}

[broker_services.app_server]
is_local = true
vhost = "${rabbit.vhost}"
${address(rabbit)}
${account(rabbit)}

[databases.echo]
adapter = "benchEcho"

[databases.echo.master]
${address(runtime)}
${account(runtime)}

[databases.bench]
adapter = "mariadb"
database = "${runtime.database}"

[databases.bench.master]
${address(runtime)}
${account(runtime)}

[databases.bench.dba]
${account(dba)}

[principals.app1]
roles = ["app"]
`;
}
