import { definePlugin, v } from "@beds/sdk";

/**
 * rBroker under another name, with a queue of its own: a node that runs on the same RabbitMQ takes
 * none of the benchmark's messages, and the benchmark none of the node's.
 */
export default definePlugin({
  contract: 1,
  kind: "broker",
  name: "benchReader",
  summary: "reads of bench:e2e; a copy of rBroker with a queue of its own",
  options: v.strictObject({}),
  example: "[broker_services.app_server.brokers]\nbenchReader = 128",
  create: () => ({
    service: "app_server",
    accepts: ["fetch"],
    prefetchPerInstance: 2,
    lanes: [
      {
        queue: "beds.bench.read",
        routingKey: "benchRead.in",
        class: "rel",
        queueType: "classic",
      },
    ],
  }),
});
