//! The commit as Catchall does it: the real EventHandler, and event catchers' batches from several EMSs at once.

use crate::natives;
use crate::parser_settings;
use crate::places::Place;
use crate::seeds::{EMSS, seed};
use actix_rt::{Arbiter, System};
use catchall::actor::{ChildId, Children};
use catchall::event_catcher::messages::PutEvents;
use catchall::event_catcher::parser::parse_batch;
use catchall::event_handler::destination::EVENT_STREAMS;
use catchall::event_handler::{Bells, EmsNames, EventHandler, Handling};
use catchall::observe::{ActorKind, EmsFigures, Observe};
use catchall::provider::{Cursor, EmsId, NativeEvent};
use catchall::providers::find;
use catchall::vmdb::{ReadyBatch, ReadyEvent, Work};
use chrono::TimeDelta;
use std::time::{Duration, Instant};

/// What the ParserActor makes of `per_ems` events of each EMS: parsed, related to nothing yet, with their refresh targets.
pub fn ready_events(per_ems: u64) -> Vec<Vec<ReadyEvent>> {
    let provider = find("awesome_cloud").unwrap();
    let begin = catchall::clock::now() - TimeDelta::hours(6);
    let natives: Vec<_> = (0..per_ems)
        .map(|number| begin + TimeDelta::microseconds(i64::try_from(number).unwrap() * 36_007))
        .enumerate()
        .map(|(number, time)| NativeEvent::new(natives::native(number as u64, time)))
        .collect();
    let parsed = parse_batch(provider, &parser_settings::shipped(), &EmsFigures::default(), &natives);
    assert_eq!((parsed.events.len() as u64, parsed.dead_letters.len()), (per_ems, 0));
    assert!(
        parsed
            .events
            .iter()
            .all(|ready| matches!(&ready.work, Work::Refresh(targets) if !targets.is_empty()))
    );
    vec![parsed.events; usize::try_from(EMSS).unwrap()]
}

/// Puts the events through the EventHandler, `batch` at a time and one batch of each EMS in flight, and says how long it
/// took from the first batch to the last reply.
pub fn commit(place: &Place, events: &[Vec<ReadyEvent>], batch: usize) -> Duration {
    System::new().block_on(async {
        let vmdb = place.open().await;
        seed(&vmdb).await;
        let handling = Handling {
            vmdb: vmdb.clone(),
            bells: Bells::default(),
            names: EmsNames::default(),
            observe: Observe::default(),
        };
        let arbiter = Arbiter::new();
        let (children, _down) = Children::new();
        let notice = children.notice(ChildId::of(ActorKind::EventHandler, "", 1));
        let handler = EventHandler::spawn(&arbiter.handle(), handling, EVENT_STREAMS, notice);
        let prepared: Vec<Vec<ReadyBatch>> =
            (1..).zip(events).map(|(ems, events)| batches(EmsId(ems), events, batch)).collect();
        let begin = Instant::now();
        let catchers = prepared.into_iter().map(|batches| {
            let handler = handler.clone();
            async move {
                let mut new_events = 0;
                for batch in batches {
                    let put = PutEvents { batch, sent: Instant::now() };
                    new_events += handler.send(put).await.unwrap().unwrap().new_events;
                }
                new_events
            }
        });
        let new_events: u64 = futures_util::future::join_all(catchers).await.into_iter().sum();
        let took = begin.elapsed();
        assert_eq!(new_events, events.iter().map(|events| events.len() as u64).sum::<u64>());
        let unrelated =
            "SELECT count(*) FROM event_streams WHERE vm_or_template_id IS NULL OR work_id IS NULL";
        let unrelated = vmdb.read(move |connection| connection.rows(unrelated, &[])?[0].id(0)).await.unwrap();
        assert_eq!(unrelated, 0, "every event has its VM and its work");
        arbiter.stop();
        vmdb.close().await;
        took
    })
}

fn batches(ems_id: EmsId, events: &[ReadyEvent], batch: usize) -> Vec<ReadyBatch> {
    events
        .chunks(batch)
        .map(|events| ReadyBatch {
            events: events.to_vec(),
            cursor: Some(Cursor {
                source: "http://127.0.0.1:8585".to_owned(),
                position: events.last().map(|last| last.event.event.timestamp.to_rfc3339()).into(),
            }),
            ..ReadyBatch::of(ems_id)
        })
        .collect()
}
