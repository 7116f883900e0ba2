//! What the commands of the command line read and steer, on both databases.

use crate::filled::{Event, Fresh, event, on_both};
use catchall::cli::{ems, events, queue, retry, status};
use catchall::clock;
use catchall::provider::{EmsEvent, EmsId, FullData, NativeEvent, ParsedEvent};
use catchall::vmdb::queue::{QueueQuery, Standing, Steered, drop_row, standing};
use catchall::vmdb::{ReadyEvent, Work};

on_both! {
    status_tells_of_every_ems_what_it_does_and_what_went_wrong
    events_are_listed_like_a_log
    a_dead_letter_is_shown_with_its_native_text_and_parsed_again
    an_ems_is_paused_and_resumed_by_its_name
    the_queue_shows_all_kinds_of_work_with_holders_and_errors
    a_claimed_row_is_neither_retried_nor_dropped
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

/// One row of each kind: ids 1 to 5.
async fn with_work(fresh: Fresh) -> Fresh {
    let fresh = fresh.with_inventory().await;
    fresh
        .batch(
            "INSERT INTO miq_queue (id, queue_name, class_name, method_name, state, target_id, work_id, handler_id, args) VALUES \
             (1, 'ems_1', 'EmsRefresh', 'refresh', 'dequeue', NULL, 70, 4242, '[{\"full\":true,\"targets\":[]}]'), \
             (2, 'ems_2', 'EmsRefresh', 'refresh', 'error', NULL, 71, NULL, '[{\"full\":false,\"targets\":[]}]'), \
             (3, 'ems', 'EmsEvent', 'add', 'ready', 1, NULL, NULL, '[{\"event\":{\"event_type\":\"vm.stop\"}}]'), \
             (4, 'generic', 'MiqAeEngine', 'deliver', 'ready', 2, NULL, NULL, '[{},{}]'), \
             (5, 'webhooks', 'Webhook', 'deliver', 'error', 1, NULL, NULL, '{\"webhook\":\"pager\"}'); \
             INSERT INTO ems_refreshes (work_id, ems_id, kind, error, attempts) VALUES \
             (71, 1, 'targeted', 'of another EMS', 1), (71, 2, 'targeted', 'no such thing', 3); \
             INSERT INTO event_actions (kind, name, state, reason, queue_id, attempts, requested_on) VALUES \
             ('webhook', 'pager', 'dead', '502', 5, 8, '2026-11-24 00:00:00')",
        )
        .await;
    fresh
}

async fn the_queue_shows_all_kinds_of_work_with_holders_and_errors(fresh: Fresh) {
    let fresh = with_work(fresh).await;
    let all = QueueQuery { limit: 4, ..QueueQuery::default() };
    let text = fresh.vmdb.read(move |c| queue::text(c, &all, clock::now())).await.unwrap();
    let lines: Vec<&str> = text.lines().collect();
    for (line, words) in [
        (1, &["dequeue, process 4242", "demo <cloud>", "everything"][..]),
        (2, &["error", "quiet", "3 times, last: no such thing"]),
        (3, &["EmsEvent.add", "demo <cloud>", "vm.stop"]),
        (4, &["MiqAeEngine.deliver", "quiet", "2 events"]),
        (5, &["and 1 more"]),
    ] {
        assert!(words.iter().all(|word| lines[line].contains(word)), "{words:?}: {text}");
    }
    let of_first = QueueQuery { ems_id: Some(EmsId(1)), limit: 9, ..QueueQuery::default() };
    let json = fresh.vmdb.read(move |c| queue::json_lines(c, &of_first)).await.unwrap();
    let rows: Vec<serde_json::Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.iter().map(|row| row["id"].as_i64().unwrap()).collect::<Vec<_>>(), [1, 3, 5]);
    assert_eq!((&rows[2]["error"], &rows[2]["failures"]), (&"502".into(), &8.into()));
    let shown = fresh.vmdb.read(|c| queue::show(c, 5, false, clock::now())).await.unwrap().unwrap();
    assert!(
        shown.contains("failed     8 times, last: 502\n") && shown.contains("what       pager\n"),
        "{shown}"
    );
    assert_eq!(fresh.vmdb.read(|c| queue::show(c, 99, false, clock::now())).await.unwrap(), None);
}

async fn a_claimed_row_is_neither_retried_nor_dropped(fresh: Fresh) {
    use catchall::vmdb::queue;
    let fresh = with_work(fresh).await;
    let steered =
        fresh.vmdb.write(|c| Ok([queue::retry(c, 1)?, drop_row(c, 1)?, drop_row(c, 99)?])).await.unwrap();
    assert_eq!(steered, [Steered::Claimed(Some(4242)), Steered::Claimed(Some(4242)), Steered::Missing]);

    assert_eq!(fresh.vmdb.write(|c| queue::retry_all_failed(c, Some(EmsId(1)))).await.unwrap(), 1);
    let states = || async {
        let sql = "SELECT state FROM miq_queue WHERE id > 1 ORDER BY id";
        let rows = fresh.vmdb.read(|c| c.rows(sql, &[])).await.unwrap();
        rows.iter().map(|row| row.string(0).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(states().await, ["error", "ready", "ready", "ready"]);
    let failed = Standing::Failed("no such thing".to_owned(), false);
    assert_eq!(fresh.vmdb.read(|c| standing(c, EmsId(2), 71)).await.unwrap(), failed);

    let dropped = fresh.vmdb.write(|c| Ok([drop_row(c, 2)?, drop_row(c, 5)?])).await.unwrap();
    assert!(dropped.iter().all(|steered| matches!(steered, Steered::Done(_))), "{dropped:?}");
    let told = Standing::Failed("dropped by `catchall queue drop`".to_owned(), false);
    assert_eq!(fresh.vmdb.read(|c| standing(c, EmsId(2), 71)).await.unwrap(), told);
    let action = fresh.vmdb.read(|c| c.rows("SELECT state FROM event_actions", &[])).await.unwrap();
    assert_eq!(action[0].text(0), Some("skipped"));
    assert_eq!(states().await, ["ready", "ready"]);
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
