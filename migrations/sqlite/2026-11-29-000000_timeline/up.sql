-- What keeps the timeline quick at ten million events: counts that the database itself keeps true, whoever writes, and
-- indexes by time.

-- own: ManageIQ does not have these tables

-- How many rows of event_streams are of type EmsEvent, by the hour and the day of their timestamp. Those without a
-- timestamp, an event_type or an ems_id are in no timeline and are not counted.
CREATE TABLE event_counts_by_hour (
  hour TIMESTAMP NOT NULL,
  event_type TEXT NOT NULL,
  ems_id BIGINT NOT NULL,
  count BIGINT NOT NULL,
  PRIMARY KEY (hour, event_type, ems_id)
) WITHOUT ROWID;
CREATE INDEX index_event_counts_by_hour_on_ems_id_and_hour ON event_counts_by_hour (ems_id, hour);

CREATE TABLE event_counts_by_day (
  day TIMESTAMP NOT NULL,
  event_type TEXT NOT NULL,
  ems_id BIGINT NOT NULL,
  count BIGINT NOT NULL,
  PRIMARY KEY (day, event_type, ems_id)
) WITHOUT ROWID;

-- Both begin with the text of the time itself, which is quicker than any function of time.
CREATE TRIGGER count_added_events AFTER INSERT ON event_streams
WHEN new.type = 'EmsEvent' AND new.timestamp IS NOT NULL AND new.event_type IS NOT NULL AND new.ems_id IS NOT NULL
BEGIN
  INSERT INTO event_counts_by_hour (hour, event_type, ems_id, count)
    VALUES (substr(new.timestamp, 1, 13) || ':00:00', new.event_type, new.ems_id, 1)
    ON CONFLICT (hour, event_type, ems_id) DO UPDATE SET count = count + 1;
  INSERT INTO event_counts_by_day (day, event_type, ems_id, count)
    VALUES (substr(new.timestamp, 1, 10) || ' 00:00:00', new.event_type, new.ems_id, 1)
    ON CONFLICT (day, event_type, ems_id) DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER count_removed_events AFTER DELETE ON event_streams
WHEN old.type = 'EmsEvent' AND old.timestamp IS NOT NULL AND old.event_type IS NOT NULL AND old.ems_id IS NOT NULL
BEGIN
  UPDATE event_counts_by_hour SET count = count - 1
    WHERE hour = substr(old.timestamp, 1, 13) || ':00:00' AND event_type = old.event_type AND ems_id = old.ems_id;
  DELETE FROM event_counts_by_hour
    WHERE hour = substr(old.timestamp, 1, 13) || ':00:00' AND event_type = old.event_type AND ems_id = old.ems_id AND count = 0;
  UPDATE event_counts_by_day SET count = count - 1
    WHERE day = substr(old.timestamp, 1, 10) || ' 00:00:00' AND event_type = old.event_type AND ems_id = old.ems_id;
  DELETE FROM event_counts_by_day
    WHERE day = substr(old.timestamp, 1, 10) || ' 00:00:00' AND event_type = old.event_type AND ems_id = old.ems_id AND count = 0;
END;
CREATE TRIGGER count_changed_event AFTER UPDATE OF timestamp, event_type, ems_id, type ON event_streams
WHEN old.timestamp IS NOT new.timestamp OR old.event_type IS NOT new.event_type OR old.ems_id IS NOT new.ems_id OR old.type IS NOT new.type
BEGIN
  UPDATE event_counts_by_hour SET count = count - 1
    WHERE hour = substr(old.timestamp, 1, 13) || ':00:00' AND event_type = old.event_type AND ems_id = old.ems_id
    AND old.type = 'EmsEvent';
  DELETE FROM event_counts_by_hour
    WHERE hour = substr(old.timestamp, 1, 13) || ':00:00' AND event_type = old.event_type AND ems_id = old.ems_id AND count = 0;
  UPDATE event_counts_by_day SET count = count - 1
    WHERE day = substr(old.timestamp, 1, 10) || ' 00:00:00' AND event_type = old.event_type AND ems_id = old.ems_id
    AND old.type = 'EmsEvent';
  DELETE FROM event_counts_by_day
    WHERE day = substr(old.timestamp, 1, 10) || ' 00:00:00' AND event_type = old.event_type AND ems_id = old.ems_id AND count = 0;
  INSERT INTO event_counts_by_hour (hour, event_type, ems_id, count)
    SELECT substr(new.timestamp, 1, 13) || ':00:00', new.event_type, new.ems_id, 1 WHERE new.type = 'EmsEvent' AND new.timestamp IS NOT NULL AND new.event_type IS NOT NULL AND new.ems_id IS NOT NULL
    ON CONFLICT (hour, event_type, ems_id) DO UPDATE SET count = count + 1;
  INSERT INTO event_counts_by_day (day, event_type, ems_id, count)
    SELECT substr(new.timestamp, 1, 10) || ' 00:00:00', new.event_type, new.ems_id, 1 WHERE new.type = 'EmsEvent' AND new.timestamp IS NOT NULL AND new.event_type IS NOT NULL AND new.ems_id IS NOT NULL
    ON CONFLICT (day, event_type, ems_id) DO UPDATE SET count = count + 1;
END;

-- What is there.
INSERT INTO event_counts_by_hour (hour, event_type, ems_id, count)
  SELECT substr(timestamp, 1, 13) || ':00:00', event_type, ems_id, count(*) FROM event_streams
  WHERE type = 'EmsEvent' AND timestamp IS NOT NULL AND event_type IS NOT NULL AND ems_id IS NOT NULL GROUP BY 1, 2, 3;
INSERT INTO event_counts_by_day (day, event_type, ems_id, count)
  SELECT substr(hour, 1, 10) || ' 00:00:00', event_type, ems_id, sum(count) FROM event_counts_by_hour GROUP BY 1, 2, 3;

-- Replaced by ones that also tell of what time an event is, or of which EMS and type.
DROP INDEX index_event_streams_on_timestamp;
DROP INDEX index_event_streams_on_event_type;
DROP INDEX index_event_streams_on_dest_vm_or_template_id;
DROP INDEX index_event_streams_on_dest_host_id;
CREATE INDEX index_event_streams_on_timestamp_and_kind ON event_streams (timestamp, ems_id, event_type, type);
CREATE INDEX index_event_streams_on_event_type_and_timestamp ON event_streams (event_type, timestamp);
CREATE INDEX index_event_streams_on_dest_vm_and_timestamp ON event_streams (dest_vm_or_template_id, timestamp)
  WHERE dest_vm_or_template_id IS NOT NULL;
CREATE INDEX index_event_streams_on_dest_host_and_timestamp ON event_streams (dest_host_id, timestamp)
  WHERE dest_host_id IS NOT NULL;
CREATE INDEX index_event_streams_on_ems_cluster_and_timestamp ON event_streams (ems_cluster_id, timestamp)
  WHERE ems_cluster_id IS NOT NULL;
CREATE INDEX index_event_streams_on_dest_ems_cluster_and_timestamp ON event_streams (dest_ems_cluster_id, timestamp)
  WHERE dest_ems_cluster_id IS NOT NULL;
