//! What the commands of the command line read and steer, on both databases.

use crate::filled::{Event, Fresh, event, on_both};
use catchall::cli::{ems, events, retry, status};
use catchall::clock;
use catchall::provider::{EmsEvent, EmsId, FullData, ParsedEvent};
use catchall::vmdb::{ReadyEvent, Work};

on_both! {
    status_tells_of_every_ems_what_it_does_and_what_went_wrong
    events_are_listed_like_a_log
    a_dead_letter_is_shown_with_its_native_text_and_parsed_again
    an_ems_is_paused_and_resumed_by_its_name
    commands_say_what_to_do_where_there_is_nothing
}

async fn status_tells_of_every_ems_what_it_does_and_what_went_wrong(fresh: Fresh) {
    let fresh = fresh.with_inventory().await;
    fresh.event(event("vm.stop", 5)).await;
    fresh.event(event("vm.stop", 60 * 24 * 3)).await;
    fresh.event(Event { ems_id: 2, ..event("vm.stop", 60 * 24 * 3) }).await;
    fresh
        .batch(
            "INSERT INTO miq_queue (queue_name, class_name, state) VALUES ('ems_1', 'EmsRefresh', 'ready'), \
             ('ems_1', 'EmsRefresh', 'dequeue'), ('ems', 'EmsEvent', 'ready'); \
             INSERT INTO event_gaps (ems_id, reason, created_on) VALUES (1, 'history_lost', '2026-11-24 00:00:00'); \
             INSERT INTO dead_letters (ems_id, event_uid, native, reason, created_on) \
             VALUES (2, 'u', 'n', 'r', '2026-11-24 00:00:00'); \
             UPDATE ext_management_systems SET last_refresh_error = 'refused' WHERE id = 1",
        )
        .await;
    let now = clock::now();
    let text = fresh.vmdb.read(move |connection| status::text(connection, now)).await.unwrap();
    let cells =
        |line: usize| text.lines().nth(line).unwrap().split("  ").map(str::trim).filter(|c| !c.is_empty());
    assert_eq!(
        cells(1).collect::<Vec<_>>(),
        ["demo <cloud>", "enabled", "5 min ago", "1", "never", "2", "0", "1", "failed"]
    );
    assert_eq!(
        cells(2).collect::<Vec<_>>(),
        ["quiet", "paused", "3 d ago", "0", "never", "0", "1", "0", "never"]
    );
    assert!(text.contains("demo <cloud>: the last refresh failed: refused\n"), "{text}");
    assert!(text.contains("`catchall events --dead --ems 'quiet'`"), "{text}");

    let json = fresh.vmdb.read(move |connection| status::json(connection, now)).await.unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json[0]["name"], "demo <cloud>");
    assert_eq!(json[0]["waiting_work"], 2);
    assert_eq!(json[1]["state"], "paused");
}

async fn events_are_listed_like_a_log(fresh: Fresh) {
    let fresh = fresh.with_inventory().await;
    fresh.event(Event { vm: Some(11), message: Some("two\nlines\u{1b}[31m"), ..event("vm.stop", 5) }).await;
    fresh.event(Event { host: Some(7), ..event("host.up", 3) }).await;
    fresh.event(Event { ems_id: 2, ..event("elsewhere", 1) }).await;
    let chosen = events::Chosen { ems_id: Some(EmsId(1)), limit: 10 };
    let (text, json) = fresh
        .vmdb
        .read(move |connection| {
            assert_eq!(events::ems_called(connection, "demo <cloud>")?, Some(EmsId(1)));
            assert_eq!(events::ems_called(connection, "demo")?, None);
            let text = events::text(connection, &chosen, clock::now())?;
            Ok((text, events::json_lines(connection, &chosen)?))
        })
        .await
        .unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[1].contains("vm.stop") && lines[1].contains("VM gone"), "{text}");
    assert!(lines[1].ends_with("two lines\u{FFFD}[31m"), "a terminal obeys nothing of it: {text}");
    assert!(lines[2].contains("host host-7"), "the newest is the last: {text}");
    let first: serde_json::Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert_eq!(first["event_type"], "vm.stop");
    assert_eq!(
        first["resources"][0],
        serde_json::json!({"kind": "VM", "id": 11, "name": "gone", "destination": false})
    );
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
    let chosen = events::Chosen { ems_id: Some(EmsId(1)), limit: 10 };
    let (text, json) = fresh
        .vmdb
        .read(move |connection| {
            let text = events::dead_text(connection, &chosen, clock::now())?;
            Ok((text, events::dead_json_lines(connection, &chosen)?))
        })
        .await
        .unwrap();
    assert!(text.contains("  reason: no JSON\n  native: still broken\n"), "{text}");
    assert_eq!(json.lines().count(), 2);

    let prepare = |_: EmsId, native: &str| match native {
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

async fn an_ems_is_paused_and_resumed_by_its_name(fresh: Fresh) {
    let fresh = fresh.with_inventory().await;
    let states = || async {
        let text = fresh.vmdb.read(|connection| ems::list(connection, clock::now())).await.unwrap();
        text.lines().skip(1).map(|line| line.contains("  paused  ")).collect::<Vec<_>>()
    };
    assert_eq!(states().await, [false, true]);
    let said = fresh
        .vmdb
        .write(|connection| {
            ems::resume(connection, "quiet").unwrap();
            Ok(ems::pause(connection, "demo <cloud>").unwrap())
        })
        .await
        .unwrap();
    assert!(said.starts_with("demo <cloud> is paused."), "{said}");
    assert_eq!(states().await, [true, false]);
    let error = fresh
        .vmdb
        .write(|connection| Ok(ems::restart(connection, "demo <cloud>").unwrap_err()))
        .await
        .unwrap();
    assert!(error.to_string().starts_with("demo <cloud> is not caught from; "), "{error}");
    let error =
        fresh.vmdb.write(|connection| Ok(ems::pause(connection, "quite").unwrap_err())).await.unwrap();
    assert_eq!(error.to_string(), "there is no EMS \"quite\" in the VMDB; there are: demo <cloud>, quiet");
}

async fn commands_say_what_to_do_where_there_is_nothing(fresh: Fresh) {
    let said = fresh
        .vmdb
        .read(|connection| {
            let chosen = events::Chosen { ems_id: None, limit: 10 };
            let now = clock::now();
            let status = status::text(connection, now)?;
            Ok([
                status,
                events::text(connection, &chosen, now)?,
                events::dead_text(connection, &chosen, now)?,
            ])
        })
        .await
        .unwrap();
    assert_eq!(
        said,
        [
            "No EMS is known yet. Add one to ext_management_systems in the settings, then `catchall run`.\n",
            "No events. `catchall status` tells when each EMS was last heard.\n",
            "No dead letters.\n"
        ]
    );
}
