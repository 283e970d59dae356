-- BenchCall.fetch reads this: bench/e2e/database.ts puts ten thousand rows into it.
CREATE TABLE bnc_person (
  bnc_id         INT UNSIGNED NOT NULL PRIMARY KEY,
  bnc_name       VARCHAR(64) NOT NULL,
  bnc_email      VARCHAR(128) NOT NULL,
  bnc_created_at DATETIME(6) NOT NULL
) ENGINE = InnoDB;
