//! Stretches of time in which events are missing or came late.

use crate::support::{Fresh, on_both};
use catchall::provider::EmsId;
use catchall::vmdb::timeline::bands::{Band, BandKind, bands};
use chrono::{DateTime, TimeDelta, Utc};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::time::{Duration, Instant};

on_both! {
    gaps_and_outages_that_touch_a_window_are_told_by_their_beginning
    a_second_is_in_a_band_if_and_only_if_a_row_says_so
    of_a_hundred_thousand_the_longest_are_told_quickly
}

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + second, 0).unwrap()
}

async fn gap(fresh: &Fresh, ems_id: i64, (from, to): (Option<i64>, Option<i64>), noticed: i64) {
    fresh
        .write(move |c| {
            let sql = "INSERT INTO event_gaps (ems_id, started_on, ended_on, reason, created_on) VALUES (?, ?, ?, 'lost', ?)";
            let values = [ems_id.into(), from.map(at).into(), to.map(at).into(), at(noticed).into()];
            c.execute(sql, &values)
        })
        .await;
}

async fn outage(fresh: &Fresh, ems_id: i64, (from, to): (i64, Option<i64>), reason: &'static str) {
    fresh
        .write(move |c| {
            let sql = "INSERT INTO event_catcher_outages (ems_id, started_on, ended_on, reason) VALUES (?, ?, ?, ?)";
            c.execute(sql, &[ems_id.into(), at(from).into(), to.map(at).into(), reason.into()])
        })
        .await;
}

async fn in_window(fresh: &Fresh, ems_id: Option<i64>, (since, until): (i64, i64)) -> Vec<Band> {
    fresh.vmdb.read(move |c| bands(c, ems_id.map(EmsId), at(since), at(until))).await.unwrap()
}

async fn gaps_and_outages_that_touch_a_window_are_told_by_their_beginning(fresh: Fresh) {
    gap(&fresh, 1, (Some(300), Some(400)), 450).await;
    gap(&fresh, 2, (None, None), 350).await;
    gap(&fresh, 1, (Some(900), Some(950)), 950).await;
    outage(&fresh, 1, (100, Some(200)), "stopped").await;
    outage(&fresh, 1, (250, Some(310)), "paused").await;
    outage(&fresh, 1, (310, Some(320)), "paused").await;
    outage(&fresh, 2, (390, None), "process down").await;
    let band = |ems_id, kind, from: Option<i64>, to: Option<i64>, reason: &str| Band {
        ems_id: EmsId(ems_id),
        kind,
        from: from.map(at),
        to: to.map(at),
        reason: reason.to_owned(),
    };
    let paused = band(1, BandKind::CatcherDown, Some(250), Some(320), "paused");
    let lost = band(1, BandKind::Lost, Some(300), Some(400), "lost");
    let down = band(2, BandKind::CatcherDown, Some(390), None, "process down");
    let early = band(2, BandKind::Lost, None, Some(350), "lost");
    assert_eq!(
        in_window(&fresh, None, (210, 500)).await,
        [early, paused.clone(), lost.clone(), down.clone()]
    );
    assert_eq!(in_window(&fresh, Some(1), (210, 500)).await, [paused, lost]);
    assert_eq!(in_window(&fresh, None, (500, 600)).await, [down], "it lasts");
    assert_eq!(in_window(&fresh, Some(1), (500, 600)).await, []);
}

async fn a_second_is_in_a_band_if_and_only_if_a_row_says_so(fresh: Fresh) {
    let mut random = StdRng::seed_from_u64(5);
    let mut rows = Vec::new();
    for _ in 0..60 {
        let (ems_id, from) = (random.random_range(1..=2), random.random_range(0..1_000));
        let to = from + random.random_range(0..40);
        let reason = if random.random() { "paused" } else { "stopped" };
        rows.push((ems_id, from, to, reason));
        outage(&fresh, ems_id, (from, Some(to)), reason).await;
    }
    for _ in 0..40 {
        let since = random.random_range(0..1_000);
        let until = since + random.random_range(1..100);
        let found = in_window(&fresh, None, (since, until)).await;
        let is_in = |ems_id: i64, reason: &str, second: i64| {
            found.iter().any(|band| {
                band.ems_id == EmsId(ems_id)
                    && band.reason == reason
                    && band.from <= Some(at(second))
                    && Some(at(second)) <= band.to
            })
        };
        for (ems_id, reason) in [(1, "paused"), (1, "stopped"), (2, "paused"), (2, "stopped")] {
            for second in since..until {
                let covers = |(of, from, to, why): &(i64, i64, i64, &str)| {
                    (*of, *why) == (ems_id, reason) && *from <= second && second <= *to
                };
                let (told, truth) = (is_in(ems_id, reason, second), rows.iter().any(covers));
                assert_eq!(told, truth, "EMS {ems_id}, {reason}, second {second} of {since}..{until}");
            }
        }
        for (at, band) in found.iter().enumerate() {
            let meets = |other: &Band| {
                (other.ems_id, &other.reason) == (band.ems_id, &band.reason)
                    && other.from <= band.to
                    && band.from <= other.to
            };
            assert!(!found[at + 1..].iter().any(meets), "{band:?} is told in parts");
        }
    }
}

async fn of_a_hundred_thousand_the_longest_are_told_quickly(fresh: Fresh) {
    fresh
        .write(|c| {
            let rows = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99999)";
            let sql = format!(
                "INSERT INTO event_catcher_outages (ems_id, started_on, ended_on, reason) {rows} SELECT 1, ?, ?, 'short' FROM n"
            );
            c.execute(&sql, &[at(0).into(), at(1).into()])?;
            let sql = format!(
                "INSERT INTO event_gaps (ems_id, started_on, ended_on, reason, created_on) {rows} SELECT 1, ?, ?, 'old', ? FROM n"
            );
            c.execute(&sql, &[at(-9).into(), at(-8).into(), at(-8).into()])
        })
        .await;
    for number in 0..600 {
        outage(&fresh, 2, (number * 100, Some(number * 100 + 20 + number % 60)), "long").await;
    }
    let started = Instant::now();
    let found = in_window(&fresh, None, (0, 100_000)).await;
    let took = started.elapsed();
    assert_eq!(found.len(), 500);
    assert!(found.iter().all(|band| band.reason == "long"));
    let least = found.iter().map(|band| band.to.unwrap() - band.from.unwrap()).min();
    assert_eq!(least, Some(TimeDelta::seconds(30)), "the hundred shortest are left out");
    // Some 0.1 s on a machine of its own; a look at each pair of them would take minutes.
    assert!(took < Duration::from_secs(10), "it took {took:?}");
}
