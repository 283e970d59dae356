import console from "../../../plugins/loggers/console.ts";

/**
 * What `console.test.ts` starts as a process of its own, to see real output. In: the options as
 * JSON, and how many records to write. It says on standard output how long the records took and how
 * long `close` did.
 */
const [options = "{}", count = "1"] = process.argv.slice(2);
const sink = await console.create(JSON.parse(options));
const began = performance.now();
for (let index = 0; index < Number(count); index++) {
  const fields = { queue: "q", ms: index, detail: "said" };
  sink.write({ time: 1_700_000_000_123, level: "warning", message: `record ${index}`, fields });
  if (index % 100 === 99) await Bun.sleep(1);
}
const writeMs = performance.now() - began;
await sink.close();
const closeMs = performance.now() - began - writeMs;
await Bun.write(Bun.stdout, JSON.stringify({ writeMs, closeMs }));
process.exit(0);
