-- ExampleRel.remove: deletes an item; one that does not exist is an error of the caller.

DELIMITER //
CREATE PROCEDURE exr_remove(IN p_exr_id BIGINT UNSIGNED)
  MODIFIES SQL DATA
  COMMENT 'ExampleRel.remove'
BEGIN
  DELETE FROM exr_item WHERE exr_id = p_exr_id;
  IF ROW_COUNT() = 0 THEN
    SIGNAL SQLSTATE '45404' SET MESSAGE_TEXT = 'there is no item with this id';
  END IF;
END //
DELIMITER ;
