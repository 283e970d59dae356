-- ExampleRel.fetch_since: the items created at or after a moment, newest first.

DELIMITER //
CREATE PROCEDURE exr_fetch_since(IN p_exr_created_at DATETIME(6), IN p_limit INT)
  READS SQL DATA
  COMMENT 'ExampleRel.fetch_since'
BEGIN
  SELECT exr_id, exr_sku, exr_name, exr_kind, exr_price, exr_stock, exr_version, exr_created_at
    FROM exr_item
   WHERE exr_created_at >= p_exr_created_at
   ORDER BY exr_created_at DESC, exr_id DESC
   LIMIT p_limit;
END //
DELIMITER ;
