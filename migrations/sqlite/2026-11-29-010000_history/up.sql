-- What the timeline shows beside events. own: ManageIQ does not have these tables

-- What refreshes, and handlers of events, changed in the inventory.
CREATE TABLE state_changes (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  ems_id BIGINT NOT NULL,
  resource_type TEXT NOT NULL,
  resource_id BIGINT NOT NULL,
  attribute TEXT NOT NULL,
  before TEXT,
  after TEXT,
  changed_on TIMESTAMP NOT NULL,
  work_id BIGINT,
  event_id BIGINT
);
CREATE INDEX index_state_changes_on_resource_and_changed_on ON state_changes (resource_type, resource_id, changed_on);
CREATE INDEX index_state_changes_on_ems_id_and_changed_on ON state_changes (ems_id, changed_on);
CREATE INDEX index_state_changes_on_ems_id_and_work_id ON state_changes (ems_id, work_id) WHERE work_id IS NOT NULL;
CREATE INDEX index_state_changes_on_event_id ON state_changes (event_id) WHERE event_id IS NOT NULL;

-- When no event catcher ran; ended_on is NULL while it lasts.
CREATE TABLE event_catcher_outages (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  ems_id BIGINT NOT NULL,
  started_on TIMESTAMP NOT NULL,
  ended_on TIMESTAMP,
  reason TEXT NOT NULL
);
CREATE UNIQUE INDEX index_event_catcher_outages_on_ems_id_open ON event_catcher_outages (ems_id) WHERE ended_on IS NULL;
CREATE INDEX index_event_catcher_outages_on_ems_id_and_ended_on ON event_catcher_outages (ems_id, ended_on);
CREATE INDEX index_event_catcher_outages_on_ended_on ON event_catcher_outages (ended_on);

-- Processes that catch, when they last said so, and for which EMSs (a JSON list of ids).
CREATE TABLE process_heartbeats (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  process TEXT NOT NULL,
  ems_ids TEXT NOT NULL,
  started_on TIMESTAMP NOT NULL,
  beat_on TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX index_process_heartbeats_on_process ON process_heartbeats (process);

CREATE INDEX index_event_gaps_on_end ON event_gaps (COALESCE(ended_on, created_on));
