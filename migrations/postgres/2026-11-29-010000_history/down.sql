DROP INDEX index_event_gaps_on_end;
DROP TABLE process_heartbeats;
DROP TABLE event_catcher_outages;
DROP TABLE state_changes;
