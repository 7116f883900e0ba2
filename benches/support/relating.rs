//! What relating adds to a commit: events with references, and events without, in turn into one VMDB with 100,000 VMs.

use crate::places::Place;
use crate::seeds::{EMSS, enter};
use catchall::provider::EmsId;
use catchall::vmdb::{ReadyBatch, ReadyEvent, event_commit};
use std::time::{Duration, Instant};

/// In inventory, over all EMSs.
pub const VMS: u64 = 100_000;
/// What relating may add.
const LIMIT: f64 = 0.20;
/// Events of each EMS in a commit.
const BATCH: usize = 100;

/// Commits the events, every other commit without references, and prints what the others took more.
pub async fn report(place: &Place, events: &[Vec<ReadyEvent>]) {
    let vmdb = place.open().await;
    enter(&vmdb, VMS / EMSS).await;
    let mut took = [Vec::new(), Vec::new()];
    let count = events.iter().map(Vec::len).min().unwrap_or(0) / BATCH;
    // In pairs, each beginning with the other way.
    for number in 0..count - count % 2 {
        let related = (number + number / 2) % 2 == 0;
        let batches = batches(events, number, related);
        let began = Instant::now();
        let outcomes = vmdb.commit(0, move |connection| event_commit::commit(connection, &batches)).await;
        took[usize::from(related)].push(began.elapsed());
        assert_eq!(outcomes.unwrap().iter().map(|outcome| outcome.new_events).sum::<u64>(), 100 * EMSS);
    }
    let linked =
        "SELECT count(*) FROM event_streams WHERE vm_or_template_id IS NOT NULL AND host_id IS NOT NULL";
    let linked = vmdb.read(move |connection| connection.rows(linked, &[])?[0].id(0)).await.unwrap();
    assert_eq!(linked, took[1].len() as i64 * 100 * i64::try_from(EMSS).unwrap());
    vmdb.close().await;
    let [without, with] = took.map(median);
    let adds = with / without - 1.0;
    let reached = if adds <= LIMIT { "is reached" } else { "is MISSED" };
    println!(
        "  relating, {VMS} VMs: a commit of {} events takes {with:.1} ms, without references {without:.1} ms: \
         {:.0} % more; at most {:.0} % {reached}",
        BATCH * usize::try_from(EMSS).unwrap(),
        adds * 100.0,
        LIMIT * 100.0
    );
}

/// In milliseconds.
fn median(mut took: Vec<Duration>) -> f64 {
    took.sort_unstable();
    took.get(took.len() / 2).copied().unwrap_or_default().as_secs_f64() * 1e3
}

/// The `number`th commit. Without references the names stay: the rows are as long.
fn batches(events: &[Vec<ReadyEvent>], number: usize, related: bool) -> Vec<ReadyBatch> {
    let one = |(place, ready): (usize, &ReadyEvent)| {
        let mut ready = ready.clone();
        let event = &mut ready.event.event;
        event.host_name.get_or_insert_with(|| "node".to_owned());
        if related {
            // Spread over all VMs, so that no page of an index is at hand because the last event used it.
            let vm = (number * BATCH + place) as u64 * 7_919 % (VMS / EMSS);
            event.vm_ems_ref = Some(format!("vm-{vm:05}"));
            event.host_ems_ref = Some(format!("host-{}", vm % 40));
        } else {
            (event.vm_ems_ref, event.vm_uid_ems, event.host_ems_ref) = (None, None, None);
        }
        ready
    };
    let of_ems = |(ems, events): (i64, &Vec<ReadyEvent>)| ReadyBatch {
        events: events[number * BATCH..(number + 1) * BATCH].iter().enumerate().map(one).collect(),
        ..ReadyBatch::of(EmsId(ems))
    };
    (1..).zip(events).map(of_ems).collect()
}
