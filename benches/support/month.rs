//! A month of events: 50 EMSs, 40 event types of which most events have but a few, 20,000 VMs, a fifth of all on the last day.
//! Everything follows from an event's number, so that each run and each database has the same.

use crate::places::Database;
use catchall::vmdb::{Connection, VmdbError};
use chrono::{DateTime, TimeDelta, Utc};

/// Of the last event.
pub fn end() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_996_800, 0).unwrap()
}

/// Events of an INSERT.
const CHUNK: i64 = 20_000;

/// Names a type that this share of all events has: one in 500,000, one in 50,000, or `type.0` to `type.37`, the first of which is a third of all.
const TYPE: &str = "CASE WHEN i % 500000 = 7 THEN 'rare.1' WHEN i % 50000 = 11 THEN 'rare.2' ELSE 'type.' || (h * h * h * 38 / 1000000000) END";

/// Fills `event_streams` with `events` of them, the oldest first.
pub fn fill(c: &mut Connection, database: Database, events: i64) -> Result<(), VmdbError> {
    let time = match database {
        Database::Sqlite => "strftime('%Y-%m-%d %H:%M:%f', (? + (i - ?) * ?) / 1000000.0, 'unixepoch')",
        Database::Postgres => "timestamp 'epoch' + (? + (i - ?) * ?) * interval '1 microsecond'",
    };
    let sql = format!(
        "INSERT INTO event_streams (event_uid, type, source, timestamp, created_on, event_type, ems_id, message, \
         vm_or_template_id, vm_name, vm_ems_ref, host_id, host_name, full_data) \
         WITH RECURSIVE n(i) AS (SELECT CAST(? AS bigint) UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?), \
         chosen AS (SELECT i, (i * 7919 + i / 13) % 1000 AS h, (i * 104729 + i / 7) % 1000 AS g FROM n) \
         SELECT 'event-' || i, 'EmsEvent', 'MONTH', {time}, ?, {TYPE}, 1 + g * g * 50 / 1000000, \
         'Power state of the machine changed by task ' || i, \
         CASE WHEN i % 10 = 3 THEN 1 WHEN i % 100000 = 5 THEN 2 ELSE 3 + (i * 31) % 20000 END, 'machine-' || ((i * 31) % 20000), \
         'vm-' || ((i * 31) % 20000), 1 + i % 500, 'host-' || (i % 500), ? FROM chosen"
    );
    let full_data = format!("{{\"detail\": \"{}\"}}", "x".repeat(200));
    let mut from = 1;
    while from <= events {
        let until = (from + CHUNK).min(events + 1);
        let (starts, step) = times(from, events);
        c.execute(
            &sql,
            &[
                from.into(),
                until.into(),
                starts.timestamp_micros().into(),
                from.into(),
                step.into(),
                end().into(),
                (&full_data).into(),
            ],
        )?;
        from = until;
    }
    if database == Database::Postgres {
        // As autovacuum does it by and by.
        c.batch("SET statement_timeout TO 0")?;
        c.batch("VACUUM ANALYZE event_streams")?;
        c.batch("VACUUM ANALYZE event_counts_by_hour")?;
        c.batch("VACUUM ANALYZE event_counts_by_day")?;
    }
    Ok(())
}

/// When the event of this number happened, and how many microseconds lie between two.
fn times(number: i64, events: i64) -> (DateTime<Utc>, i64) {
    let quiet = events * 4 / 5;
    let (day, month) = (TimeDelta::days(1), TimeDelta::days(29));
    if number <= quiet {
        let step = month.num_microseconds().unwrap() / quiet;
        (end() - day - month + TimeDelta::microseconds(step * number), step)
    } else {
        let step = day.num_microseconds().unwrap() / (events - quiet);
        (end() - day + TimeDelta::microseconds(step * (number - quiet)), step)
    }
}
