ALTER TABLE dead_letters DROP COLUMN transport_id;
