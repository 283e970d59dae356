import * as v from "valibot";
import { definePlugin } from "../../../core/contract/index.ts";
import { MongodbAdapter } from "./adapter.ts";
import { MongodbWorkbench } from "./workbench.ts";

/**
 * MongoDB: the documents of `beds_objects` are its named objects (wiki/Templates.md). The driver is
 * loaded with the first connection, so that commands which need no database do not pay for it.
 */
export default definePlugin({
  contract: 1,
  kind: "adapter",
  name: "mongodb",
  summary: "MongoDB (class rec): the DBA's named commands in beds_objects, called by name",
  options: v.strictObject({
    selection_ms: v.optional(
      v.pipe(
        v.number(),
        v.integer(),
        v.minValue(100),
        v.maxValue(30_000),
        v.description("milliseconds that a request waits at most for a primary (BEDS-D001)"),
      ),
      1000,
    ),
  }),
  example: "selection_ms = 1000",
  create(options) {
    const limits = { selectionMs: options.selection_ms };
    return {
      class: "rec",
      open: (target) => new MongodbAdapter(target, limits),
      openWorkbench: (target) => new MongodbWorkbench(target, limits),
    };
  },
});
