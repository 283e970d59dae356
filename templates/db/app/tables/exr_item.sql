-- ExampleRel: the table behind templates/example_rel.toml, a small product list.
--
-- A table is created once; editing this file afterwards is an error (BEDS-W003). To change the
-- table, add a file with one ALTER TABLE, such as 002_exr_item_add_colour.sql.

CREATE TABLE IF NOT EXISTS exr_item (
  exr_id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  exr_sku        VARCHAR(32) NOT NULL,
  exr_name       VARCHAR(120) NOT NULL,
  exr_kind       ENUM('book', 'tool', 'toy') NOT NULL,
  exr_price      DECIMAL(12, 2) NOT NULL,
  exr_cost       DECIMAL(12, 2) NULL COMMENT 'what we pay: sensitive',
  exr_stock      INT NOT NULL DEFAULT 0,
  exr_listed     BOOLEAN NOT NULL DEFAULT TRUE,
  exr_since      DATE NULL COMMENT 'first day of sale',
  exr_dispatch   TIME NULL COMMENT 'daily hour of dispatch',
  exr_ref        CHAR(36) CHARACTER SET ascii COLLATE ascii_general_ci NULL
                 COMMENT 'UUID in the supplier''s system',
  exr_details    JSON NULL,
  exr_thumbnail  VARBINARY(4096) NULL,
  exr_version    INT UNSIGNED NOT NULL DEFAULT 1 COMMENT 'counts the updates',
  exr_created_at DATETIME(6) NOT NULL,
  PRIMARY KEY (exr_id),
  UNIQUE KEY exr_item_sku (exr_sku),
  KEY exr_item_kind_name (exr_kind, exr_name),
  CONSTRAINT exr_item_price_not_negative CHECK (exr_price >= 0)
) ENGINE = InnoDB
  DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci
  COMMENT = 'ExampleRel: items of the product list';
