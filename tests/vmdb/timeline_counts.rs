//! The counts that the database keeps are those of the rows that are there, whoever wrote, changed or deleted them.

use crate::support::{Fresh, on_both};
use catchall::vmdb::purge::{Purgeable, purge};
use catchall::vmdb::timeline::counts::{CountQuery, by_type, counts};
use catchall::vmdb::timeline::per_hour;
use catchall::vmdb::{Connection, VmdbError};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::cell::RefCell;
use std::collections::BTreeMap;

on_both! {
    counts_are_those_of_the_rows_whatever_is_done_to_them
    widths_are_round_and_there_are_never_too_many_bars
    the_last_hours_are_told_by_the_hour
}

const TYPES: [&str; 3] = ["vm.start", "vm.stop", "login"];

fn start() -> DateTime<Utc> {
    "2026-03-01T22:10:00Z".parse().unwrap()
}

fn minute(minutes: i64) -> DateTime<Utc> {
    start() + TimeDelta::minutes(minutes)
}

/// What somebody does to the rows; numbers choose among rows, types and minutes.
#[derive(Clone, Debug)]
enum Deed {
    Insert(Vec<(i64, usize, i64, bool)>),
    Delete(i64),
    Purge(i64),
    ChangeType(i64, usize),
    ChangeTime(i64, i64),
    ChangeClass(i64),
    ChangeOther,
}

fn deed() -> impl Strategy<Value = Deed> {
    let row = (0..6_000i64, 0..3usize, 1..4i64, prop::bool::weighted(0.9));
    prop_oneof![
        4 => prop::collection::vec(row, 1..40).prop_map(Deed::Insert),
        1 => (2..5i64).prop_map(Deed::Delete),
        1 => (0..3_000i64).prop_map(Deed::Purge),
        1 => (2..5i64, 0..3usize).prop_map(|(every, kind)| Deed::ChangeType(every, kind)),
        1 => (2..5i64, 0..6_000i64).prop_map(|(every, at)| Deed::ChangeTime(every, at)),
        1 => (2..5i64).prop_map(Deed::ChangeClass),
        1 => Just(Deed::ChangeOther),
    ]
}

fn query() -> impl Strategy<Value = CountQuery> {
    let types = prop::option::of(prop::sample::subsequence(TYPES.to_vec(), 0..=3));
    (0..6_000i64, 1..6_000i64, 1..150usize, prop::option::of(1..4i64), types).prop_map(
        |(since, length, bars, ems_id, types)| CountQuery {
            resource: None,
            ems_id,
            event_types: types.map(|types| types.into_iter().map(str::to_owned).collect()),
            since: minute(since) + TimeDelta::milliseconds(length % 7),
            until: minute(since + length),
            bars,
        },
    )
}

fn perform(c: &mut Connection, deed: &Deed, uid: &mut i64) -> Result<(), VmdbError> {
    match deed {
        Deed::Insert(rows) => c.transaction(|c| {
            for (at, kind, ems_id, is_event) in rows {
                *uid += 1;
                let class = if *is_event { "EmsEvent" } else { "MiqEvent" };
                let sql = "INSERT INTO event_streams (event_uid, timestamp, event_type, ems_id, type) VALUES (?, ?, ?, ?, ?) \
                           ON CONFLICT (ems_id, event_uid) DO NOTHING";
                let uid = uid.to_string();
                let values =
                    [(&uid).into(), minute(*at).into(), TYPES[*kind].into(), (*ems_id).into(), class.into()];
                c.execute(sql, &values)?;
                c.execute(sql, &values)?;
            }
            Ok(())
        }),
        Deed::Delete(every) => {
            c.execute("DELETE FROM event_streams WHERE id % ? = 0", &[(*every).into()]).map(drop)
        }
        Deed::Purge(before) => purge(c, Purgeable::Events, minute(*before), 50).map(drop),
        Deed::ChangeType(every, kind) => {
            let values = [TYPES[*kind].into(), (*every).into()];
            c.execute("UPDATE event_streams SET event_type = ? WHERE id % ? = 0", &values).map(drop)
        }
        Deed::ChangeTime(every, at) => {
            let values = [minute(*at).into(), (*every).into()];
            c.execute("UPDATE event_streams SET timestamp = ? WHERE id % ? = 1", &values).map(drop)
        }
        Deed::ChangeClass(every) => {
            let sql = "UPDATE event_streams SET type = CASE type WHEN 'EmsEvent' THEN 'MiqEvent' ELSE 'EmsEvent' END \
                       WHERE id % ? = 1";
            c.execute(sql, &[(*every).into()]).map(drop)
        }
        Deed::ChangeOther => c.execute("UPDATE event_streams SET message = 'x'", &[]).map(drop),
    }
}

type Key = (DateTime<Utc>, i64, String);

/// By looking at every row.
fn looked_at(c: &mut Connection) -> Result<Vec<Key>, VmdbError> {
    let sql = "SELECT timestamp, ems_id, event_type FROM event_streams WHERE type = 'EmsEvent'";
    let rows = c.rows(sql, &[])?;
    Ok(rows.iter().map(|row| (row.time(0).unwrap(), row.id(1).unwrap(), row.string(2).unwrap())).collect())
}

fn expected(rows: &[Key], query: &CountQuery, width: TimeDelta) -> BTreeMap<Key, i64> {
    let mut counts = BTreeMap::new();
    for (at, ems_id, event_type) in rows {
        let asked = *at >= query.since
            && *at < query.until
            && query.ems_id.is_none_or(|id| id == *ems_id)
            && query.event_types.as_ref().is_none_or(|types| types.contains(event_type));
        if asked {
            let seconds = width.num_seconds();
            let starts = DateTime::from_timestamp(at.timestamp().div_euclid(seconds) * seconds, 0).unwrap();
            *counts.entry((starts, *ems_id, event_type.clone())).or_default() += 1;
        }
    }
    counts
}

fn check(c: &mut Connection, queries: &[CountQuery]) -> Result<(), VmdbError> {
    let rows = looked_at(c)?;
    for (unit, length) in [("hour", TimeDelta::hours(1)), ("day", TimeDelta::days(1))] {
        let kept =
            c.rows(&format!("SELECT {unit}, ems_id, event_type, count FROM event_counts_by_{unit}"), &[])?;
        let key = |row: &catchall::vmdb::Fields| {
            ((row.time(0).unwrap(), row.id(1).unwrap(), row.string(2).unwrap()), row.id(3).unwrap())
        };
        let everything = CountQuery {
            resource: None,
            ems_id: None,
            event_types: None,
            since: DateTime::UNIX_EPOCH,
            until: start() + TimeDelta::days(1_000),
            bars: 1,
        };
        let kept: BTreeMap<Key, i64> = kept.iter().map(key).collect();
        assert_eq!(kept, expected(&rows, &everything, length), "event_counts_by_{unit}");
    }
    for query in queries {
        let counted = counts(c, query)?;
        let found: BTreeMap<Key, i64> = counted
            .bars
            .into_iter()
            .map(|bar| ((bar.starts, bar.ems_id, bar.event_type), bar.count))
            .collect();
        let expected = expected(&rows, query, counted.width);
        assert_eq!(found, expected, "{query:?}");
        let mut together: BTreeMap<Key, i64> = BTreeMap::new();
        for ((starts, _, event_type), count) in expected {
            *together.entry((starts, 0, event_type)).or_default() += count;
        }
        let found: BTreeMap<Key, i64> = by_type(c, query)?
            .bars
            .into_iter()
            .map(|bar| ((bar.starts, bar.ems_id, bar.event_type), bar.count))
            .collect();
        assert_eq!(found, together, "{query:?}");
    }
    Ok(())
}

async fn counts_are_those_of_the_rows_whatever_is_done_to_them(fresh: Fresh) {
    let failed = fresh.write(|c| {
        let config = Config { cases: 24, failure_persistence: None, ..Config::default() };
        let (connection, uid) = (RefCell::new(c), RefCell::new(0));
        let deeds = (prop::collection::vec(deed(), 1..6), prop::collection::vec(query(), 4));
        let outcome = TestRunner::new(config).run(&deeds, |(deeds, queries)| {
            let (mut c, mut uid) = (connection.borrow_mut(), uid.borrow_mut());
            for deed in &deeds {
                perform(&mut c, deed, &mut uid).unwrap();
            }
            check(&mut c, &queries).unwrap();
            Ok(())
        });
        Ok(outcome.err().map(|error| error.to_string()))
    });
    assert_eq!(failed.await, None);
}

async fn widths_are_round_and_there_are_never_too_many_bars(fresh: Fresh) {
    let width = async |minutes: i64, bars: usize| {
        let (since, until) = (minute(0), minute(minutes));
        let query = CountQuery { resource: None, ems_id: None, event_types: None, since, until, bars };
        let width = fresh.write(move |c| counts(c, &query)).await.width.num_seconds();
        let (first, last) = (since.timestamp() / width, (until.timestamp() - 1) / width);
        assert!((last - first + 1) as usize <= bars, "{minutes} min, {bars}: {width}");
        width
    };
    assert_eq!(width(1, 100).await, 1);
    assert_eq!(width(24 * 60, 100).await, 900);
    assert_eq!(width(24 * 60, 25).await, 3_600);
    assert_eq!(width(7 * 24 * 60, 100).await, 10_800);
    assert_eq!(width(30 * 24 * 60, 130).await, 86_400);
    assert_eq!(width(10 * 365 * 24 * 60, 50).await, 7_257_600);
    assert_eq!(width(60, 1).await, 10_800);
}

async fn the_last_hours_are_told_by_the_hour(fresh: Fresh) {
    fresh
        .write(|c| {
            c.batch(
                "INSERT INTO event_streams (event_uid, type, event_type, ems_id, timestamp) VALUES \
                 ('a', 'EmsEvent', 'X', 1, '2026-03-01 09:59:59'), ('b', 'EmsEvent', 'X', 1, '2026-03-01 10:30:00'), \
                 ('c', 'EmsEvent', 'X', 1, '2026-03-01 11:00:00'), ('d', 'EmsEvent', 'X', 2, '2026-03-01 11:59:59')",
            )
        })
        .await;
    let since = "2026-03-01T10:15:00Z".parse().unwrap();
    let hours = fresh.write(move |c| per_hour(c, since)).await;
    let told: Vec<_> = hours.iter().map(|hour| (hour.hour.as_str(), hour.ems_id, hour.count)).collect();
    assert_eq!(told, [("2026-03-01 10", 1, 1), ("2026-03-01 11", 1, 1), ("2026-03-01 11", 2, 1)]);
}
