//! `/pipeline` and `/pipeline.json`.

use crate::filled::{Fresh, event, on_both};
use crate::site::Site;
use catchall::clock;
use catchall::http::HttpContext;
use catchall::http::pipeline::status::PipelineStatus;
use catchall::observe::{ActorKind, ActorState, Observe};
use chrono::TimeDelta;
use reqwest::StatusCode;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

on_both! {
    the_pipeline_tells_of_each_ems_what_the_process_and_the_vmdb_know
    what_an_ems_usually_sends_is_learned_from_its_stored_events
}

const LOOPBACK: &str = "127.0.0.1:0";

async fn the_pipeline_tells_of_each_ems_what_the_process_and_the_vmdb_know(fresh: Fresh) {
    let fresh = fresh.with_inventory().await;
    fresh
        .batch(
            "INSERT INTO event_gaps (ems_id, ended_on, reason, created_on) VALUES \
             (1, '2026-11-24 10:00:00', 'the cursor expired', '2026-11-24 10:00:01'); \
             UPDATE ext_management_systems SET last_refresh_error = 'no <answer>' WHERE id = 1",
        )
        .await;
    let observe = Observe::default();
    let catcher = observe.actor(ActorKind::EventCatcher, Some("demo <cloud>"));
    catcher.started();
    catcher.set_failed_state(ActorState::BackingOff, "http://far.example: connection refused");
    let stream = observe.actor(ActorKind::Stream, Some("demo <cloud>"));
    for _ in 0..3 {
        stream.started();
    }
    stream.in_flight.store(7, Relaxed);
    let (figures, now) = (observe.ems("demo <cloud>"), clock::now());
    figures.events.fetch_add(2, Relaxed);
    figures.committed(&[now - TimeDelta::seconds(3), now - TimeDelta::seconds(2)], now);
    let context = HttpContext::new(observe, None);
    context.set_vmdb(fresh.vmdb.clone());
    let site = Site::open(LOOPBACK, context);

    let answer = site.get("/pipeline.json").await;
    assert_eq!(answer.status, StatusCode::OK);
    let status: PipelineStatus = serde_json::from_str(&answer.body).unwrap();
    assert!(status.vmdb.answers && status.process.resident_memory_bytes.unwrap() > 1 << 20);
    let [demo, quiet] = &*status.ems else { panic!("{}", answer.body) };
    assert_eq!((demo.id, &*demo.name, &*demo.state), (Some(1), "demo <cloud>", "backing_off"));
    assert_eq!(demo.error.as_deref(), Some("http://far.example: connection refused"));
    assert_eq!((demo.events_total, demo.restarts, demo.in_flight), (2, 2, 7));
    assert!(demo.events_per_second > 0.0 && demo.events_of_minutes.iter().sum::<u32>() == 2);
    assert!((2.0..3.0).contains(&demo.lag_seconds.unwrap()), "{demo:?}");
    assert_eq!((demo.gaps, demo.dead_letters, demo.waiting_work), (1, 0, 0));
    assert_eq!(demo.last_gap.as_ref().unwrap().reason, "the cursor expired");
    assert_eq!(demo.last_refresh_error.as_deref(), Some("no <answer>"));
    assert_eq!((&*quiet.state, quiet.last_event_on, quiet.events_total), ("paused", None, 0));
    let backing_off = status.actors.iter().filter(|actor| actor.state == "backing_off");
    assert_eq!(backing_off.map(|actor| &*actor.actor).collect::<Vec<_>>(), ["event_catcher"]);
    site.close().await;
}

async fn what_an_ems_usually_sends_is_learned_from_its_stored_events(fresh: Fresh) {
    let fresh = fresh.with_inventory().await;
    for minutes_ago in (90..90 + 48 * 60).step_by(30) {
        fresh.event(event("vm.start", minutes_ago)).await;
    }
    let context = HttpContext::new(Observe::default(), None);
    context.set_vmdb(fresh.vmdb.clone());
    let site = Site::open(LOOPBACK, context);
    let end = Instant::now() + Duration::from_secs(30);
    let demo = loop {
        let answer = site.get("/pipeline.json").await;
        let status: PipelineStatus = serde_json::from_str(&answer.body).unwrap();
        let demo = status.ems.into_iter().find(|ems| ems.id == Some(1)).unwrap();
        if demo.usual_events_per_second.is_some() || Instant::now() > end {
            break demo;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    // Two an hour, and none in the last hours, which count too.
    let an_hour = demo.usual_events_per_second.unwrap() * 3600.0;
    assert!((1.8..=2.1).contains(&an_hour), "{an_hour}");
    let silence = (clock::now() - demo.last_event_on.unwrap()).num_minutes();
    assert!((89..=91).contains(&silence), "{silence}");
    assert!((2.0..=3.5).contains(&demo.silence_ratio.unwrap()), "{demo:?}");
    site.close().await;
}
