import { BedsError } from "../contract/errors.ts";
import { Findings } from "../contract/findings.ts";
import type { Config } from "./schema.ts";
import type { Secret } from "./secret.ts";

/**
 * Reads the secrets that a running node needs: those of its local broker services and of its
 * databases' master and secondary. The DBA's and the client's are read when a command uses them, so
 * that a node may do without. Errors: `Findings` with a BEDS-C006 for each that cannot be read.
 * Called at boot, once in each process.
 */
export function expandSecrets(config: Config): void {
  const errors = neededSecrets(config).flatMap((secret) => {
    try {
      secret.reveal();
      return [];
    } catch (thrown) {
      return [BedsError.from(thrown)];
    }
  });
  if (errors.length > 0) throw new Findings(errors);
}

function neededSecrets(config: Config): readonly Secret[] {
  const services = Object.values(config.broker_services).filter((service) => service.is_local);
  const servers = Object.values(config.databases).flatMap(({ master, secondary }) => {
    return secondary === undefined ? [master] : [master, secondary];
  });
  return [...services, ...servers].map(({ pass }) => pass);
}
