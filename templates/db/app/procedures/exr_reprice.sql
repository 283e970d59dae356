-- ExampleRel.reprice: changes the price of every item of a kind by a percentage and answers with
-- how many there were, kind by kind.

DELIMITER //
CREATE PROCEDURE exr_reprice(IN p_exr_kind VARCHAR(16), IN p_percent DECIMAL(5, 2))
  MODIFIES SQL DATA
  COMMENT 'ExampleRel.reprice'
BEGIN
  IF p_percent < -90 OR p_percent > 100 THEN
    SIGNAL SQLSTATE '45422' SET MESSAGE_TEXT = 'percent must be from -90 to 100';
  END IF;
  UPDATE exr_item
     SET exr_price   = ROUND(exr_price * (1 + p_percent / 100), 2),
         exr_version = exr_version + 1
   WHERE exr_kind = p_exr_kind;
  SELECT exr_kind, COUNT(*) AS items, SUM(exr_price * exr_stock) AS stock_value
    FROM exr_item
   WHERE exr_kind = p_exr_kind
   GROUP BY exr_kind;
END //
DELIMITER ;
