-- The idempotency keys of the baseline of keyed_write; BEDS has a table of its own.
CREATE TABLE bnc_key (
  scope      VARCHAR(190) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  idem_key   VARCHAR(200) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  req_hash   CHAR(64) CHARACTER SET ascii NOT NULL,
  response   MEDIUMTEXT NULL,
  created_at DATETIME(6) NOT NULL,
  expires_at DATETIME(6) NOT NULL,
  PRIMARY KEY (scope, idem_key)
) ENGINE = InnoDB;
