-- BenchCall.create: adds an entry and answers with its number.
DELIMITER //
CREATE PROCEDURE bnc_create(IN p_bnc_text VARCHAR(128))
  MODIFIES SQL DATA
BEGIN
  INSERT INTO bnc_entry (bnc_text) VALUES (p_bnc_text);
  SELECT LAST_INSERT_ID() AS bnc_id;
END //
DELIMITER ;
