import {
  type Adapter,
  BedsError,
  Binding,
  definePlugin,
  type NamasteCore,
  type Operation,
  type Template,
  v,
} from "@beds/sdk";

/**
 * An adapter without a database: a fetch answers with one row that is its arguments. What is left
 * of a request is the data path itself, from the delivery to its ack. Loaded by the compiled
 * program as any third-party plugin is.
 */
export default definePlugin({
  contract: 1,
  kind: "adapter",
  name: "benchEcho",
  summary: "answers with its arguments; for bench:e2e",
  options: v.strictObject({}),
  example: '[databases.echo]\nadapter = "benchEcho"',
  create: () => ({ class: "rel", open: () => echoAdapter }),
});

class EchoBinding extends Binding {
  readonly statement = "echo";
  readonly columns: readonly string[];

  constructor(template: Template, operation: Operation) {
    super(template, operation);
    this.columns = operation.parameters.map(({ column }) => column);
  }
}

const refuse = async (): Promise<never> => {
  throw new BedsError("BEDS-D009", { detail: "the echo adapter serves fetches alone" });
};

const echoCore: NamasteCore = {
  async fetchRecords(binding, values) {
    if (!(binding instanceof EchoBinding)) return refuse();
    return [Object.fromEntries(binding.columns.map((column, at) => [column, String(values[at])]))];
  },
  createRecord: refuse,
  updateRecord: refuse,
  deleteRecord: refuse,
  callObject: refuse,
};

const echoAdapter: Adapter = {
  core: echoCore,
  check: async () => undefined,
  describe: async () => ({
    product: "echo",
    version: "1",
    maxConnections: 1024,
    objects: new Map([
      [
        "bne_echo",
        {
          name: "bne_echo",
          type: "procedure",
          parameters: [{ name: "p_bne_text", declared: "text", accepts: ["string"] }],
          requires: [],
        },
      ],
    ]),
    grants: [],
    harmlessGrants: [],
  }),
  bind: async (template, operation) => new EchoBinding(template, operation),
  close: async () => undefined,
};
