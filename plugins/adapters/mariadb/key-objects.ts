/** A table or procedure that BEDS brings along, as `system-objects.ts` turns it into a source. */
export interface KeyObject {
  readonly kind: "table" | "procedure";
  readonly name: string;
  /** How many parameters the procedure takes; 0 for a table. */
  readonly parameters: number;
  readonly text: string;
}

/** The fixed names of the objects that hold idempotency keys. */
export const keyObjectNames = {
  table: "beds_key",
  begin: "beds_begin",
  finish: "beds_finish",
  find: "beds_find",
  purge: "beds_purge",
} as const;

/** Bytes of a scope and of a key that the table holds. */
export const keyLimits = { scope: 512, key: 255 } as const;

/** Bytes of a stored answer: below the column's 16 MiB and the server's usual packet. */
export const answerBytes = 15 * 1024 * 1024;

/**
 * The name of the XA transaction of an attempt, quoted. An attempt is 32 random hexadecimal digits,
 * so that no name returns after a restart of the server, as CONNECTION_ID() does.
 */
export function transactionName(attempt: string): string {
  return `'${transactionPrefix}${attempt}'`;
}

/** With the attempt, the name of a keyed mutation's XA transaction. */
export const transactionPrefix = "beds-";

/**
 * The keys of mutations and the three steps around an object's CALL (wiki, Reliability). Key,
 * effect and answer are one XA transaction, because in one the server itself refuses an object's
 * COMMIT, ROLLBACK and DDL (1399). MariaDB alone lets a procedure run XA statements.
 */
export function keyObjects(): readonly KeyObject[] {
  const { table, begin, finish, find, purge } = keyObjectNames;
  return [
    { kind: "table", name: table, parameters: 0, text: tableText },
    { kind: "procedure", name: begin, parameters: 5, text: beginText },
    { kind: "procedure", name: finish, parameters: 5, text: finishText },
    { kind: "procedure", name: find, parameters: 2, text: findText },
    { kind: "procedure", name: purge, parameters: 1, text: purgeText },
  ];
}

// Bytes, because two keys that a collation calls equal are two keys.
const keyParameters =
  `IN p_scope VARBINARY(${keyLimits.scope}), ` + `IN p_key VARBINARY(${keyLimits.key})`;

const attemptParameter = "IN p_attempt CHAR(32) CHARACTER SET ascii";

// QUOTE, because whoever may EXECUTE the procedure chooses the text, and it runs as its definer.
const transaction = `QUOTE(CONCAT('${transactionPrefix}', p_attempt))`;

const tableText = `-- BEDS: what was asked for under which key, and what was answered.
CREATE TABLE beds_key (
  scope VARBINARY(${keyLimits.scope}) NOT NULL COMMENT 'principal, template and operation',
  idem_key VARBINARY(${keyLimits.key}) NOT NULL,
  req_hash CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'SHA-256 of arguments',
  attempt CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'who did it',
  response MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL COMMENT 'JSON',
  created_at DATETIME(3) NOT NULL COMMENT 'UTC',
  expires_at DATETIME(3) NOT NULL COMMENT 'UTC',
  PRIMARY KEY (scope, idem_key),
  KEY beds_key_expires (expires_at)
) ENGINE = InnoDB COMMENT 'BEDS: idempotency keys and their answers';
`;

// The savepoint stands behind the key: a refused effect is undone, its key and answer stay.
const beginText = `-- BEDS: opens the transaction of a keyed mutation, or answers what was answered before.
DELIMITER //
CREATE PROCEDURE beds_begin(${keyParameters},
    IN p_hash CHAR(64) CHARACTER SET ascii, ${attemptParameter}, IN p_expires DATETIME(3))
  MODIFIES SQL DATA COMMENT 'BEDS: claims an idempotency key'
BEGIN
  DECLARE EXIT HANDLER FOR 1062
  BEGIN
    EXECUTE IMMEDIATE CONCAT('XA END ', ${transaction});
    EXECUTE IMMEDIATE CONCAT('XA ROLLBACK ', ${transaction});
    SELECT req_hash, attempt, response FROM beds_key
      WHERE scope = p_scope AND idem_key = p_key;
  END;
  EXECUTE IMMEDIATE CONCAT('XA START ', ${transaction});
  INSERT INTO beds_key (scope, idem_key, req_hash, attempt, response, created_at, expires_at)
    VALUES (p_scope, p_key, p_hash, p_attempt, NULL, UTC_TIMESTAMP(3), p_expires);
  SAVEPOINT beds_effect;
END //
DELIMITER ;
`;

// 1397: the row of the key is gone, hence the transaction is not the one that beds_begin opened.
const finishText = `-- BEDS: stores the answer of a keyed mutation and commits it with the effect and the key.
DELIMITER //
CREATE PROCEDURE beds_finish(${keyParameters}, ${attemptParameter},
    IN p_refused BOOLEAN, IN p_response MEDIUMTEXT CHARACTER SET utf8mb4)
  MODIFIES SQL DATA COMMENT 'BEDS: commits key, effect and answer'
BEGIN
  IF p_refused THEN
    ROLLBACK TO SAVEPOINT beds_effect;
  END IF;
  UPDATE beds_key SET response = p_response
    WHERE scope = p_scope AND idem_key = p_key AND attempt = p_attempt;
  IF ROW_COUNT() <> 1 THEN
    SIGNAL SQLSTATE 'XAE04' SET MYSQL_ERRNO = 1397, MESSAGE_TEXT = 'the key was removed';
  END IF;
  EXECUTE IMMEDIATE CONCAT('XA END ', ${transaction});
  EXECUTE IMMEDIATE CONCAT('XA COMMIT ', ${transaction}, ' ONE PHASE');
END //
DELIMITER ;
`;

// The locking read tells "not there" from "not yet committed": that one is 1205 at once. NOWAIT
// would say so as well, but is not allowed in procedures (1314).
const findText = `-- BEDS: what a key was answered; error 1205 while its transaction is still open.
DELIMITER //
CREATE PROCEDURE beds_find(${keyParameters})
  READS SQL DATA COMMENT 'BEDS: reads a stored answer'
BEGIN
  SET STATEMENT innodb_lock_wait_timeout = 0 FOR
    SELECT req_hash, attempt, response FROM beds_key
      WHERE scope = p_scope AND idem_key = p_key
      LOCK IN SHARE MODE;
END //
DELIMITER ;
`;

const purgeText = `-- BEDS: forgets keys that have expired, the oldest first.
DELIMITER //
CREATE PROCEDURE beds_purge(IN p_limit INT UNSIGNED)
  MODIFIES SQL DATA COMMENT 'BEDS: removes expired keys'
BEGIN
  DELETE FROM beds_key WHERE expires_at < UTC_TIMESTAMP(3) ORDER BY expires_at LIMIT p_limit;
  SELECT ROW_COUNT() AS removed;
END //
DELIMITER ;
`;
