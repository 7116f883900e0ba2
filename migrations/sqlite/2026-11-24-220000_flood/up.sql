-- Flood control: repeats of an event, folded into the row of one of them.

CREATE TABLE folded_events (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  ems_id BIGINT NOT NULL,
  event_uid TEXT NOT NULL,
  event_id BIGINT NOT NULL,
  timestamp TIMESTAMP NOT NULL,
  created_on TIMESTAMP NOT NULL,
  work_id BIGINT,
  full_data TEXT
);
CREATE UNIQUE INDEX index_folded_events_on_ems_id_and_event_uid ON folded_events (ems_id, event_uid);
CREATE INDEX index_folded_events_on_event_id ON folded_events (event_id);

-- own: ManageIQ does not have these columns
ALTER TABLE event_streams ADD COLUMN folded_count BIGINT;
ALTER TABLE event_streams ADD COLUMN first_timestamp TIMESTAMP;
ALTER TABLE event_streams ADD COLUMN last_timestamp TIMESTAMP;
