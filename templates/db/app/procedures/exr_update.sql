-- ExampleRel.update: changes what is sent (NULL leaves a column as it is) and answers with the new
-- version. The caller names the version that it read: when someone else was faster, nothing is
-- changed and the caller is told (BEDS-D409).

DELIMITER //
CREATE PROCEDURE exr_update(
  IN p_exr_id      BIGINT UNSIGNED,
  IN p_exr_version INT UNSIGNED,
  IN p_exr_name    VARCHAR(120),
  IN p_exr_price   DECIMAL(12, 2),
  IN p_exr_stock   INT,
  IN p_exr_listed  BOOLEAN
)
  MODIFIES SQL DATA
  COMMENT 'ExampleRel.update'
BEGIN
  DECLARE v_version INT UNSIGNED DEFAULT NULL;

  SELECT exr_version INTO v_version
    FROM exr_item
   WHERE exr_id = p_exr_id
     FOR UPDATE;
  IF v_version IS NULL THEN
    SIGNAL SQLSTATE '45404' SET MESSAGE_TEXT = 'there is no item with this id';
  END IF;
  IF v_version <> p_exr_version THEN
    SIGNAL SQLSTATE '45409' SET MESSAGE_TEXT = 'the item was changed since it was read';
  END IF;

  UPDATE exr_item
     SET exr_name    = COALESCE(p_exr_name, exr_name),
         exr_price   = COALESCE(p_exr_price, exr_price),
         exr_stock   = COALESCE(p_exr_stock, exr_stock),
         exr_listed  = COALESCE(p_exr_listed, exr_listed),
         exr_version = exr_version + 1
   WHERE exr_id = p_exr_id;
  SELECT exr_id, exr_version
    FROM exr_item
   WHERE exr_id = p_exr_id;
END //
DELIMITER ;
