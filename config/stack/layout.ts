/**
 * Where the private servers of one checkout keep everything, and which ports they use.
 *
 * All state is under `<checkout>/.stack/` (ignored by git), so that removing that folder
 * removes every trace. The port base comes from `BEDS_STACK_PORT_BASE`, else from the base
 * the last start used (remembered in `.stack/port_base`), else it is 21670; remembering it
 * lets `stop` and `status` find the servers without the variable.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { StackError } from "./failure.ts";

export interface Ports {
  readonly amqp: number;
  readonly distribution: number;
  readonly epmd: number;
  readonly mariadb: number;
  readonly mariadbSecondary: number;
  readonly mongodb: number;
}

export interface Layout {
  readonly checkout: string;
  /** The state folder, `<checkout>/.stack`. */
  readonly home: string;
  readonly portBase: number;
  readonly ports: Ports;
}

/** Every address is this one: nothing outside the machine reaches the servers. */
export const HOST = "127.0.0.1";

/**
 * Below the range from which Linux takes ports for outgoing connections (32768 to 60999): a client
 * that polls the port of a server that is down could otherwise be given that very port.
 */
const DEFAULT_PORT_BASE = 21_670;
const PORT_COUNT = 6;

/** The layout of the checkout this file belongs to; throws on a port base that cannot be used. */
export function checkoutLayout(env: NodeJS.ProcessEnv = process.env): Layout {
  const checkout = resolve(import.meta.dir, "../..");
  const home = join(checkout, ".stack");
  const wanted = env["BEDS_STACK_PORT_BASE"];
  const portBase = wanted ? parsePortBase(wanted) : (rememberedPortBase(home) ?? DEFAULT_PORT_BASE);
  const ports = {
    amqp: portBase,
    distribution: portBase + 1,
    epmd: portBase + 2,
    mariadb: portBase + 3,
    mariadbSecondary: portBase + 4,
    mongodb: portBase + 5,
  };
  return { checkout, home, portBase, ports };
}

/** Makes the folders (readable by this user alone) and remembers the port base. */
export function makeFolders(layout: Layout): void {
  mkdirSync(layout.home, { recursive: true, mode: 0o700 });
  for (const folder of ["data", "logs", "run", "secrets", "etc", "packages"]) {
    mkdirSync(join(layout.home, folder), { recursive: true, mode: 0o700 });
  }
  writeFileSync(join(layout.home, "port_base"), `${layout.portBase}\n`);
}

/** The base the last start in this checkout used, or null before the first one. */
export function rememberedPortBase(home: string): number | null {
  try {
    const base = Number(readFileSync(join(home, "port_base"), "utf8").trim());
    return isPortBase(base) ? base : null;
  } catch {
    return null;
  }
}

function parsePortBase(text: string): number {
  const base = Number(text);
  if (!isPortBase(base)) {
    throw new StackError(
      `BEDS_STACK_PORT_BASE=${text} is not a port base: give a number from 1024 to ` +
        `${65_536 - PORT_COUNT}; the stack uses ${PORT_COUNT} ports from there`,
    );
  }
  return base;
}

function isPortBase(base: number): boolean {
  return Number.isInteger(base) && base >= 1024 && base <= 65_536 - PORT_COUNT;
}
