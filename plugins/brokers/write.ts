import * as v from "valibot";
import { definePlugin } from "../../core/contract/index.ts";

/**
 * wBroker: mutations of the primary application. A confirmed write must survive, so its queues are
 * quorum queues.
 */
export default definePlugin({
  contract: 1,
  kind: "broker",
  name: "wBroker",
  summary: "writes: one queue for each class of database, one delivery an instance",
  options: v.strictObject({}),
  example: "[broker_services.app_server.brokers]\nwBroker = 8",
  create: () => ({
    service: "app_server",
    accepts: ["create", "update", "delete", "call"],
    prefetchPerInstance: 1,
    lanes: [
      { queue: "beds.wBroker.rec", routingKey: "rec.write", class: "rec", queueType: "quorum" },
      { queue: "beds.wBroker.rel", routingKey: "rel.write", class: "rel", queueType: "quorum" },
    ],
  }),
});
