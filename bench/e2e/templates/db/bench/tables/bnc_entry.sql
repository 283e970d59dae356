-- The effect of BenchCall.create, for both sides of the benchmark.
CREATE TABLE bnc_entry (
  bnc_id   INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  bnc_text VARCHAR(128) NOT NULL
) ENGINE = InnoDB;
