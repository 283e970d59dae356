-- ExampleRel.create: adds an item and answers with its key and version.
--
-- A second item with the same sku is refused by the table's unique key (BEDS-D006).

DELIMITER //
CREATE PROCEDURE exr_create(
  IN p_exr_sku       VARCHAR(32),
  IN p_exr_name      VARCHAR(120),
  IN p_exr_kind      VARCHAR(16),
  IN p_exr_price     DECIMAL(12, 2),
  IN p_exr_cost      DECIMAL(12, 2),
  IN p_exr_stock     INT,
  IN p_exr_listed    BOOLEAN,
  IN p_exr_since     DATE,
  IN p_exr_dispatch  TIME,
  IN p_exr_ref       CHAR(36),
  IN p_exr_details   JSON,
  IN p_exr_thumbnail VARBINARY(4096)
)
  MODIFIES SQL DATA
  COMMENT 'ExampleRel.create'
BEGIN
  INSERT INTO exr_item (exr_sku, exr_name, exr_kind, exr_price, exr_cost, exr_stock, exr_listed,
                        exr_since, exr_dispatch, exr_ref, exr_details, exr_thumbnail,
                        exr_created_at)
  VALUES (p_exr_sku, p_exr_name, p_exr_kind, p_exr_price, p_exr_cost, COALESCE(p_exr_stock, 0),
          COALESCE(p_exr_listed, TRUE), p_exr_since, p_exr_dispatch, p_exr_ref, p_exr_details,
          p_exr_thumbnail, UTC_TIMESTAMP(6));
  SELECT exr_id, exr_version
    FROM exr_item
   WHERE exr_id = LAST_INSERT_ID();
END //
DELIMITER ;
