//! The skeleton of `make new-provider` compiles as it stands and catches: its own tests run here, and its stream and
//! collector talk to a real, if tiny, HTTP server.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

pub use catchall::provider;

#[path = "../templates/provider/mod.rs"]
mod bright_cloud;
mod contract;
mod tiny_cloud;

use bright_cloud::BrightCloud;
use catchall::provider::{
    Authentication, CatcherSettings, CollectionScope, Cursor, Ems, EmsId, Endpoint, EventBatch,
    InitialHistory, Parsed, Provider, RefreshScope, Secret, Stream, StreamError, TargetCollection,
    TargetRequest,
};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use tiny_cloud::Cloud;

const EVENTS: &str = include_str!("../templates/provider/fixtures/events.jsonl");

/// A served cloud and the EMS that stands for it.
struct Street {
    cloud: Arc<Mutex<Cloud>>,
    ems: Ems,
}

impl Street {
    fn new(events: &str) -> Self {
        let mut cloud = Cloud::default();
        cloud.add_events(events);
        let cloud = Arc::new(Mutex::new(cloud));
        let url = Some(tiny_cloud::serve(cloud.clone()));
        let password = Some(Secret::new("token"));
        let ems = Ems {
            id: EmsId(1),
            name: "bright".to_owned(),
            provider_region: None,
            endpoints: BTreeMap::from([("default".to_owned(), Endpoint { url, ..Endpoint::default() })]),
            authentications: BTreeMap::from([(
                "default".to_owned(),
                Authentication { password, ..Authentication::default() },
            )]),
            catcher: CatcherSettings::default(),
            budget: Default::default(),
        };
        Self { cloud, ems }
    }

    fn cloud(&self) -> MutexGuard<'_, Cloud> {
        self.cloud.lock().unwrap()
    }

    fn url(&self) -> String {
        self.ems.endpoints["default"].url.clone().unwrap()
    }

    async fn started(&self, resume_from: Option<Cursor>) -> Box<dyn Stream> {
        let mut stream = BrightCloud.stream(&self.ems).unwrap();
        stream.start(resume_from).await.unwrap();
        stream
    }
}

/// Polls until nothing more is ready: the texts of all events, and the last cursor that was given.
async fn read_all(stream: &mut Box<dyn Stream>) -> (Vec<String>, Option<Cursor>) {
    let (mut texts, mut cursor) = (Vec::new(), None);
    loop {
        let batch: EventBatch = stream.poll().await.unwrap();
        texts.extend(batch.events.into_iter().map(|event| event.text));
        cursor = batch.cursor.or(cursor);
        if !batch.more {
            return (texts, cursor);
        }
    }
}

#[test]
fn the_skeleton_keeps_the_contract() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/provider");
    assert_eq!(contract::violations(&BrightCloud, &folder), Vec::<String>::new());
}

#[tokio::test]
async fn the_stream_reads_every_page_as_it_was_written_and_gives_no_cursor_without_news() {
    let street = Street::new(EVENTS);
    let mut stream = street.started(None).await;
    let (texts, cursor) = read_all(&mut stream).await;
    assert_eq!(texts, EVENTS.lines().collect::<Vec<_>>());
    assert_eq!(cursor.unwrap().position, "2026-11-22T10:32:00Z");
    let (again, cursor) = read_all(&mut stream).await;
    assert_eq!(again, Vec::<String>::new(), "the overlap is read again, and costs nothing");
    assert_eq!(cursor, None);
}

#[tokio::test]
async fn an_event_that_becomes_visible_late_is_read_after_a_restart() {
    let street = Street::new(EVENTS);
    let (_, cursor) = read_all(&mut street.started(None).await).await;
    let late = r#"{"id":"e-6","type":"vm.created","time":"2026-11-22T10:30:30Z","vm":{"id":"vm-2"}}"#;
    street.cloud().add_events(late);
    let (texts, _) = read_all(&mut street.started(cursor).await).await;
    assert!(texts.iter().any(|text| text == late), "{texts:?}");
}

#[tokio::test]
async fn an_event_dated_ahead_of_the_providers_clock_moves_no_cursor() {
    let street = Street::new(EVENTS);
    street.cloud().add_events(r#"{"id":"e-7","type":"vm.created","time":"2027-01-01T00:00:00Z"}"#);
    let (texts, cursor) = read_all(&mut street.started(None).await).await;
    assert_eq!(texts.len(), 6);
    assert_eq!(cursor.unwrap().position, "2026-11-22T10:32:00Z");
}

#[tokio::test]
async fn a_new_ems_that_wants_no_history_begins_at_the_providers_clock() {
    let mut street = Street::new(EVENTS);
    street.ems.catcher.initial_history = InitialHistory::None;
    let (texts, _) = read_all(&mut street.started(None).await).await;
    assert_eq!(texts, Vec::<String>::new());
}

#[tokio::test]
async fn another_source_behind_the_same_ems_is_a_gap() {
    let street = Street::new(EVENTS);
    let foreign = Cursor { source: "http://another".to_owned(), position: "2026-11-22T10:32:00Z".into() };
    let batch = street.started(Some(foreign)).await.poll().await.unwrap();
    assert_eq!(batch.gap.unwrap().reason, "source_changed");
    assert_eq!(batch.events[0].text, EVENTS.lines().next().unwrap());
}

#[tokio::test]
async fn history_lost_is_a_gap_and_the_oldest_event_comes_next() {
    let street = Street::new(EVENTS);
    let cursor = Cursor { source: street.url(), position: "2026-11-01T00:00:00Z".into() };
    let mut stream = street.started(Some(cursor)).await;
    street.cloud().refusal = Some("410 Gone");
    assert!(stream.poll().await.unwrap().more);
    street.cloud().refusal = None;
    let batch = stream.poll().await.unwrap();
    let gap = batch.gap.unwrap();
    assert_eq!(
        (gap.reason.as_str(), gap.from.unwrap().to_rfc3339().as_str()),
        ("history_lost", "2026-11-01T00:00:00+00:00")
    );
    assert_eq!(batch.events[0].text, EVENTS.lines().next().unwrap());
}

#[tokio::test]
async fn a_broken_event_leaves_its_page_whole() {
    let street = Street::new(EVENTS);
    street
        .cloud()
        .events
        .insert(1, ("2026-11-22T10:26:01.5Z".to_owned(), r#"{"id":"e-0", nonsense}"#.to_owned()));
    let (texts, cursor) = read_all(&mut street.started(None).await).await;
    assert_eq!(texts.len(), 6);
    assert_eq!(cursor.unwrap().position, "2026-11-22T10:32:00Z");
}

#[tokio::test]
async fn each_refusal_is_a_decision_and_names_no_secret() {
    let street = Street::new(EVENTS);
    let mut refused = Vec::new();
    for refusal in ["401 Unauthorized", "429 Too Many Requests\r\nretry-after: 7", "503 Unavailable"] {
        street.cloud().refusal = Some(refusal);
        let error = BrightCloud.stream(&street.ems).unwrap().start(None).await.unwrap_err();
        assert!(!error.to_string().contains("token"), "{error}");
        refused.push(error);
    }
    assert!(matches!(refused[0], StreamError::Unauthorized(_)), "{:?}", refused[0]);
    assert!(
        matches!(refused[1], StreamError::Throttled { retry_after, .. } if retry_after.as_secs() == 7),
        "{:?}",
        refused[1]
    );
    assert!(matches!(refused[2], StreamError::Unreachable(_)), "{:?}", refused[2]);
}

#[tokio::test]
async fn a_targeted_refresh_asks_once_for_what_lives_and_never_for_what_is_gone() {
    let street = Street::new("");
    street.cloud().vms = vec![("vm-1".into(), r#"{"id":"vm-1","name":"web-1","state":"running"}"#.into())];
    let event = |line: &str| {
        let native = catchall::provider::NativeEvent::new(line);
        let Parsed::Events(events) = BrightCloud.event_parser().parse(&native).unwrap() else {
            panic!("filtered")
        };
        let event = events.into_iter().next().unwrap().event;
        let targets = BrightCloud.event_target_parser().parse(&event).unwrap();
        (event, targets)
    };
    let request = |line: &str| {
        let (event, targets) = event(line);
        let target = targets.into_iter().next().unwrap();
        TargetRequest { target, event_type: event.event_type, timestamp: event.timestamp }
    };
    let lines: Vec<_> = EVENTS.lines().collect();
    let mut collector = BrightCloud.collector(&street.ems).unwrap().unwrap();

    let alive = TargetCollection::new(vec![request(lines[0]), request(lines[1])]);
    let inventory = collector.collect(&RefreshScope::Targeted(alive)).await.unwrap();
    assert_eq!(street.cloud().asked, ["/api/vms?ids=vm-1"]);
    assert_eq!(inventory.collections[0].rows[0].ems_ref, event(lines[0]).0.vm_ems_ref.unwrap());

    let gone = TargetCollection::new(vec![request(lines[1]), request(lines[3])]);
    let inventory = collector.collect(&RefreshScope::Targeted(gone)).await.unwrap();
    assert_eq!(street.cloud().asked.len(), 1, "a delete needs no call");
    assert!(inventory.collections[0].rows.is_empty());
    assert_eq!(inventory.collections[0].scope, CollectionScope::EmsRefs(vec!["vm-1".to_owned()]));
}
