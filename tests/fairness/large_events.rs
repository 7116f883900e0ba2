//! Events of a megabyte, and room for few of them: the streams of 30 EMSs over one byte budget.

use crate::cloud::Cloud;
use catchall::provider::{Authentication, ByteBudget, CatcherSettings, Ems, EmsId, Endpoint, Secret};
use catchall::providers::find;
use catchall::simulator::Faults;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

const EMSS: usize = 30;
const EVENTS: usize = 12;
/// Two pages of the large ones fill it.
const BUDGET: usize = 8 << 20;
const PAGE: u32 = 3;
const MIB: u64 = 1 << 20;

#[actix_rt::test]
async fn one_ems_with_megabyte_events_starves_no_other_and_memory_stays_bounded() {
    let large = Cloud::start(8, 5, Faults { megabyte_share: 1.0, ..Faults::default() });
    let small = Cloud::start(9, 5, Faults::default());
    large.happen(EVENTS * 4);
    small.happen(EVENTS);
    let budget = ByteBudget::new(BUDGET);
    let (most, before) = (AtomicUsize::new(0), resident());
    let read = |number: usize| {
        let (url, events) = if number == 0 { (large.url(), EVENTS * 4) } else { (small.url(), EVENTS) };
        let ems = ems(number, url, &budget);
        let (budget, most) = (&budget, &most);
        async move {
            let mut stream = find("awesome_cloud").unwrap().stream(&ems).unwrap();
            stream.start(None).await.unwrap();
            let mut caught = 0;
            while caught < events {
                let batch = stream.poll().await.unwrap();
                caught += batch.events.len();
                // What a commit takes, during which the batch holds its room.
                tokio::time::sleep(Duration::from_millis(20)).await;
                most.fetch_max(budget.used(), Relaxed);
            }
            (number, Instant::now())
        }
    };
    let all = futures_util::future::join_all((0..EMSS).map(read));
    let ended = tokio::time::timeout(Duration::from_secs(20), all).await.expect("everybody gets their turn");
    let large_ended = ended.iter().find(|(number, _)| *number == 0).unwrap().1;
    let last_small = ended.iter().filter(|(number, _)| *number > 0).map(|(_, end)| *end).max().unwrap();
    assert!(last_small < large_ended, "the small ones waited for all of the large events");
    assert!(most.load(Relaxed) > 3 << 20, "the large events took no room: {most:?}");
    assert_eq!(budget.used(), 0, "all room was given back");
    let grown = resident().saturating_sub(before) / MIB;
    assert!(grown < 64, "the process grew by {grown} MiB over a budget of {} MiB", BUDGET as u64 / MIB);
}

fn ems(number: usize, url: String, budget: &ByteBudget) -> Ems {
    let endpoint = Endpoint { url: Some(url), ..Endpoint::default() };
    let authentication = Authentication { password: Some(Secret::new("demo")), ..Authentication::default() };
    Ems {
        id: EmsId(number as i64 + 1),
        name: format!("cloud {number}"),
        provider_region: None,
        endpoints: BTreeMap::from([("default".to_owned(), endpoint)]),
        authentications: BTreeMap::from([("default".to_owned(), authentication)]),
        catcher: CatcherSettings { ems_event_page_size: PAGE, ..CatcherSettings::default() },
        budget: budget.clone(),
    }
}

/// Bytes of this process.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() * 1024
}
