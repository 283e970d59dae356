import { definePlugin, v } from "@beds/sdk";

/** wBroker under another name, with a queue of its own; see read-broker.ts. */
export default definePlugin({
  contract: 1,
  kind: "broker",
  name: "benchWriter",
  summary: "writes of bench:e2e; a copy of wBroker with a queue of its own",
  options: v.strictObject({}),
  example: "[broker_services.app_server.brokers]\nbenchWriter = 16",
  create: () => ({
    service: "app_server",
    accepts: ["create", "update", "delete", "call"],
    prefetchPerInstance: 1,
    lanes: [
      {
        queue: "beds.bench.write",
        routingKey: "benchWrite.in",
        class: "rel",
        queueType: "quorum",
      },
    ],
  }),
});
