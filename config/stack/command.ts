/** The command line `stack.ts start|stop|status|destroy`. Progress goes to standard error. */
import { messageOf, StackError } from "./failure.ts";
import { say } from "./say.ts";
import { destroyStack, type ServerStatus, stackStatus, startStack, stopStack } from "./stack.ts";

const USAGE = `usage: npm run stack -- start|stop|status|destroy [--json]

  start     install what is missing, start the servers, write config/env_dev.toml
  stop      stop them; the data stay
  status    what runs where; exit code 0 only when all of it is ready (--json for programs)
  destroy   stop, and remove data, logs, passwords and the written config/env_dev.toml

BEDS_STACK_PORT_BASE=21670   the first of six ports
BEDS_STACK=external          start nothing: the servers are somewhere else
`;

/** Runs one command and returns its exit code: 0, 1 when it failed, 64 when misused. */
export async function runCommand(args: readonly string[]): Promise<number> {
  const json = args.includes("--json");
  const [command, ...rest] = args.filter((arg) => arg !== "--json");
  const report = say;
  if (rest.length > 0) return misuse();
  try {
    switch (command) {
      case "start":
        await startStack({ report });
        return 0;
      case "stop":
        await stopStack({ report });
        return 0;
      case "destroy":
        await destroyStack({ report });
        return 0;
      case "status":
        return printStatus(await stackStatus(), json);
      default:
        return misuse();
    }
  } catch (cause) {
    if (cause instanceof StackError) say(`stack: ${messageOf(cause)}`);
    else console.error(cause);
    return 1;
  }
}

function misuse(): number {
  say(USAGE);
  return 64;
}

function printStatus(servers: readonly ServerStatus[], json: boolean): number {
  if (json) {
    console.log(JSON.stringify({ servers }, null, 2));
  } else {
    for (const { name, host, port, pid, ready } of servers) {
      const state = pid === null ? "stopped" : `${ready ? "ready" : "not ready"} (pid ${pid})`;
      console.log(`${name.padEnd(18)} ${host}:${port}  ${state}`);
    }
  }
  return servers.every((server) => server.ready) ? 0 : 1;
}
