import { createHash } from "node:crypto";
import type { ObjectSource } from "../../../core/contract/index.ts";
import { type KeyObject, keyObjects } from "./key-objects.ts";

/**
 * The procedure that ends a connection of the runtime account, installed by `beds db apply` beside
 * the DBA's own.
 *
 * While an object runs as its definer, the server takes the connection for the definer's, and
 * refuses the runtime account's KILL (error 1095). A procedure of the same definer may. It ends
 * only a connection that holds the named lock, and each connection takes one with a random name
 * when it is opened, so that nobody else's can be meant.
 */
export const killProcedure = "beds_kill";

/** The name of the lock that a connection holds as long as it lives. */
export function connectionLock(token: string): string {
  return `${lockPrefix}${token}`;
}

/**
 * A table or procedure that BEDS brings along. The workbench installs it like the DBA's own, and
 * grants EXECUTE on a procedure; nobody is granted a table.
 */
export interface SystemObject extends ObjectSource, KeyObject {}

/** MySQL has no XA statements in procedures, hence no keys. */
export function systemObjects(isMariadb: boolean): readonly SystemObject[] {
  const objects = isMariadb ? [killObject, ...keyObjects()] : [killObject];
  return objects.map((object) => ({
    ...object,
    path: `beds/${object.kind}s/${object.name}.sql`,
    checksum: createHash("sha256").update(object.text).digest("hex"),
  }));
}

/** What the runtime account may call, in order. */
export function systemProcedures(isMariadb: boolean): readonly SystemObject[] {
  return systemObjects(isMariadb).filter(({ kind }) => kind === "procedure");
}

/** What the runtime account has for them, in the words of `grants.ts`; it reaches no data. */
export function systemPrivileges(database: string, isMariadb: boolean): readonly string[] {
  return systemProcedures(isMariadb).map(({ name }) => `EXECUTE ON PROCEDURE ${database}.${name}`);
}

const lockPrefix = "beds-connection-";

const killText = `-- BEDS: ends the connection that holds a lock whose name its own node alone knows.
DELIMITER //
CREATE PROCEDURE ${killProcedure}(IN p_token VARCHAR(32))
  COMMENT 'BEDS: ends a connection of its own that does not stop'
BEGIN
  DECLARE v_connection BIGINT DEFAULT IS_USED_LOCK(CONCAT('${lockPrefix}', p_token));
  IF v_connection IS NOT NULL THEN
    KILL v_connection;
  END IF;
END //
DELIMITER ;
`;

const killObject: KeyObject = {
  kind: "procedure",
  name: killProcedure,
  parameters: 1,
  text: killText,
};
