//! Probes, metrics, access, and what is common to all answers.

use crate::filled::{Fresh, on_both};
use crate::site::Site;
use catchall::http::{HttpContext, ServeError, SettingsPart, serve};
use catchall::observe::{ActorKind, ActorState, Observe};
use catchall::provider::Secret;
use reqwest::{Method, StatusCode};
use serde_json::json;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

on_both! {
    readyz_is_false_while_the_vmdb_answers_but_takes_no_commits
    readyz_says_which_event_catcher_is_not_running_until_all_are
    probes_answer_within_two_seconds_while_the_vmdb_is_away
}

const LOOPBACK: &str = "127.0.0.1:0";
const EVERYWHERE: &str = "0.0.0.0:0";

fn two_event_catchers() -> (Observe, SettingsPart) {
    let observe = Observe::default();
    observe.actor(ActorKind::EventCatcher, Some("demo")).set_state(ActorState::Running);
    observe
        .actor(ActorKind::EventCatcher, Some("far away"))
        .set_failed_state(ActorState::BackingOff, "http://far.example: connection refused");
    let event_catchers = vec!["demo".to_owned(), "far away".to_owned()];
    (observe, SettingsPart { event_catchers, ..SettingsPart::default() })
}

/// Keeps every reading thread of the VMDB busy until the guard is dropped.
fn hang(fresh: &Fresh) -> std::sync::mpsc::Sender<()> {
    let (guard, dropped) = std::sync::mpsc::channel::<()>();
    let dropped = Arc::new(Mutex::new(dropped));
    for _ in 0..8 {
        let dropped = dropped.clone();
        drop(fresh.vmdb.read(move |_| {
            let _ = dropped.lock().unwrap().recv();
            Ok(())
        }));
    }
    guard
}

async fn readyz_says_which_event_catcher_is_not_running_until_all_are(fresh: Fresh) {
    let (observe, settings) = two_event_catchers();
    let context = HttpContext::new(observe.clone(), None);
    context.set_settings(settings);
    let site = Site::open(LOOPBACK, context.clone());

    let answer = site.get("/readyz?vmdb").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        answer.json(),
        json!({"ready": false, "vmdb": {"ready": false, "error": "it is not open yet"}})
    );
    context.set_vmdb(fresh.vmdb.clone());
    let answer = site.get("/readyz").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        answer.json(),
        json!({"ready": false, "vmdb": {"ready": true}, "event_catchers": {"enabled": 2, "running": 1, "not_running": [
            {"ems": "far away", "state": "backing_off", "error": "http://far.example: connection refused"}]}})
    );
    assert_eq!(site.get("/readyz?vmdb").await.status, StatusCode::OK);
    assert_eq!(site.get("/healthz").await.status, StatusCode::OK);

    observe.actor(ActorKind::EventCatcher, Some("far away")).set_state(ActorState::Running);
    assert_eq!(site.get("/readyz").await.status, StatusCode::OK);

    context.set_settings(SettingsPart { event_catchers: vec!["brand new".to_owned()], ..Default::default() });
    let answer = site.get("/readyz").await;
    assert_eq!(answer.json()["event_catchers"]["not_running"][0]["state"], "stopped");
    site.close().await;
}

async fn readyz_is_false_while_the_vmdb_answers_but_takes_no_commits(fresh: Fresh) {
    let observe = Observe::default();
    let context = HttpContext::new(observe.clone(), None);
    context.set_vmdb(fresh.vmdb.clone());
    let site = Site::open(LOOPBACK, context);
    assert_eq!(site.get("/readyz").await.status, StatusCode::OK);
    let handler = observe.actor(ActorKind::EventHandler, None);
    handler.set_failed_state(ActorState::WaitingForVmdb, "the VMDB cannot be written: no room");
    for probe in ["/readyz", "/readyz?vmdb"] {
        let answer = site.get(probe).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        let error = "it takes no commits: the VMDB cannot be written: no room";
        assert_eq!(answer.json()["vmdb"], json!({"ready": false, "error": error}));
    }
    assert_eq!(site.get("/healthz").await.status, StatusCode::OK);
    handler.set_state(ActorState::Running);
    assert_eq!(site.get("/readyz").await.status, StatusCode::OK);
    site.close().await;
}

async fn probes_answer_within_two_seconds_while_the_vmdb_is_away(fresh: Fresh) {
    let context = HttpContext::new(Observe::default(), None);
    context.set_vmdb(fresh.vmdb.clone());
    let site = Site::open(LOOPBACK, context);
    let away = hang(&fresh);
    for _ in 0..2 {
        let asked = Instant::now();
        let answer = site.get("/readyz").await;
        assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.json()["vmdb"], json!({"ready": false, "error": "no answer within 1.5s"}));
    }
    assert_eq!(site.get("/readyz?vmdb").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(site.get("/healthz").await.body, "ok\n");
    drop(away);
    assert_eq!(site.get("/readyz?vmdb").await.status, StatusCode::OK);
    site.close().await;
}

#[tokio::test]
async fn off_loopback_a_probe_without_the_token_only_counts() {
    let (observe, settings) = two_event_catchers();
    let context = HttpContext::new(observe, Some(Secret::new("s3cret")));
    context.set_settings(settings);
    let site = Site::open(EVERYWHERE, context);

    let answer = site.get("/readyz").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        answer.json(),
        json!({"ready": false, "vmdb": {"ready": false}, "event_catchers": {"enabled": 2, "running": 1}})
    );
    let answer = site.get_with("/readyz", ("authorization", "Bearer s3cret")).await;
    assert_eq!(answer.json()["event_catchers"]["not_running"][0]["ems"], "far away");
    assert_eq!(site.get("/healthz").await.status, StatusCode::OK);
    site.close().await;
}

#[tokio::test]
async fn all_but_the_probes_wants_the_token_once_there_is_one() {
    let site = Site::open(LOOPBACK, HttpContext::new(Observe::default(), Some(Secret::new("s3cret"))));
    for path in ["/metrics", "/no-such-page", "/healthz/", "//readyz"] {
        let answer = site.get(path).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
        assert!(!answer.body.contains("s3cret"));
        assert!(answer.header("www-authenticate").contains("catchall"));
        let wrong = site.get_with(path, ("authorization", "Bearer s3cre")).await;
        assert_eq!(wrong.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    assert_eq!(site.get_with("/metrics", ("authorization", "Bearer s3cret")).await.status, StatusCode::OK);
    // As a browser asks, with `any:s3cret`.
    let answer = site.get_with("/metrics", ("authorization", "Basic YW55OnMzY3JldA==")).await;
    assert_eq!(answer.status, StatusCode::OK);
    site.close().await;
}

#[tokio::test]
async fn metrics_come_in_the_format_that_is_asked_for() {
    let observe = Observe::default();
    observe.ems("demo").events.fetch_add(3, std::sync::atomic::Ordering::Relaxed);
    let site = Site::open(LOOPBACK, HttpContext::new(observe, None));

    let answer = site.get("/metrics").await;
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    assert!(
        answer.body.contains("# TYPE catchall_events_total counter\ncatchall_events_total{ems=\"demo\"} 3\n")
    );

    let answer = site.get_with("/metrics", ("accept", "application/openmetrics-text;version=1.0.0")).await;
    assert_eq!(answer.header("content-type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert!(answer.body.contains("# TYPE catchall_events counter\ncatchall_events_total{ems=\"demo\"} 3\n"));
    assert!(answer.body.ends_with("# EOF\n"));
    site.close().await;
}

#[tokio::test]
async fn every_answer_forbids_scripts_and_wrong_requests_are_told_so() {
    let site = Site::open(LOOPBACK, HttpContext::new(Observe::default(), None));
    for (method, path, status) in [
        (Method::GET, "/healthz", StatusCode::OK),
        (Method::HEAD, "/healthz", StatusCode::OK),
        (Method::GET, "/nowhere", StatusCode::NOT_FOUND),
        (Method::POST, "/metrics", StatusCode::METHOD_NOT_ALLOWED),
        (Method::DELETE, "/readyz", StatusCode::METHOD_NOT_ALLOWED),
    ] {
        let answer = site.ask(method.clone(), path, &[]).await;
        assert_eq!(answer.status, status, "{method} {path}");
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self';"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.body.is_empty(), method == Method::HEAD);
    }
    site.close().await;
}

#[tokio::test]
async fn a_taken_address_is_named_and_a_stopped_server_gives_it_back() {
    let context = HttpContext::new(Observe::default(), None);
    let server = serve(LOOPBACK.parse().unwrap(), context.clone()).unwrap();
    let listen = server.addr;
    let error = serve(listen, context.clone()).unwrap_err();
    assert!(matches!(error, ServeError::Listen { .. }));
    assert!(error.to_string().starts_with(&format!("http.listen: cannot listen on {listen}: ")), "{error}");
    server.stop().await;
    serve(listen, context).unwrap().stop().await;
}
