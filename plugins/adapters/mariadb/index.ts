import * as v from "valibot";
import { definePlugin } from "../../../core/contract/index.ts";
import { MariadbAdapter } from "./adapter.ts";
import { MariadbWorkbench } from "./workbench.ts";

const seconds = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(3600));

/**
 * MariaDB and MySQL: stored procedures, functions and views of a relational database. The driver is
 * loaded with the first connection, so that commands which need no database do not pay for it.
 */
export default definePlugin({
  contract: 1,
  kind: "adapter",
  name: "mariadb",
  summary: "MariaDB and MySQL (class rel): procedures, functions and views, called by name",
  options: v.strictObject({
    lock_wait_s: v.optional(
      v.pipe(seconds, v.description("seconds that a row lock is waited for (BEDS-D003)")),
      2,
    ),
    idle_write_transaction_s: v.optional(
      v.pipe(
        seconds,
        v.description("seconds after which MariaDB ends a transaction whose node fell silent"),
      ),
      10,
    ),
  }),
  example: "lock_wait_s = 2\nidle_write_transaction_s = 10",
  create(options) {
    const limits = {
      lockWaitS: options.lock_wait_s,
      idleWriteTransactionS: options.idle_write_transaction_s,
    };
    return {
      class: "rel",
      open: (target) => new MariadbAdapter(target, limits),
      openWorkbench: (target) => new MariadbWorkbench(target, limits),
    };
  },
});
