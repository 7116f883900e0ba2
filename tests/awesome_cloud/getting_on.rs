//! A stream gets on, however often requests fail and however much it has to read again.

use super::support::*;
use catchall::provider::Ems;
use catchall::simulator::{Faults, Mishap, Simulator};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::time::Duration;

/// An EMS that reads pages of 100.
fn ems_of(cloud: &Simulator) -> Ems {
    let mut ems = ems(&cloud.url());
    ems.catcher.ems_event_page_size = 100;
    ems
}

fn failing(shares: &[(Mishap, f64)]) -> Faults {
    Faults { seed: 5, events_shares: BTreeMap::from_iter(shares.iter().copied()), ..Faults::default() }
}

#[tokio::test]
async fn a_large_overlap_is_got_through_though_three_of_ten_requests_fail() {
    let cloud = cloud(Faults::default()).await;
    cloud.happen(4000);
    let kinds = [Mishap::ServerError, Mishap::Reset, Mishap::EndsEarly, Mishap::NoJson];
    cloud.set_faults(failing(&kinds.map(|kind| (kind, 0.075))));
    let caught = catch_all(&cloud, &ems_of(&cloud)).await;
    assert!(cloud.stats().requests["events"] < 200, "{:?}, {:?}", cloud.stats(), caught.errors);
}

#[tokio::test]
async fn a_large_overlap_is_got_through_though_credentials_and_rates_are_refused() {
    let cloud = cloud(Faults::default()).await;
    cloud.happen(4000);
    cloud.set_faults(failing(&[(Mishap::Unauthorized, 0.1), (Mishap::Throttled, 0.1)]));
    let caught = catch_all(&cloud, &ems_of(&cloud)).await;
    assert!(cloud.stats().requests["events"] < 200, "{:?}, {:?}", cloud.stats(), caught.errors);
}

#[tokio::test]
async fn a_page_is_asked_for_four_times_before_the_stream_gives_up() {
    let cloud = cloud(Faults::default()).await;
    cloud.happen(10);
    let ems = ems(&cloud.url());
    let mut stream = started(&ems, None).await.unwrap();
    stream.poll().await.unwrap();
    let asked = || cloud.stats().requests["events"];
    for kind in [Mishap::ServerError, Mishap::NoJson] {
        cloud.with(|cloud| cloud.faults.events_requests = vec![kind; 9]);
        let (before, begun) = (asked(), tokio::time::Instant::now());
        stream.poll().await.err().unwrap();
        assert_eq!(asked() - before, 4, "{kind:?}");
        assert!(begun.elapsed().as_secs() < 5);
    }
    for kind in [Mishap::Throttled, Mishap::Unauthorized] {
        cloud.with(|cloud| cloud.faults.events_requests = vec![kind; 9]);
        let before = asked();
        stream.poll().await.err().unwrap();
        assert_eq!(asked() - before, 1, "{kind:?} says what to do");
    }
    cloud.heal();
    stream = started(&ems, None).await.unwrap();
    cloud.with(|cloud| cloud.faults.events_requests = vec![Mishap::ServerError; 9]);
    assert!(started(&ems, None).await.is_err());
    assert_eq!(cloud.with(|cloud| cloud.faults.events_requests.len()), 8, "a start fails at once");
    drop(stream);
}

#[tokio::test]
async fn a_wait_for_the_next_attempt_can_be_dropped_at_once() {
    let cloud = cloud(Faults::default()).await;
    cloud.happen(30);
    let ems = ems(&cloud.url());
    let mut stream = started(&ems, None).await.unwrap();
    let mut caught = Caught::default();
    caught.commit(stream.poll().await.unwrap());
    cloud.with(|cloud| cloud.faults.events_requests = vec![Mishap::ServerError; 3]);
    let met = async {
        while cloud.with(|cloud| cloud.faults.events_requests.len()) > 1 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // The second failed: now it waits.
        tokio::time::sleep(Duration::from_millis(30)).await;
    };
    tokio::select! {
        _ = stream.poll() => panic!("the third was not asked for yet"),
        () = met => {}
    }
    cloud.heal();
    drain(&mut stream, &mut caught).await;
    assert_eq!(caught.events.len(), 30);
}

#[tokio::test]
async fn a_successor_goes_on_in_the_middle_of_its_predecessors_query() {
    let cloud = cloud(Faults::default()).await;
    cloud.happen(100);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let ems = ems(&cloud.url());
    let mut caught = Caught::default();
    for _ in 0..5 {
        let mut stream = started(&ems, caught.cursor.clone()).await.unwrap();
        caught.commit(stream.poll().await.unwrap());
        caught.commit(stream.poll().await.unwrap());
    }
    // Each begins with the last event of the one before, and so does the second page of the very first query.
    assert_eq!(caught.events.len(), 95);
    let mut stream = started(&ems, caught.cursor.clone()).await.unwrap();
    drain(&mut stream, &mut caught).await;
    assert_eq!(caught.events.len(), 100);
    assert!(caught.cursor.as_ref().unwrap().position.get("reading").is_none(), "{:?}", caught.cursor);
    // What became visible behind meanwhile is met by the sweep that follows.
    assert!(!stream.poll().await.unwrap().events.is_empty());
}

#[tokio::test]
async fn a_query_that_was_left_long_ago_begins_again_by_the_clock_of_now() {
    let cloud = cloud(Faults::default()).await;
    cloud.happen(40);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let ems = ems(&cloud.url());
    let mut caught = Caught::default();
    caught.commit(started(&ems, None).await.unwrap().poll().await.unwrap());
    assert!(caught.cursor.as_ref().unwrap().position.get("reading").is_some());
    cloud.with(|cloud| cloud.faults.clock_offset_seconds += 3600);
    cloud.happen(5);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let mut stream = started(&ems, caught.cursor.clone()).await.unwrap();
    drain(&mut stream, &mut caught).await;
    assert_eq!(caught.events.len(), 45);
    let time: DateTime<Utc> = caught.cursor_time().parse().unwrap();
    assert!((time - catchall::clock::now()).num_minutes() > 50, "the cursor stayed at {time}");
}
