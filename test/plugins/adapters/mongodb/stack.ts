import { join } from "node:path";
import { MongoClient } from "mongodb";
import { checkoutLayout, HOST } from "../../../../config/stack/layout.ts";
import { type Account, secret } from "../../../../config/stack/secret.ts";
import type {
  Adapter,
  AdapterDriver,
  Binding,
  CallOptions,
  DatabaseServer,
  DatabaseTarget,
  MutationKey,
  MutationOutcome,
  NamasteCore,
  ObjectSource,
  Row,
  Template,
} from "../../../../core/contract/index.ts";
import { parseTemplate } from "../../../../core/template/parse.ts";
import plugin from "../../../../plugins/adapters/mongodb/index.ts";

const layout = checkoutLayout();
export const productTemplates = join(layout.checkout, "templates");
export const fixtures = join(import.meta.dir, "fixtures");

/** The plugin's product, as a node makes it. */
export async function openDriver(): Promise<AdapterDriver> {
  return await plugin.create({});
}

/** The stack's MongoDB, as the configuration of a node has it. */
export function stackTarget(overrides: Partial<DatabaseTarget> = {}): DatabaseTarget {
  return {
    name: "docs",
    database: "docs",
    master: stackServer("beds_run", "docs"),
    secondary: null,
    dba: stackServer("beds_dba", "admin"),
    connections: 8,
    connectTimeoutMs: 5000,
    ...overrides,
  };
}

export function stackServer(user: Account, authSource: string): DatabaseServer {
  const { mongodb: port } = layout.ports;
  return { host: HOST, port, user, pass: secret(layout, user), authSource, replicaSet: "beds" };
}

/** A client of the driver itself, to see from outside what the adapter did. */
export function plainClient(server: DatabaseServer, appName = "test"): MongoClient {
  const { host, port, user, pass, authSource } = server;
  return new MongoClient(`mongodb://${host}:${port}/`, {
    appName,
    auth: { username: user, password: pass },
    authSource: authSource ?? "admin",
    directConnection: true,
    serverSelectionTimeoutMS: 3000,
  });
}

export async function readTemplate(folder: string, file: string): Promise<Template> {
  return parseTemplate(await Bun.file(join(folder, file)).text(), file);
}

/** All MongoDB templates of the product. */
export async function readProduct(): Promise<readonly Template[]> {
  return [
    await readTemplate(productTemplates, "example_rec.toml"),
    await readTemplate(productTemplates, "mst_logger_rec.toml"),
  ];
}

/** The object sources below a templates folder. */
export async function readObjectSources(folder: string): Promise<readonly ObjectSource[]> {
  const paths = [...new Bun.Glob("db/docs/**/*.json").scanSync(folder)].sort();
  return await Promise.all(
    paths.map(async (path) => sourceOf(path, await Bun.file(join(folder, path)).text())),
  );
}

export function sourceOf(path: string, text: string): ObjectSource {
  return { path, text, checksum: new Bun.CryptoHasher("sha256").update(text).digest("hex") };
}

/** Installs the product's objects and the fixtures', and grants what both need. */
export async function applyAll(driver: AdapterDriver, withFixtures: boolean): Promise<void> {
  const workbench = driver.openWorkbench?.(stackTarget());
  if (workbench === undefined) throw new Error("the adapter has no workbench");
  const product = {
    sources: await readObjectSources(productTemplates),
    templates: await readProduct(),
  };
  const sources = [...product.sources, ...(withFixtures ? await readObjectSources(fixtures) : [])];
  const own = withFixtures ? [await readTemplate(fixtures, "tests_rec.toml")] : [];
  try {
    await workbench.apply(sources, [...product.templates, ...own], () => {});
  } finally {
    await workbench.close();
  }
}

/** Removes everything that the fixtures made, and what they needed. */
export async function removeFixtures(driver: AdapterDriver): Promise<void> {
  const client = plainClient(stackServer("beds_dba", "admin"));
  try {
    const db = client.db("docs");
    for (const name of ["zzt_v", "zzt"]) await db.collection(name).drop();
    await db.collection<{ _id: string }>("beds_objects").deleteMany({ _id: /^zzt_/ });
    await db.collection<{ _id: string }>("beds_object_source").deleteMany({ _id: /\/zzt/ });
  } finally {
    await client.close();
  }
  await applyAll(driver, false);
}

/**
 * Calls operations by name, each bound once, through the method of its kind as the pipeline does.
 */
export class Caller {
  readonly #adapter: Adapter;
  readonly #template: Template;
  readonly #bindings = new Map<string, Binding>();

  constructor(adapter: Adapter, template: Template) {
    this.#adapter = adapter;
    this.#template = template;
  }

  async call(
    name: string,
    values: readonly unknown[],
    overrides: Partial<CallOptions> & { readonly core?: NamasteCore } = {},
  ): Promise<readonly Row[]> {
    const binding = await this.binding(name);
    const { kind, result, timeoutMs } = binding.operation;
    const options: CallOptions = { timeoutMs, rowCap: result.rowCap, ...overrides };
    const { core = this.#adapter.core } = overrides;
    switch (kind) {
      case "create":
        return await core.createRecord(binding, values, options);
      case "fetch":
        return await core.fetchRecords(binding, values, options);
      case "update":
        return await core.updateRecord(binding, values, options);
      case "delete":
        return await core.deleteRecord(binding, values, options);
      case "call":
        return await core.callObject(binding, values, options);
    }
  }

  /** The same with a key, as `core/ipl/executor.ts` does it. */
  async keyed(
    key: MutationKey,
    name: string,
    values: readonly unknown[],
    timeoutMs = 10_000,
  ): Promise<MutationOutcome> {
    const { keyed } = this.#adapter;
    if (keyed === undefined) throw new Error("the adapter has no keys");
    const options = { timeoutMs, rowCap: 100 };
    const work = (core: NamasteCore) => this.call(name, values, { ...options, core });
    return await keyed.run(key, work, options);
  }

  async binding(name: string): Promise<Binding> {
    const known = this.#bindings.get(name);
    if (known !== undefined) return known;
    const operation = this.#template.operations.get(name);
    if (operation === undefined) throw new Error(`there is no operation ${name}`);
    const binding = await this.#adapter.bind(this.#template, operation);
    this.#bindings.set(name, binding);
    return binding;
  }
}

/** A key that nobody has used, or the given parts of one. */
export function someKey(parts: Partial<MutationKey> = {}): MutationKey {
  return {
    scope: "tests/MongoTests.op",
    key: crypto.randomUUID(),
    requestHash: "0".repeat(64),
    expiresAt: Date.now() + 600_000,
    ...parts,
  };
}

/** The code that a promise rejects with, or "none" and what it yields. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    return `none: ${JSON.stringify(await promise)}`;
  } catch (thrown) {
    const code: unknown = Reflect.get(Object(thrown), "code");
    return typeof code === "string" ? code : String(thrown);
  }
}
