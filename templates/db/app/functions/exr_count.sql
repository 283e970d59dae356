-- ExampleRel.count: how many items there are of a kind, or in all when the kind is NULL.

DELIMITER //
CREATE FUNCTION exr_count(p_exr_kind VARCHAR(16))
  RETURNS BIGINT
  READS SQL DATA
  COMMENT 'ExampleRel.count'
BEGIN
  RETURN (SELECT COUNT(*)
            FROM exr_item
           WHERE p_exr_kind IS NULL OR exr_kind = p_exr_kind);
END //
DELIMITER ;
