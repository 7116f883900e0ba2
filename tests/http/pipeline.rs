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
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

on_both! {
    the_pipeline_tells_of_each_ems_what_the_process_and_the_vmdb_know
    what_an_ems_usually_sends_is_learned_from_its_stored_events
    a_thousand_emss_are_a_page_of_the_worst_and_a_link_to_the_rest
    the_page_answers_while_the_vmdb_hangs_with_what_it_knew
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

    let page = site.get("/pipeline").await;
    assert!(page.status == StatusCode::OK && page.header("content-type").starts_with("text/html"));
    let bad = page.body.find("<tbody class=\"bad\">").unwrap();
    assert!(
        bad < page.body.find(">quiet<").or(page.body.find("quiet</bdi>")).unwrap(),
        "the worst stands first"
    );
    for part in [
        "demo &lt;cloud&gt;",
        "http://far.example: connection refused",
        "<code>catchall check --connect</code>",
        "The last refresh failed: no &lt;answer&gt;",
        "Once events were lost at the provider",
        "was replaced 2 times",
        "aria-label=\"Events in each of the last 60 minutes, at most ",
        "<a href=\"/pipeline?state=backing_off\">backing off</a> <span class=\"number\">1</span>",
    ] {
        assert!(page.body.contains(part), "{part} is missing in\n{}", page.body);
    }
    assert!(!page.body.contains("<cloud>") && !page.body.contains("<answer>"));
    let paused = site.get("/pipeline?state=paused&sort=name").await.body;
    assert!(paused.contains("quiet") && !paused.contains("far.example"));
    let styles =
        page.body.split("<link rel=\"stylesheet\" href=\"").nth(2).unwrap().split('"').next().unwrap();
    assert_eq!(site.get(styles).await.header("content-type"), "text/css; charset=utf-8");
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

async fn a_thousand_emss_are_a_page_of_the_worst_and_a_link_to_the_rest(fresh: Fresh) {
    fresh
        .batch(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) \
             INSERT INTO ext_management_systems (id, name, type, enabled) \
             SELECT i, 'cloud ' || i, 'ManageIQ::Providers::AwesomeCloud::CloudManager', true FROM n",
        )
        .await;
    let observe = Observe::default();
    for number in 1..=1000 {
        let catcher = observe.actor(ActorKind::EventCatcher, Some(&format!("cloud {number}")));
        if number == 777 {
            catcher.set_failed_state(ActorState::Refused, "401")
        } else {
            catcher.set_state(ActorState::Running)
        }
    }
    let context = HttpContext::new(observe, None);
    context.set_vmdb(fresh.vmdb.clone());
    let site = Site::open(LOOPBACK, context);
    let page = site.get("/pipeline").await.body;
    assert_eq!(page.matches("<th scope=\"row\"><a href=\"/providers/").count(), 200);
    assert!(page.find("cloud 777<").unwrap() < page.find("cloud 1<").unwrap());
    assert!(page.contains("999 of 1000") && page.contains("<a href=\"/pipeline?from=200\">800 more</a>"));
    assert!(page.len() < 300_000, "{}", page.len());
    let last = site.get("/pipeline?from=800&sort=name").await.body;
    assert!(last.contains("Those before") && !last.contains(" more</a>"));
    let status: PipelineStatus = serde_json::from_str(&site.get("/pipeline.json").await.body).unwrap();
    assert_eq!(status.ems.len(), 1000);
    site.close().await;
}

async fn the_page_answers_while_the_vmdb_hangs_with_what_it_knew(fresh: Fresh) {
    let fresh = fresh.with_inventory().await;
    let context = HttpContext::new(Observe::default(), None);
    context.set_vmdb(fresh.vmdb.clone());
    let site = Site::open(LOOPBACK, context);
    assert!(site.get("/pipeline").await.body.contains("demo &lt;cloud&gt;"));
    tokio::time::sleep(Duration::from_secs(1)).await; // until what was read is old
    let (guard, dropped) = channel::<()>();
    let dropped = std::sync::Arc::new(std::sync::Mutex::new(dropped));
    for _ in 0..8 {
        let dropped = dropped.clone();
        drop(fresh.vmdb.read(move |_| {
            let _ = dropped.lock().unwrap().recv();
            Ok(())
        }));
    }
    let page = site.get("/pipeline").await;
    assert!(
        page.status == StatusCode::OK
            && page.body.contains("role=\"alert\"")
            && page.body.contains("no answer within")
    );
    assert!(page.body.contains("demo &lt;cloud&gt;"), "what was known is still shown");
    let status: PipelineStatus = serde_json::from_str(&site.get("/pipeline.json").await.body).unwrap();
    assert!(!status.vmdb.answers && status.vmdb.error.is_some() && status.ems.len() == 2);
    drop(guard);
    site.close().await;
}
