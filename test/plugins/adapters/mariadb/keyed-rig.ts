import { createHash } from "node:crypto";
import { join } from "node:path";
import type {
  Adapter,
  Binding,
  DatabaseServer,
  KeyedMutations,
  MutationKey,
  MutationOutcome,
  NamasteCore,
  Row,
  Template,
} from "../../../../core/contract/index.ts";
import {
  type Call,
  loadSources,
  loadTemplate,
  makeCall,
  makeScratch,
  type Scratch,
} from "./scratch.ts";

const fixtures = join(import.meta.dir, "fixtures");

/** A scratch database with the objects of `fixtures/keyed.toml`. */
export interface KeyedRig {
  readonly scratch: Scratch;
  readonly template: Template;
  /** An adapter with so many write connections, over `server` where one is given. */
  open(connections: number, server?: DatabaseServer): Promise<Keyed>;
  /** How many effects with this text there are, seen from outside. */
  effects(text: string): Promise<number>;
  /** How many keys with this name there are in all scopes. */
  keys(key: string): Promise<number>;
  dispose(): Promise<void>;
}

/** An adapter, as the pipeline will use it. */
export interface Keyed {
  readonly adapter: Adapter;
  readonly keyed: KeyedMutations;
  /** The unkeyed way, over the same connections. */
  readonly call: Call;
  readonly mutate: Mutate;
  /** Makes work of one call of an operation. */
  readonly work: (op: string, args: Args) => (core: NamasteCore) => Promise<readonly Row[]>;
}

type Args = { readonly [name: string]: unknown };

/** One operation under a key; its arguments make the request's hash. */
export type Mutate = (
  key: string,
  op: string,
  args: Args,
  options?: { readonly timeoutMs?: number; readonly scope?: string },
) => Promise<MutationOutcome>;

export async function makeKeyedRig(name: string): Promise<KeyedRig> {
  const scratch = await makeScratch(name);
  const template = loadTemplate(join(fixtures, "keyed.toml"), name);
  await scratch.apply(loadSources(join(fixtures, "db/keyed")), [template]);
  await scratch.as("dba", "INSERT INTO {db}.kyd_lock VALUES (1, 0), (2, 0)");
  const count = async (sql: string, value: string): Promise<number> =>
    (await scratch.as("dba", sql, [value])).length;
  return {
    scratch,
    template,
    effects: (text) => count("SELECT 1 FROM {db}.kyd_effect WHERE kyd_text = ?", text),
    keys: (key) => count("SELECT 1 FROM {db}.beds_key WHERE idem_key = ?", key),
    async open(connections, server = scratch.target.master) {
      const target = { ...scratch.target, connections, master: server, connectTimeoutMs: 500 };
      return await makeKeyed(scratch.driver.open(target), template);
    },
    dispose: () => scratch.dispose(),
  };
}

export function makeKey(key: string, args: unknown, scope = "someone Keyed.op"): MutationKey {
  const requestHash = createHash("sha256").update(JSON.stringify(args)).digest("hex");
  return { scope, key, requestHash, expiresAt: Date.now() + 60_000 };
}

async function makeKeyed(adapter: Adapter, template: Template): Promise<Keyed> {
  const { keyed } = adapter;
  if (keyed === undefined) throw new Error("the adapter has no keys");
  const bindings = new Map<string, Binding>();
  for (const [op, operation] of template.operations) {
    bindings.set(op, await adapter.bind(template, operation));
  }
  const work: Keyed["work"] = (op, args) => (core) => {
    const binding = bindings.get(op);
    if (binding === undefined) throw new Error(`no operation ${op}`);
    const { parameters, timeoutMs } = binding.operation;
    const values = parameters.map((parameter) => args[parameter.name] ?? null);
    return core.callObject(binding, values, { timeoutMs, rowCap: 1000 });
  };
  return {
    adapter,
    keyed,
    call: await makeCall(adapter, template),
    work,
    mutate: (key, op, args, options = {}) =>
      keyed.run(makeKey(key, args, options.scope), work(op, args), {
        timeoutMs: options.timeoutMs ?? 5000,
        rowCap: 1000,
      }),
  };
}
