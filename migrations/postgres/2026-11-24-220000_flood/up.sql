-- Flood control: repeats of an event, folded into the row of one of them.

CREATE TABLE folded_events (
  id bigserial PRIMARY KEY,
  ems_id bigint NOT NULL,
  event_uid varchar NOT NULL,
  event_id bigint NOT NULL,
  timestamp timestamp NOT NULL,
  created_on timestamp NOT NULL,
  work_id bigint,
  full_data text
);
CREATE UNIQUE INDEX index_folded_events_on_ems_id_and_event_uid ON folded_events (ems_id, event_uid);
CREATE INDEX index_folded_events_on_event_id ON folded_events (event_id);

-- own: ManageIQ does not have these columns
ALTER TABLE event_streams ADD COLUMN folded_count bigint;
ALTER TABLE event_streams ADD COLUMN first_timestamp timestamp;
ALTER TABLE event_streams ADD COLUMN last_timestamp timestamp;
