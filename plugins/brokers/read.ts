import * as v from "valibot";
import { definePlugin } from "../../core/contract/index.ts";

/**
 * rBroker: reads of the primary application. A lost read is asked again, so its queues are classic.
 */
export default definePlugin({
  contract: 1,
  kind: "broker",
  name: "rBroker",
  summary: "reads: one queue for each class of database, up to two deliveries ahead an instance",
  options: v.strictObject({}),
  example: "[broker_services.app_server.brokers]\nrBroker = 8",
  create: () => ({
    service: "app_server",
    accepts: ["fetch"],
    prefetchPerInstance: 2,
    lanes: [
      { queue: "beds.rBroker.rec", routingKey: "rec.read", class: "rec", queueType: "classic" },
      { queue: "beds.rBroker.rel", routingKey: "rel.read", class: "rel", queueType: "classic" },
    ],
  }),
});
