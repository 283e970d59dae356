-- ExampleRel.fetch_by_id: one item by its key.
--
-- No row is fine here: the operation's result is "one", so that BEDS answers BEDS-D404.

DELIMITER //
CREATE PROCEDURE exr_fetch_by_id(IN p_exr_id BIGINT UNSIGNED)
  READS SQL DATA
  COMMENT 'ExampleRel.fetch_by_id'
BEGIN
  SELECT exr_id, exr_sku, exr_name, exr_kind, exr_price, exr_cost, exr_stock, exr_listed,
         exr_since, exr_dispatch, exr_ref, exr_details, exr_thumbnail, exr_version,
         exr_created_at
    FROM exr_item
   WHERE exr_id = p_exr_id;
END //
DELIMITER ;
