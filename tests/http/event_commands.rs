//! `events`, `events --dead` and `tail` as they read the VMDB, on both databases.

use crate::filled::{Event, Fresh, event, groups, on_both};
use catchall::cli::event_filter::{EventFilter, EventFilterArguments};
use catchall::cli::tail::Follower;
use catchall::cli::terminal::Screen;
use catchall::cli::{dead, ems_names, events, retry};
use catchall::clock;
use catchall::provider::{EmsEvent, EmsId, FullData, NativeEvent, ParsedEvent};
use catchall::settings::EventGroups;
use catchall::vmdb::{ReadyEvent, Work};

on_both! {
    events_are_listed_like_a_log
    events_are_chosen_by_every_filter
    a_tail_tells_the_latest_events_and_then_each_new_one_that_is_asked_for
    a_dead_letter_is_shown_with_its_native_text_and_parsed_again
}

async fn events_are_listed_like_a_log(fresh: Fresh) {
    let fresh = fresh.with_inventory().await;
    fresh.event(Event { vm: Some(11), message: Some("two\nlines\u{1b}[31m"), ..event("vm.stop", 5) }).await;
    fresh.event(Event { host: Some(7), ..event("host.up", 3) }).await;
    fresh.event(Event { ems_id: 2, ..event("elsewhere", 1) }).await;
    let ems = fresh.vmdb.read(|connection| Ok(ems_names::id_of(connection, "demo <cloud>").unwrap())).await;
    assert_eq!(ems.unwrap(), EmsId(1));
    let of_demo =
        EventFilterArguments { ems: Some("demo <cloud>".to_owned()), ..EventFilterArguments::default() };
    let found = found(&fresh, of_demo, 10).await.unwrap();
    let text = events::text(&found, &groups(), clock::now(), &Screen::default());
    let json = events::json_lines(&found, &groups());
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[1].contains("vm.stop") && lines[1].contains("VM gone"), "{text}");
    assert!(lines[1].ends_with("two lines\u{FFFD}[31m"), "a terminal obeys nothing of it: {text}");
    assert!(lines[2].contains("host host-7"), "the newest is the last: {text}");
    let first: serde_json::Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert_eq!(first["event_type"], "vm.stop");
    assert_eq!((&first["group"], &first["level"]), (&"power".into(), &"critical".into()));
    assert_eq!(
        first["resources"][0],
        serde_json::json!({"kind": "VM", "id": 11, "name": "gone", "destination": false})
    );
}

async fn found(fresh: &Fresh, written: EventFilterArguments, limit: usize) -> Result<events::Found, String> {
    let filter = EventFilter::new(&written, &groups(), clock::now()).unwrap();
    let chosen = events::Chosen { filter, limit };
    let read = move |connection: &mut _| Ok(events::read(connection, &chosen, &groups()));
    fresh.vmdb.read(read).await.unwrap().map_err(|error| error.to_string())
}

async fn events_are_chosen_by_every_filter(fresh: Fresh) {
    let fresh = fresh.with_inventory().await;
    fresh.event(Event { vm: Some(11), message: Some("Shut down"), ..event("vm.stop", 90) }).await;
    fresh.event(Event { vm: Some(10), dest_host: Some(7), ..event("vm.create", 5) }).await;
    fresh.event(Event { ems_id: 2, vm_name: Some("web-1"), ..event("elsewhere", 1) }).await;
    let none = EventFilterArguments::default;
    let text = |text: &str| Some(text.to_owned());
    for (written, types) in [
        (none(), &["vm.stop", "vm.create", "elsewhere"][..]),
        (EventFilterArguments { ems: text("quiet"), ..none() }, &["elsewhere"]),
        (EventFilterArguments { event_type: text("vm.create"), ..none() }, &["vm.create"]),
        (EventFilterArguments { event_type: text("/^vm/"), ..none() }, &["vm.stop", "vm.create"]),
        (EventFilterArguments { level: text("critical"), ..none() }, &["vm.stop"]),
        (EventFilterArguments { group: text("other"), ..none() }, &["elsewhere"]),
        (EventFilterArguments { since: text("10.minutes"), ..none() }, &["vm.create", "elsewhere"]),
        (EventFilterArguments { until: text("10.minutes"), ..none() }, &["vm.stop"]),
        (EventFilterArguments { resource: text("vm:gone"), ..none() }, &["vm.stop"]),
        (EventFilterArguments { resource: text("vm:vm-10"), ..none() }, &["vm.create"]),
        (EventFilterArguments { resource: text("host:7"), ..none() }, &["vm.create"]),
        (EventFilterArguments { level: text("warning"), ..none() }, &[]),
        (EventFilterArguments { text: text("sHUT"), ..none() }, &["vm.stop"]),
        (EventFilterArguments { text: text("web-1"), ..none() }, &["elsewhere"]),
        (EventFilterArguments { text: text("vm."), ..none() }, &["vm.stop", "vm.create"]),
        (EventFilterArguments { text: text("%"), ..none() }, &[]),
    ] {
        let events = found(&fresh, written.clone(), 10).await.unwrap().events;
        let found: Vec<_> = events.iter().map(|event| event.event_type.as_str()).collect();
        assert_eq!(found, types, "{written:?}");
    }
    for (written, says) in [
        (EventFilterArguments { ems: text("quite"), ..none() }, "did you mean \"quiet\"?"),
        (EventFilterArguments { resource: text("vm:nobody"), ..none() }, "there is no VM \"nobody\""),
    ] {
        let error = found(&fresh, written, 10).await.unwrap_err();
        assert!(error.contains(says), "{error}");
    }
    for number in 0..1_100 {
        fresh.event(event("many", 200 + number)).await;
    }
    let many = EventFilterArguments { event_type: text("many"), ..none() };
    assert_eq!(found(&fresh, many, 1_050).await.unwrap().events.len(), 1_050, "more than a page of the VMDB");
}

async fn a_tail_tells_the_latest_events_and_then_each_new_one_that_is_asked_for(fresh: Fresh) {
    let fresh = fresh.with_inventory().await;
    for minutes_ago in [3, 2, 1] {
        fresh.event(event("vm.stop", minutes_ago)).await;
    }
    let written =
        EventFilterArguments { level: Some("critical".to_owned()), ..EventFilterArguments::default() };
    let filter = EventFilter::new(&written, &groups(), clock::now()).unwrap();
    let begin = move |connection: &mut _| Ok(Follower::begin(connection, filter, groups(), 2));
    let (mut follower, seen) = fresh.vmdb.read(begin).await.unwrap().unwrap();
    assert_eq!(seen.events.len(), 2);
    assert!(seen.events[0].position.timestamp < seen.events[1].position.timestamp, "as in a log");
    fresh.event(event("vm.create", 0)).await;
    let new = fresh.event(event("vm.stop", 10)).await;
    let look = move |connection: &mut _| {
        let first = follower.look(connection)?;
        Ok((first, follower.look(connection)?))
    };
    let (first, second) = fresh.vmdb.read(look).await.unwrap();
    let ids: Vec<_> = first.events.iter().map(|event| event.position.id).collect();
    assert_eq!(ids, [new], "an event that happened earlier is new all the same");
    assert!(second.events.is_empty(), "and is told once");
}

async fn a_dead_letter_is_shown_with_its_native_text_and_parsed_again(fresh: Fresh) {
    let fresh = fresh.with_inventory().await;
    fresh
        .batch(
            "INSERT INTO dead_letters (ems_id, event_uid, native, reason, created_on) VALUES \
             (1, 'a', 'readable now', 'no type', '2026-11-24 00:00:00'), \
             (1, 'b', 'still broken', 'no JSON', '2026-11-24 00:00:00'), \
             (2, 'c', 'readable now', 'no type', '2026-11-24 00:00:00')",
        )
        .await;
    let written =
        EventFilterArguments { ems: Some("demo <cloud>".to_owned()), ..EventFilterArguments::default() };
    let letters = async |written: EventFilterArguments| {
        let filter = EventFilter::new(&written, &EventGroups::default(), clock::now()).unwrap();
        let read = move |connection: &mut _| {
            let query = filter.dead_letters(connection, 10).unwrap();
            let text = dead::text(connection, &query, clock::now())?;
            Ok((text, dead::json_lines(connection, &query)?))
        };
        fresh.vmdb.read(read).await.unwrap()
    };
    let (text, json) = letters(written.clone()).await;
    assert!(text.contains("  reason: no JSON\n  native: still broken\n"), "{text}");
    assert_eq!(json.lines().count(), 2);
    let (_, json) = letters(EventFilterArguments { text: Some("STILL".to_owned()), ..written }).await;
    let letter: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&letter["event_uid"], &letter["transport_id"]), (&"b".into(), &serde_json::Value::Null));
    let odd = EventFilterArguments { text: Some("%".to_owned()), ..EventFilterArguments::default() };
    assert_eq!(letters(odd).await.0, "No dead letters.\n");

    let prepare = |_: EmsId, native: &NativeEvent| match native.text.as_str() {
        "readable now" => Ok(vec![ready()]),
        other => Err(format!("cannot read {other}")),
    };
    let retried =
        fresh.vmdb.write(move |connection| retry(connection, Some(EmsId(1)), prepare)).await.unwrap();
    assert_eq!(retried.to_string(), "1 dead letters could be read now (1 new events), 1 still cannot");
    let left = fresh
        .vmdb
        .read(|connection| {
            let rows = connection
                .rows("SELECT ems_id, native, reason, attempts FROM dead_letters ORDER BY id", &[])?;
            let row = |row: &catchall::vmdb::Fields| {
                (row.integer(0), row.string(1).unwrap(), row.string(2).unwrap(), row.integer(3).unwrap_or(0))
            };
            Ok(rows.iter().map(row).collect::<Vec<_>>())
        })
        .await
        .unwrap();
    let text = |text: &str| text.to_owned();
    assert_eq!(
        left,
        [
            (Some(1), text("still broken"), text("cannot read still broken"), 1),
            (Some(2), text("readable now"), text("no type"), 0)
        ]
    );
    let stored =
        fresh.vmdb.read(|connection| connection.rows("SELECT ems_id FROM event_streams", &[])).await.unwrap();
    assert_eq!(stored.len(), 1);
    let work =
        fresh.vmdb.read(|connection| connection.rows("SELECT work_id FROM miq_queue", &[])).await.unwrap();
    assert_eq!(work.len(), 1, "what follows from the event is queued with it");
}

fn ready() -> ReadyEvent {
    let event = EmsEvent {
        event_type: "late".to_owned(),
        source: "TEST".to_owned(),
        timestamp: clock::now(),
        full_data: FullData::from_text("{}".to_owned()).unwrap(),
        ..EmsEvent::default()
    };
    ReadyEvent::new(ParsedEvent { event_uid: "late-1".to_owned(), event }, Work::FullRefresh)
}
