-- What the timeline shows beside events. own: ManageIQ does not have these tables

-- What refreshes, and handlers of events, changed in the inventory.
CREATE TABLE state_changes (
  id bigserial PRIMARY KEY,
  ems_id bigint NOT NULL,
  resource_type varchar NOT NULL,
  resource_id bigint NOT NULL,
  attribute varchar NOT NULL,
  before text,
  after text,
  changed_on timestamp NOT NULL,
  work_id bigint,
  event_id bigint
);
CREATE INDEX index_state_changes_on_resource_and_changed_on ON state_changes (resource_type, resource_id, changed_on);
CREATE INDEX index_state_changes_on_ems_id_and_changed_on ON state_changes (ems_id, changed_on);
CREATE INDEX index_state_changes_on_ems_id_and_work_id ON state_changes (ems_id, work_id) WHERE work_id IS NOT NULL;
CREATE INDEX index_state_changes_on_event_id ON state_changes (event_id) WHERE event_id IS NOT NULL;

-- When no event catcher ran; ended_on is NULL while it lasts.
CREATE TABLE event_catcher_outages (
  id bigserial PRIMARY KEY,
  ems_id bigint NOT NULL,
  started_on timestamp NOT NULL,
  ended_on timestamp,
  reason text NOT NULL
);
CREATE UNIQUE INDEX index_event_catcher_outages_on_ems_id_open ON event_catcher_outages (ems_id) WHERE ended_on IS NULL;
CREATE INDEX index_event_catcher_outages_on_ems_id_and_ended_on ON event_catcher_outages (ems_id, ended_on);
CREATE INDEX index_event_catcher_outages_on_ended_on ON event_catcher_outages (ended_on);

-- Processes that catch, when they last said so, and for which EMSs (a JSON list of ids).
CREATE TABLE process_heartbeats (
  id bigserial PRIMARY KEY,
  process varchar NOT NULL,
  ems_ids text NOT NULL,
  started_on timestamp NOT NULL,
  beat_on timestamp NOT NULL
);
CREATE UNIQUE INDEX index_process_heartbeats_on_process ON process_heartbeats (process);

CREATE INDEX index_event_gaps_on_end ON event_gaps (COALESCE(ended_on, created_on));
