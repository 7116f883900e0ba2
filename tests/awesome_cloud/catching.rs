//! Through each misbehaviour: none lost.

use super::support::*;
use catchall::simulator::{Faults, Mishap};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::time::Duration;

#[tokio::test]
async fn every_event_of_many_small_pages_with_equal_times_arrives_once() {
    let cloud = cloud(Faults { page_limit: 3, ..Faults::default() }).await;
    cloud.happen(200);
    let caught = catch_all(&cloud, &ems(&cloud.url())).await;
    assert!(caught.events.values().all(|(_, times)| *times == 1));
    assert!(caught.gaps.is_empty() && caught.errors.is_empty());
}

#[tokio::test]
async fn late_events_behind_what_was_read_arrive() {
    let cloud =
        cloud(Faults { late_share: 0.3, late_seconds: 1.5, page_limit: 7, ..Faults::default() }).await;
    for _ in 0..20 {
        cloud.happen(10);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert!(cloud.ledger().hidden > 20);
    let caught = catch_all(&cloud, &ems(&cloud.url())).await;
    assert!(caught.events.values().all(|(_, times)| *times == 1));
}

#[tokio::test]
async fn events_up_to_two_minutes_late_arrive_whenever_the_catcher_is_killed() {
    let faults = Faults { late_share: 0.5, late_seconds: 120.0, page_limit: 20, ..Faults::default() };
    let cloud = cloud(faults).await;
    let ems = ems(&cloud.url());
    let mut caught = Caught::default();
    let mut stream = started(&ems, None).await.unwrap();
    for round in 0..60 {
        cloud.with(|cloud| {
            cloud.faults.clock_offset_seconds += if round < 40 { 7 } else { 31 };
            cloud.happen(if round < 50 { 8 } else { 0 });
        });
        if round % 4 == 0 {
            stream = started(&ems, caught.cursor.clone()).await.unwrap();
        }
        drain(&mut stream, &mut caught).await;
    }
    let ledger = cloud.ledger();
    assert_eq!((ledger.hidden, ledger.events.len()), (0, 400));
    assert_eq!(caught.events.len(), 400);
    assert!(caught.gaps.is_empty());
}

#[tokio::test]
async fn repeated_pages_are_read_once_and_pages_without_end_do_not_hold_the_stream() {
    let cloud = cloud(Faults { repeat_every: 2, ..Faults::default() }).await;
    cloud.happen(100);
    let caught = catch_all(&cloud, &ems(&cloud.url())).await;
    assert!(caught.events.values().all(|(_, times)| *times == 1));

    cloud.with(|cloud| cloud.faults = Faults { endless_page: true, page_limit: 20, ..Faults::default() });
    cloud.happen(50);
    catch_all(&cloud, &ems(&cloud.url())).await;
}

#[tokio::test]
async fn refused_page_tokens_begin_the_query_again() {
    let refused = vec![Mishap::BadPageToken; 12];
    let cloud = cloud(Faults { events_requests: refused, ..Faults::default() }).await;
    cloud.happen(100);
    let caught = catch_all(&cloud, &ems(&cloud.url())).await;
    assert!(caught.events.values().all(|(_, times)| *times == 1), "the same stream re-reads without cost");
    assert!(caught.errors.is_empty(), "{:?}", caught.errors);
}

#[tokio::test]
async fn what_breaks_on_the_way_is_tried_again() {
    use Mishap::{EndsEarly, NoJson, Ok, ServerError, Throttled, Truncated, Unauthorized, WrongLength};
    let mishaps = vec![
        Ok,
        Truncated,
        WrongLength,
        EndsEarly,
        Ok,
        NoJson,
        Unauthorized,
        Throttled,
        ServerError,
        Ok,
        Truncated,
    ];
    let cloud = cloud(Faults { events_requests: mishaps, ..Faults::default() }).await;
    cloud.happen(100);
    let caught = catch_all(&cloud, &ems(&cloud.url())).await;
    let says = |text: &str| caught.errors.iter().filter(|error| error.contains(text)).count();
    // What broke while pages were read was asked for again; the others met a stream that was starting, or that was told
    // to stop asking.
    assert_eq!(caught.errors.len(), 3, "{:?}", caught.errors);
    for told in ["401", "429", "500", "asks to wait 1s"] {
        assert!(says(told) > 0, "{told}: {:?}", caught.errors);
    }
    assert_eq!(says("http://127.0.0.1:"), 3);
}

#[tokio::test]
async fn a_poll_that_hangs_or_drips_can_be_dropped_and_loses_nothing() {
    let mishaps = vec![Mishap::Ok, Mishap::Hang, Mishap::Ok, Mishap::Drip];
    let cloud = cloud(Faults { events_requests: mishaps, ..Faults::default() }).await;
    cloud.happen(40);
    let caught = catch_all(&cloud, &ems(&cloud.url())).await;
    assert_eq!(caught.errors, ["hangs", "hangs"]);
}

#[tokio::test]
async fn malformed_events_are_dead_letters_and_their_neighbours_arrive() {
    let cloud = cloud(Faults { malformed_share: 0.4, ..Faults::default() }).await;
    cloud.happen(150);
    let caught = catch_all(&cloud, &ems(&cloud.url())).await;
    assert!(caught.dead_letters.len() > 30);
    assert!(caught.errors.is_empty(), "{:?}", caught.errors);
}

#[tokio::test]
async fn pages_too_large_to_read_are_asked_for_in_smaller_ones() {
    let mishaps = vec![Mishap::TooLarge, Mishap::Ok, Mishap::TooLarge];
    let cloud = cloud(Faults { events_requests: mishaps, ..Faults::default() }).await;
    let began = catchall::clock::now().timestamp();
    cloud.happen(40);
    let caught = catch_all(&cloud, &ems(&cloud.url())).await;
    assert!(caught.errors.is_empty(), "{:?}", caught.errors);
    // Pages of 10, too large; one of 5; again too large; then pages of 2, the first of which begins with a known event. The API
    // tells whole seconds: with each that begins meanwhile, one page more may begin with what is known.
    let seconds = u64::try_from(catchall::clock::now().timestamp() - began).unwrap();
    assert!((21..=23 + seconds).contains(&cloud.stats().requests["events"]), "{seconds} {:?}", cloud.stats());
}

#[tokio::test]
async fn events_with_a_megabyte_of_text_arrive_through_a_smaller_budget() {
    let cloud = cloud(Faults { megabyte_share: 1.0, ..Faults::default() }).await;
    cloud.happen(4);
    let ems = ems(&cloud.url());
    let caught = catch_all(&cloud, &ems).await;
    assert!(
        caught.events.values().all(|(parsed, _)| parsed.event.full_data.text().len() > ems.budget.total())
    );
}

#[tokio::test]
async fn a_server_whose_clock_is_hours_away_loses_nothing_and_its_clock_rules_the_cursor() {
    for hours in [-5_i64, 5] {
        let faults = Faults { clock_offset_seconds: hours * 3600, ..Faults::default() };
        let cloud = cloud(faults).await;
        cloud.happen(30);
        let ems = ems(&cloud.url());
        let mut caught = catch_all(&cloud, &ems).await;
        let has_time = |caught: &Caught| {
            caught.cursor.as_ref().is_some_and(|cursor| cursor.position["time"].is_string())
        };
        catch_until(&ems, &mut caught, has_time).await;
        let time: chrono::DateTime<chrono::Utc> = caught.cursor_time().parse().unwrap();
        let off = (time - catchall::clock::now()).num_minutes() - hours * 60;
        assert!(off.abs() <= 1, "{off} minutes");
    }
}

#[tokio::test]
async fn a_busy_cloud_with_everything_wrong_at_once_loses_nothing() {
    let faults = Faults {
        late_share: 0.2,
        late_seconds: 1.0,
        ahead_share: 0.05,
        malformed_share: 0.1,
        repeat_every: 3,
        page_limit: 9,
        events_requests: [Mishap::Ok, Mishap::BadPageToken, Mishap::Truncated, Mishap::Ok].repeat(6),
        ..Faults::default()
    };
    let cloud = cloud(faults).await;
    let ems = ems(&cloud.url());
    let mut caught = Caught::default();
    for round in 1..=10 {
        cloud.happen(20);
        catch_until(&ems, &mut caught, |caught| caught.events.len() > round * 5).await;
    }
    catch_all(&cloud, &ems).await;
}

#[tokio::test]
async fn kills_before_and_after_commits_lose_nothing() {
    for seed in 0..10 {
        let mut chance = StdRng::seed_from_u64(seed);
        let faults = Faults { late_share: 0.2, late_seconds: 0.1, malformed_share: 0.1, ..Faults::default() };
        let cloud = cloud(faults).await;
        let ems = ems(&cloud.url());
        let mut caught = Caught::default();
        for _ in 0..10 {
            cloud.happen(chance.random_range(0..30));
            let mut stream = started(&ems, caught.cursor.clone()).await.unwrap();
            for _ in 0..chance.random_range(0..6) {
                caught.commit(stream.poll().await.unwrap());
            }
            // This batch is read and dies with its process.
            drop(stream.poll().await.unwrap());
        }
        let ledger_is_caught = |caught: &Caught| {
            let ledger = cloud.ledger();
            ledger.hidden == 0
                && ledger.events.len() == caught.events.len()
                && ledger.malformed.len() == caught.dead_letters.len()
        };
        catch_until(&ems, &mut caught, ledger_is_caught).await;
    }
}

#[tokio::test]
async fn a_large_overlap_is_swept_rarely_and_the_tip_is_looked_at_in_between() {
    let cloud = cloud(Faults::default()).await;
    cloud.happen(2000);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let ems = ems(&cloud.url());
    let mut stream = started(&ems, None).await.unwrap();
    let mut caught = Caught::default();
    drain(&mut stream, &mut caught).await;
    let asked = || cloud.stats().requests["events"];
    let (before, cursor) = (asked(), caught.cursor.clone());
    for round in 1..=3 {
        cloud.happen(5);
        drain(&mut stream, &mut caught).await;
        assert_eq!(caught.events.len(), 2000 + 5 * round);
    }
    assert!(asked() - before <= 6, "{} requests where each sweep takes 200", asked() - before);
    assert_eq!(caught.cursor, cursor, "only a sweep moves the cursor past its own clock");
    cloud.with(|cloud| cloud.faults = Faults { late_share: 1.0, late_seconds: 0.2, ..Faults::default() });
    cloud.happen(5);
    while caught.events.len() < 2020 {
        drain(&mut stream, &mut caught).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
