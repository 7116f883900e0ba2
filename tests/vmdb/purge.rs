//! What is older than is kept goes, with what hangs on it, and commits of events go on meanwhile.

use crate::support::{Fresh, batch, event, on_both};
use catchall::actor::rounds::Rounds;
use catchall::automate::{Automation, History, SharedAutomation};
use catchall::event_handler::Handling;
use catchall::observe::Observe;
use catchall::purger::Purger;
use catchall::vmdb::purge::{Purgeable, purge};
use catchall::vmdb::{Connection, Value, VmdbError, event_commit};
use chrono::{DateTime, Utc};
use std::time::{Duration, Instant};

on_both! {
    events_go_oldest_first_with_what_is_about_them_alone
    gaps_letters_and_finished_tasks_go_by_their_day
    of_refreshes_each_emss_last_full_one_stays
    fifty_thousand_old_events_go_while_commits_go_on
    nothing_goes_where_nobody_said_what_is_kept
}

fn day(day: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_600_000_000 + day * 86_400, 0).unwrap()
}

/// Old events `old-1` to `old-COUNT` of EMS 1.
fn old_events(c: &mut Connection, count: i64) -> Result<usize, VmdbError> {
    let sql = "INSERT INTO event_streams (event_uid, event_type, ems_id, type, timestamp, created_on, full_data) \
               WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) \
               SELECT 'old-' || i, 'X', 1, 'EmsEvent', ?, ?, '{}' FROM n";
    c.execute(sql, &[count.into(), day(0).into(), day(0).into()])
}

async fn events_go_oldest_first_with_what_is_about_them_alone(fresh: Fresh) {
    let mut said = vec![event("a", "X"), event("b", "X"), event("c", "X")];
    for (at, said) in [day(3), day(1), day(2)].into_iter().zip(&mut said) {
        said.event.timestamp = at;
        said.event.host_ems_ref = Some("host-1".to_owned());
    }
    let batches = vec![batch(said)];
    fresh.vmdb.commit(0, move |c| event_commit::commit(c, &batches)).await.unwrap();
    let undated = "INSERT INTO event_streams (event_uid, event_type, ems_id) VALUES ('undated', 'X', 1)";
    fresh
        .write(move |c| {
            c.batch(undated)?;
            let sql = "INSERT INTO event_actions (ems_id, event_id, kind, name, state, requested_on) \
                       SELECT 1, id, 'handler', 'refresh', 'done', created_on FROM event_streams WHERE event_uid <> 'undated'";
            c.execute(sql, &[])
        })
        .await;
    let gone = fresh.write(|c| purge(c, Purgeable::Events, day(3), 1)).await;
    assert_eq!(gone, [("event_actions", 1), ("event_links", 1), ("event_streams", 1)]);
    assert_eq!(fresh.count("SELECT count(*) FROM event_streams WHERE event_uid = 'b'").await, 0);
    fresh.write(|c| purge(c, Purgeable::Events, day(3), 100)).await;
    assert_eq!(fresh.write(|c| purge(c, Purgeable::Events, day(3), 100)).await, []);
    let left = "SELECT count(*) FROM event_streams WHERE event_uid IN ('a', 'undated')";
    assert_eq!(fresh.count(left).await, 2);
    assert_eq!(fresh.count("SELECT count(*) FROM event_streams").await, 2);
    assert_eq!(fresh.count("SELECT count(*) FROM event_actions").await, 1);
    assert_eq!(fresh.count("SELECT count(*) FROM event_links").await, 1);
}

async fn gaps_letters_and_finished_tasks_go_by_their_day(fresh: Fresh) {
    fresh
        .write(|c| {
            for number in 1..=3 {
                let at = || day(number).into();
                let uid = number.to_string();
                c.execute(
                    "INSERT INTO event_gaps (ems_id, reason, created_on) VALUES (1, 'lost', ?)",
                    &[at()],
                )?;
                let letter = "INSERT INTO dead_letters (ems_id, event_uid, native, reason, created_on) VALUES (1, ?, '', '', ?)";
                c.execute(letter, &[(&uid).into(), at()])?;
                let state = if number == 1 { "Active" } else { "Finished" };
                let change = "INSERT INTO state_changes (ems_id, resource_type, resource_id, attribute, changed_on) \
                              VALUES (1, 'Host', 1, 'name', ?)";
                c.execute(change, &[at()])?;
                let outage = "INSERT INTO event_catcher_outages (ems_id, started_on, ended_on, reason) VALUES (1, ?, ?, '')";
                c.execute(outage, &[at(), at()])?;
                let beat = "INSERT INTO process_heartbeats (process, ems_ids, started_on, beat_on) VALUES (?, '[]', ?, ?)";
                c.execute(beat, &[(&uid).into(), at(), at()])?;
                c.execute(
                    "INSERT INTO miq_tasks (state, created_on) VALUES (?, ?)",
                    &[state.into(), at()],
                )?;
            }
            let open = "INSERT INTO event_catcher_outages (ems_id, started_on, reason) VALUES (2, ?, '')";
            c.execute(open, &[day(0).into()])
        })
        .await;
    for (what, table, count) in [
        (Purgeable::Gaps, "event_gaps", 2),
        (Purgeable::DeadLetters, "dead_letters", 2),
        (Purgeable::Tasks, "miq_tasks", 1),
        (Purgeable::StateChanges, "state_changes", 2),
        (Purgeable::Outages, "event_catcher_outages", 2),
        (Purgeable::Heartbeats, "process_heartbeats", 2),
    ] {
        assert_eq!(fresh.write(move |c| purge(c, what, day(3), 100)).await, [(table, count)]);
        assert_eq!(fresh.write(move |c| purge(c, what, day(3), 100)).await, []);
    }
    assert_eq!(fresh.count("SELECT count(*) FROM miq_tasks WHERE state = 'Active'").await, 1);
    let open = "SELECT count(*) FROM event_catcher_outages WHERE ended_on IS NULL";
    assert_eq!(fresh.count(open).await, 1, "it lasts");
}

async fn of_refreshes_each_emss_last_full_one_stays(fresh: Fresh) {
    let refreshes = [
        (1, "full", None, 1),
        (1, "full", None, 2),
        (1, "full", Some("away"), 3),
        (1, "targeted", None, 4),
        (2, "full", None, 1),
        (2, "full", None, 9),
    ];
    fresh
        .write(move |c| {
            for (ems_id, kind, error, at) in refreshes {
                let sql = "INSERT INTO ems_refreshes (ems_id, kind, error, finished_on) VALUES (?, ?, ?, ?)";
                c.execute(sql, &[ems_id.into(), kind.into(), Value::Text(error), day(at).into()])?;
            }
            Ok(())
        })
        .await;
    let gone = fresh.write(|c| purge(c, Purgeable::Refreshes, day(5), 100)).await;
    assert_eq!(gone, [("ems_refreshes", 4)]);
    let rows =
        fresh.write(|c| c.rows("SELECT ems_id, finished_on FROM ems_refreshes ORDER BY ems_id", &[])).await;
    let left: Vec<_> = rows.iter().map(|row| (row.integer(0), row.time(1))).collect();
    assert_eq!(left, [(Some(1), Some(day(2))), (Some(2), Some(day(9)))]);
}

fn purger(fresh: &Fresh, keep_events: Duration, observe: &Observe) -> Purger {
    let handling = Handling {
        vmdb: fresh.vmdb.clone(),
        bells: Default::default(),
        names: Default::default(),
        observe: observe.clone(),
    };
    let history = History { keep_events, purge_window_size: 1_000 };
    Purger::new(handling, SharedAutomation::new(Automation { history, ..Automation::default() }))
}

async fn nothing_goes_where_nobody_said_what_is_kept(fresh: Fresh) {
    fresh.write(|c| old_events(c, 3)).await;
    let round = purger(&fresh, Duration::ZERO, &Observe::default()).round().await.unwrap();
    assert_eq!(round.done, 0);
    assert_eq!(fresh.count("SELECT count(*) FROM event_streams").await, 3);
}

async fn fifty_thousand_old_events_go_while_commits_go_on(fresh: Fresh) {
    fresh.write(|c| old_events(c, 50_000)).await;
    let observe = Observe::default();
    let mut purger = purger(&fresh, Duration::from_secs(3_600), &observe);
    let purging = tokio::spawn(async move { purger.round().await });
    let (mut longest, mut commits) = (Duration::ZERO, 0);
    while !purging.is_finished() {
        let mut said = event(&format!("new-{commits}"), "X");
        said.event.timestamp = "2100-01-01T00:00:00Z".parse().unwrap();
        let batches = vec![batch(vec![said])];
        let began = Instant::now();
        fresh.vmdb.commit(0, move |c| event_commit::commit(c, &batches)).await.unwrap();
        longest = longest.max(began.elapsed());
        commits += 1;
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let round = purging.await.unwrap().unwrap();
    assert_eq!(round.done, 50_000);
    assert!(round.look_again >= Duration::from_secs(3_000));
    assert_eq!(fresh.count("SELECT count(*) FROM event_streams").await, commits);
    let counted = r#"catchall_purged_rows_total{table="event_streams"} 50000"#;
    assert!(observe.prometheus().contains(counted), "{}", observe.prometheus());
    // At once, 50,000 rows would keep SQLite's writer for seconds; a slice is to take 20 ms. The rest is the machine's.
    println!("{commits} commits while 50,000 events were purged, the longest took {longest:?}");
    assert!(commits >= 20, "{commits}");
    assert!(longest < Duration::from_millis(700), "{longest:?}");
}
