//! Where the cursor goes, and where it does not.

use super::support::*;
use catchall::provider::{CatcherSettings, Cursor, Ems, InitialHistory, Provider, StreamError};
use catchall::providers::awesome_cloud::AwesomeCloud;
use catchall::simulator::Faults;
use chrono::{DateTime, Utc};
use std::time::Duration;

async fn settle(ems: &Ems, caught: &mut Caught) {
    // The Date header has whole seconds: only then is the newest event behind it.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let mut stream = started(ems, caught.cursor.clone()).await.unwrap();
    drain(&mut stream, caught).await;
}

#[tokio::test]
async fn a_poll_that_brings_nothing_new_writes_nothing() {
    let cloud = cloud(Faults::default()).await;
    cloud.happen(35);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let ems = ems(&cloud.url());
    let mut stream = started(&ems, None).await.unwrap();
    let mut caught = Caught::default();
    drain(&mut stream, &mut caught).await;
    assert_eq!(caught.events.len(), 35);
    for _ in 0..3 {
        let batch = stream.poll().await.unwrap();
        assert!(batch.events.is_empty() && batch.cursor.is_none() && !batch.more && batch.permit.is_none());
        assert_eq!(batch.lag, Some(Duration::ZERO));
    }
    assert_eq!(ems.budget.used(), 0);
    assert!(caught.cursors.len() <= 4, "a cursor at most with each batch");
}

#[tokio::test]
async fn an_event_counts_as_seen_only_after_its_commit() {
    let cloud = cloud(Faults::default()).await;
    cloud.happen(5);
    let ems = ems(&cloud.url());
    let first = started(&ems, None).await.unwrap().poll().await.unwrap();
    // That batch never was committed, and its stream is gone.
    let again = started(&ems, None).await.unwrap().poll().await.unwrap();
    assert_eq!((first.events.len(), again.events), (5, first.events));
}

#[tokio::test]
async fn a_kill_within_a_long_history_goes_on_near_where_it_was() {
    let cloud = cloud(Faults::default()).await;
    cloud.happen(40);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let ems = ems(&cloud.url());
    let mut caught = Caught::default();
    let mut stream = started(&ems, None).await.unwrap();
    let batch = stream.poll().await.unwrap();
    assert!(batch.more && batch.cursor.is_some() && batch.lag > Some(Duration::ZERO));
    caught.commit(batch);
    drop(stream);
    let mut stream = started(&ems, caught.cursor.clone()).await.unwrap();
    drain(&mut stream, &mut caught).await;
    assert_eq!(caught.events.len(), 40);
}

#[tokio::test]
async fn events_dated_ahead_arrive_and_never_move_the_cursor() {
    let cloud = cloud(Faults { ahead_share: 1.0, ..Faults::default() }).await;
    cloud.happen(5);
    let ems = ems(&cloud.url());
    let mut caught = Caught::default();
    settle(&ems, &mut caught).await;
    assert_eq!((caught.events.len(), &caught.cursor), (5, &None));
    cloud.with(|cloud| cloud.faults.ahead_share = 0.0);
    cloud.happen(1);
    settle(&ems, &mut caught).await;
    assert_eq!(caught.events.len(), 6);
    assert!(caught.cursor_time().parse::<DateTime<Utc>>().unwrap() <= catchall::clock::now());
}

#[tokio::test]
async fn the_cursor_never_goes_back() {
    let cloud =
        cloud(Faults { late_share: 0.5, late_seconds: 1.0, page_limit: 4, ..Faults::default() }).await;
    let ems = ems(&cloud.url());
    let mut caught = Caught::default();
    for _ in 0..3 {
        cloud.happen(20);
        settle(&ems, &mut caught).await;
    }
    let times: Vec<_> = caught.cursors.iter().map(|cursor| cursor.position["time"].to_string()).collect();
    assert!(times.len() >= 3 && times.is_sorted(), "{times:?}");
    assert!(caught.cursors.iter().all(|cursor| cursor.source == cloud.url()));
}

#[tokio::test]
async fn history_that_is_lost_while_a_new_ems_is_read_for_the_first_time_is_a_gap() {
    let cloud = cloud(Faults::default()).await;
    cloud.happen(40);
    // The server's clock tells whole seconds: an event of the running one moves no cursor.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let ems = ems(&cloud.url());
    let mut stream = AwesomeCloud.stream(&ems).unwrap();
    let mut caught = Caught::default();
    stream.start(None).await.unwrap();
    caught.commit(stream.poll().await.unwrap());
    assert_eq!(caught.events.len(), 10);
    cloud.with(|cloud| cloud.faults.retention_seconds = 0.2);
    cloud.happen(1);
    tokio::time::sleep(Duration::from_millis(300)).await;
    cloud.happen(1);
    cloud.with(|cloud| cloud.faults.retention_seconds = 0.0);
    let mut polls = 0;
    while caught.gaps.is_empty() && polls < 5 {
        caught.commit(stream.poll().await.unwrap());
        polls += 1;
    }
    assert_eq!(caught.gaps.len(), 1, "{} events", caught.events.len());
    assert_eq!(caught.gaps[0].reason, "history_lost");
}

#[tokio::test]
async fn history_that_is_lost_after_the_first_second_of_a_new_ems_is_a_gap() {
    let cloud = cloud(Faults::default()).await;
    let into_the_second = u64::from(catchall::clock::now().timestamp_subsec_millis());
    tokio::time::sleep(Duration::from_millis(1000 - into_the_second)).await;
    cloud.happen(12);
    let ems = ems(&cloud.url());
    let mut caught = Caught::default();
    // All that there is happened in the second that the server's clock still tells.
    let mut stream = started(&ems, None).await.unwrap();
    drain(&mut stream, &mut caught).await;
    assert_eq!(caught.events.len(), 12);
    drop(stream);
    cloud.happen(1);
    cloud.with(|cloud| cloud.faults.retention_seconds = 0.2);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    cloud.happen(1);
    cloud.with(|cloud| cloud.faults.retention_seconds = 0.0);
    settle(&ems, &mut caught).await;
    assert_eq!((caught.gaps.len(), caught.events.len()), (1, 13));
    assert_eq!(caught.gaps[0].reason, "history_lost");
}

#[tokio::test]
async fn lost_history_is_a_gap_only_if_the_cursor_itself_is_gone() {
    let cloud = cloud(Faults::default()).await;
    cloud.happen(10);
    let ems = ems(&cloud.url());
    let mut caught = Caught::default();
    settle(&ems, &mut caught).await;
    // The overlap reaches behind the oldest event, the cursor does not.
    settle(&ems, &mut caught).await;
    assert!(caught.gaps.is_empty());

    let before = caught.cursor_time();
    cloud.with(|cloud| cloud.faults.retention_seconds = 0.2);
    tokio::time::sleep(Duration::from_millis(300)).await;
    cloud.with(|cloud| {
        cloud.happen(3);
        cloud.faults.retention_seconds = 0.0;
    });
    settle(&ems, &mut caught).await;
    assert_eq!(caught.gaps.len(), 1);
    assert_eq!(caught.gaps[0].reason, "history_lost");
    // What was to become visible late may be lost too.
    let before: chrono::DateTime<chrono::Utc> = before.parse().unwrap();
    assert_eq!(caught.gaps[0].from, Some(before - chrono::TimeDelta::seconds(120)));
    let now: chrono::DateTime<chrono::Utc> = caught.cursor_time().parse().unwrap();
    assert!(now > before && caught.gaps[0].to.is_some());
    assert_eq!(caught.events.len(), 13);
    settle(&ems, &mut caught).await;
    assert_eq!(caught.gaps.len(), 1, "a gap is told once");
}

#[tokio::test]
async fn another_source_or_a_cursor_of_another_form_is_a_gap_and_all_that_is_left_is_read() {
    let cloud = cloud(Faults::default()).await;
    cloud.happen(3);
    let position = serde_json::json!({"time": "2020-01-01T00:00:00Z"});
    let other = Cursor { source: "http://elsewhere".into(), position };
    let odd = Cursor { source: cloud.url(), position: serde_json::json!(17) };
    for (cursor, reason) in [(other, "source_changed"), (odd, "cursor_refused")] {
        let mut stream = started(&ems(&cloud.url()), Some(cursor)).await.unwrap();
        let batch = stream.poll().await.unwrap();
        assert_eq!((batch.gap.unwrap().reason.as_str(), batch.events.len()), (reason, 3));
        assert_eq!(batch.cursor.unwrap().source, cloud.url());
    }
}

#[tokio::test]
async fn initial_history_says_what_a_new_ems_reads_first() {
    let cloud = cloud(Faults { clock_offset_seconds: 7200, ..Faults::default() }).await;
    cloud.happen(5);
    tokio::time::sleep(Duration::from_millis(2100)).await;
    for (initial_history, events) in [
        (InitialHistory::All, 5),
        (InitialHistory::None, 0),
        (InitialHistory::Last(Duration::from_secs(1)), 0),
        (InitialHistory::Last(Duration::from_secs(60)), 5),
        (InitialHistory::Last(Duration::MAX), 5),
    ] {
        let mut ems = ems(&cloud.url());
        ems.catcher = CatcherSettings { initial_history, ..ems.catcher };
        let mut caught = Caught::default();
        let mut stream = started(&ems, None).await.unwrap();
        drain(&mut stream, &mut caught).await;
        assert_eq!((caught.events.len(), caught.gaps.len()), (events, 0), "{initial_history:?}");
        assert!(caught.cursor.is_some(), "{initial_history:?}: a restart must not begin anew");
        let mut stream = started(&ems, caught.cursor.clone()).await.unwrap();
        drain(&mut stream, &mut caught).await;
        assert_eq!(caught.events.len(), events, "{initial_history:?}: nothing older comes later");
    }
}

#[tokio::test]
async fn refused_credentials_and_a_server_that_is_not_there_are_told_apart() {
    let cloud = cloud(Faults::default()).await;
    let mut refused = ems(&cloud.url());
    refused.authentications.clear();
    assert!(AwesomeCloud.stream(&refused).err().unwrap().message.contains("authentications.default"));
    let wrong = catchall::provider::Secret::new("wrong-password");
    let authentication = catchall::provider::Authentication { password: Some(wrong), ..Default::default() };
    refused.authentications.insert("default".into(), authentication);
    let error = started(&refused, None).await.err().unwrap();
    assert!(matches!(error, StreamError::Unauthorized(_)) && !error.to_string().contains("wrong-password"));
    // Nothing listens on port 1; a port that was free a moment ago may be another test's by now.
    let nobody = ems("http://127.0.0.1:1");
    assert!(matches!(started(&nobody, None).await.err().unwrap(), StreamError::Unreachable(_)));
    cloud.stop().await;
}
