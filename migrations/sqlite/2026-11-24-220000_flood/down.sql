ALTER TABLE event_streams DROP COLUMN last_timestamp;
ALTER TABLE event_streams DROP COLUMN first_timestamp;
ALTER TABLE event_streams DROP COLUMN folded_count;
DROP TABLE folded_events;
