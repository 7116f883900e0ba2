-- What keeps the timeline quick at ten million events: counts that the database itself keeps true, whoever writes, and
-- indexes by time.

-- Filling takes its time where there is much.
SET LOCAL statement_timeout TO 0;

-- own: ManageIQ does not have these tables

-- How many rows of event_streams are of type EmsEvent, by the hour and the day of their timestamp. Those without a
-- timestamp, an event_type or an ems_id are in no timeline and are not counted.
CREATE TABLE event_counts_by_hour (
  hour timestamp NOT NULL,
  event_type varchar NOT NULL,
  ems_id bigint NOT NULL,
  count bigint NOT NULL,
  PRIMARY KEY (hour, event_type, ems_id)
) WITH (fillfactor = 70);
CREATE INDEX index_event_counts_by_hour_on_ems_id_and_hour ON event_counts_by_hour (ems_id, hour);

CREATE TABLE event_counts_by_day (
  day timestamp NOT NULL,
  event_type varchar NOT NULL,
  ems_id bigint NOT NULL,
  count bigint NOT NULL,
  PRIMARY KEY (day, event_type, ems_id)
) WITH (fillfactor = 70);

-- Counts are changed in the order of their key, so that no two transactions wait for each other for ever.
CREATE FUNCTION count_added_events() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO event_counts_by_hour AS known (hour, event_type, ems_id, count)
    SELECT date_trunc('hour', timestamp), event_type, ems_id, count(*) FROM added
    WHERE type = 'EmsEvent' AND timestamp IS NOT NULL AND event_type IS NOT NULL AND ems_id IS NOT NULL
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (hour, event_type, ems_id) DO UPDATE SET count = known.count + excluded.count;
  INSERT INTO event_counts_by_day AS known (day, event_type, ems_id, count)
    SELECT date_trunc('day', timestamp), event_type, ems_id, count(*) FROM added
    WHERE type = 'EmsEvent' AND timestamp IS NOT NULL AND event_type IS NOT NULL AND ems_id IS NOT NULL
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (day, event_type, ems_id) DO UPDATE SET count = known.count + excluded.count;
  RETURN NULL;
END $$;
CREATE FUNCTION count_removed_events() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO event_counts_by_hour AS known (hour, event_type, ems_id, count)
    SELECT date_trunc('hour', timestamp), event_type, ems_id, -count(*) FROM removed
    WHERE type = 'EmsEvent' AND timestamp IS NOT NULL AND event_type IS NOT NULL AND ems_id IS NOT NULL
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (hour, event_type, ems_id) DO UPDATE SET count = known.count + excluded.count;
  INSERT INTO event_counts_by_day AS known (day, event_type, ems_id, count)
    SELECT date_trunc('day', timestamp), event_type, ems_id, -count(*) FROM removed
    WHERE type = 'EmsEvent' AND timestamp IS NOT NULL AND event_type IS NOT NULL AND ems_id IS NOT NULL
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (day, event_type, ems_id) DO UPDATE SET count = known.count + excluded.count;
  DELETE FROM event_counts_by_hour WHERE count = 0 AND hour IN (SELECT date_trunc('hour', timestamp) FROM removed);
  DELETE FROM event_counts_by_day WHERE count = 0 AND day IN (SELECT date_trunc('day', timestamp) FROM removed);
  RETURN NULL;
END $$;
CREATE FUNCTION count_changed_event() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO event_counts_by_hour AS known (hour, event_type, ems_id, count)
    SELECT date_trunc('hour', timestamp), event_type, ems_id, sum(difference) FROM (VALUES (OLD.timestamp, OLD.event_type, OLD.ems_id, OLD.type, -1), (NEW.timestamp, NEW.event_type, NEW.ems_id, NEW.type, 1))
    AS changed (timestamp, event_type, ems_id, type, difference)
    WHERE type = 'EmsEvent' AND timestamp IS NOT NULL AND event_type IS NOT NULL AND ems_id IS NOT NULL
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (hour, event_type, ems_id) DO UPDATE SET count = known.count + excluded.count;
  INSERT INTO event_counts_by_day AS known (day, event_type, ems_id, count)
    SELECT date_trunc('day', timestamp), event_type, ems_id, sum(difference) FROM (VALUES (OLD.timestamp, OLD.event_type, OLD.ems_id, OLD.type, -1), (NEW.timestamp, NEW.event_type, NEW.ems_id, NEW.type, 1))
    AS changed (timestamp, event_type, ems_id, type, difference)
    WHERE type = 'EmsEvent' AND timestamp IS NOT NULL AND event_type IS NOT NULL AND ems_id IS NOT NULL
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (day, event_type, ems_id) DO UPDATE SET count = known.count + excluded.count;
  DELETE FROM event_counts_by_hour WHERE count = 0 AND hour = date_trunc('hour', OLD.timestamp);
  DELETE FROM event_counts_by_day WHERE count = 0 AND day = date_trunc('day', OLD.timestamp);
  RETURN NULL;
END $$;
CREATE FUNCTION count_no_events() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  DELETE FROM event_counts_by_hour;
  DELETE FROM event_counts_by_day;
  RETURN NULL;
END $$;

CREATE TRIGGER count_added_events AFTER INSERT ON event_streams
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION count_added_events();
CREATE TRIGGER count_removed_events AFTER DELETE ON event_streams
  REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION count_removed_events();
-- Row by row: late linking and folding change other columns, and are not to pay for this.
CREATE TRIGGER count_changed_event AFTER UPDATE OF timestamp, event_type, ems_id, type ON event_streams FOR EACH ROW
  WHEN ((OLD.timestamp, OLD.event_type, OLD.ems_id, OLD.type) IS DISTINCT FROM (NEW.timestamp, NEW.event_type, NEW.ems_id, NEW.type))
  EXECUTE FUNCTION count_changed_event();
CREATE TRIGGER count_no_events AFTER TRUNCATE ON event_streams FOR EACH STATEMENT EXECUTE FUNCTION count_no_events();

-- What is there. The triggers hold a lock that keeps other writers out until the end of this transaction.
INSERT INTO event_counts_by_hour (hour, event_type, ems_id, count)
  SELECT date_trunc('hour', timestamp), event_type, ems_id, count(*) FROM event_streams
  WHERE type = 'EmsEvent' AND timestamp IS NOT NULL AND event_type IS NOT NULL AND ems_id IS NOT NULL GROUP BY 1, 2, 3;
INSERT INTO event_counts_by_day (day, event_type, ems_id, count)
  SELECT date_trunc('day', hour), event_type, ems_id, sum(count) FROM event_counts_by_hour GROUP BY 1, 2, 3;

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
