-- BenchCall.fetch: one person by number.
DELIMITER //
CREATE PROCEDURE bnc_fetch(IN p_bnc_id INT UNSIGNED)
  READS SQL DATA
BEGIN
  SELECT bnc_id, bnc_name, bnc_email, bnc_created_at FROM bnc_person WHERE bnc_id = p_bnc_id;
END //
DELIMITER ;
