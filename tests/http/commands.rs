//! What the commands of the command line read and steer, on both databases.

use crate::filled::{Event, Fresh, event, on_both};
use catchall::cli::pipeline::{EmsState, NotAsked, Pipeline};
use catchall::cli::standing::Standing;
use catchall::cli::terminal::Screen;
use catchall::cli::{dead, ems, events, queue, status};
use catchall::clock;
use catchall::provider::EmsId;
use catchall::vmdb::queue::{self as rows, QueueQuery, Steered, drop_row, standing};
use catchall::vmdb::{VmdbError, overview};

on_both! {
    status_tells_of_every_ems_what_it_does_and_what_went_wrong
    status_believes_the_process_and_says_so
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
    let told = told(&fresh, Err(NotAsked::Off)).await;
    let text = status::text(&told, now, &Screen::default());
    assert!(text.starts_with(
        "Told by the VMDB alone: a running Catchall cannot be asked, since http.listen is off.\n\
         2 EMSs: 1 enabled, 1 paused\n"
    ));
    let cells =
        |line: usize| text.lines().nth(line).unwrap().split("  ").map(str::trim).filter(|c| !c.is_empty());
    assert_eq!(
        cells(4).collect::<Vec<_>>(),
        ["demo <cloud>", "enabled", "5 min ago", "-", "-", "1", "2", "0", "1", "-", "failed", "never"]
    );
    assert_eq!(
        cells(5).collect::<Vec<_>>(),
        ["quiet", "paused", "3 d ago", "-", "-", "0", "0", "1", "0", "-", "never", "never"]
    );
    assert!(
        text.contains("\ndemo <cloud>\n  the last refresh failed: refused; `catchall queue list"),
        "{text}"
    );
    assert!(text.contains("  once events were lost at the provider;"), "{text}");
    assert!(text.contains("`catchall events --dead --ems 'quiet'`"), "{text}");
    let narrow = status::text(&told, now, &Screen { columns: Some(50), colours: false });
    let table = narrow.lines().skip(3).take(3);
    assert!(table.clone().all(|line| line.len() <= 50) && narrow.contains("DEAD"), "{narrow}");

    let json: serde_json::Value = serde_json::from_str(&status::json(&told, now)).unwrap();
    assert_eq!((&json["told_by"], &json["process"]), (&"vmdb".into(), &serde_json::Value::Null));
    assert_eq!(json["ems"][0]["name"], "demo <cloud>");
    assert_eq!(json["ems"][0]["waiting_work"], 2);
    assert_eq!(json["ems"][0]["last_gap"]["reason"], "history_lost");
    assert_eq!(json["ems"][1]["state"], "paused");
}

async fn told(fresh: &Fresh, process: Result<Pipeline, NotAsked>) -> Standing {
    let overview = fresh.vmdb.read(|connection| overview::read(connection, clock::now())).await;
    Standing::new(process, overview).unwrap()
}

async fn status_believes_the_process_and_says_so(fresh: Fresh) {
    let fresh = fresh.with_inventory().await;
    let ems = |id, name: &str| EmsState {
        id: Some(id),
        name: name.to_owned(),
        state: "backing_off".to_owned(),
        error: Some("connection refused".to_owned()),
        ..EmsState::default()
    };
    let process = |ems| Pipeline { version: Some("9.9".to_owned()), ems: vec![ems], ..Pipeline::default() };
    let by_process = told(&fresh, Ok(process(ems(1, "demo <cloud>")))).await;
    let text = status::text(&by_process, clock::now(), &Screen::default());
    assert!(text.contains("Catchall 9.9 runs"), "{text}");
    assert!(text.contains("  backing off: connection refused; it is tried again by itself"), "{text}");

    let another = told(&fresh, Ok(process(ems(1, "another's")))).await;
    let text = status::text(&another, clock::now(), &Screen::default());
    assert!(text.starts_with("Told by the VMDB alone: the Catchall that answers has other EMSs"), "{text}");

    let away = || Err(VmdbError::Away("gone".to_owned()));
    let alone = Standing::new(Ok(process(ems(1, "demo <cloud>"))), away()).unwrap();
    let text = status::text(&alone, clock::now(), &Screen::default());
    assert!(text.contains("The VMDB does not answer this command: the VMDB is away: gone"), "{text}");
    assert!(text.contains("backing off"), "{text}");
    assert_eq!(Standing::new(Err(NotAsked::Off), away()).unwrap_err(), away().unwrap_err());
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
    assert_eq!(error.to_string(), "there is no EMS \"quite\" in the VMDB; did you mean \"quiet\"?");
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
    let fresh = with_work(fresh).await;
    let steered =
        fresh.vmdb.write(|c| Ok([rows::retry(c, 1)?, drop_row(c, 1)?, drop_row(c, 99)?])).await.unwrap();
    assert_eq!(steered, [Steered::Claimed(Some(4242)), Steered::Claimed(Some(4242)), Steered::Missing]);

    assert_eq!(fresh.vmdb.write(|c| rows::retry_all_failed(c, Some(EmsId(1)))).await.unwrap(), 1);
    let states = || async {
        let sql = "SELECT state FROM miq_queue WHERE id > 1 ORDER BY id";
        let rows = fresh.vmdb.read(|c| c.rows(sql, &[])).await.unwrap();
        rows.iter().map(|row| row.string(0).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(states().await, ["error", "ready", "ready", "ready"]);
    let failed = rows::Standing::Failed("no such thing".to_owned(), false);
    assert_eq!(fresh.vmdb.read(|c| standing(c, EmsId(2), 71)).await.unwrap(), failed);

    let dropped = fresh.vmdb.write(|c| Ok([drop_row(c, 2)?, drop_row(c, 5)?])).await.unwrap();
    assert!(dropped.iter().all(|steered| matches!(steered, Steered::Done(_))), "{dropped:?}");
    let told = rows::Standing::Failed("dropped by `catchall queue drop`".to_owned(), false);
    assert_eq!(fresh.vmdb.read(|c| standing(c, EmsId(2), 71)).await.unwrap(), told);
    let action = fresh.vmdb.read(|c| c.rows("SELECT state FROM event_actions", &[])).await.unwrap();
    assert_eq!(action[0].text(0), Some("skipped"));
    assert_eq!(states().await, ["ready", "ready"]);
}

async fn commands_say_what_to_do_where_there_is_nothing(fresh: Fresh) {
    let letters = |connection: &mut _| dead::text(connection, &Default::default(), clock::now());
    assert_eq!(fresh.vmdb.read(letters).await.unwrap(), "No dead letters.\n");
    let chosen = events::Chosen::default();
    assert_eq!(events::none(&chosen), "No events. `catchall status` tells when each EMS was last heard.\n");
    let status = status::text(&told(&fresh, Err(NotAsked::Off)).await, clock::now(), &Screen::default());
    assert!(status.ends_with(
        "No EMS is known yet. Add one to ext_management_systems in the settings, then `catchall run`.\n"
    ));
}
