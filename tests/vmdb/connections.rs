//! Threads, transactions, locks, and what errors mean.

use crate::support::{Fresh, batch, ems_settings, event, on_both, postgres_settings, sqlite_settings};
use catchall::provider::{EmsId, Secret};
use catchall::settings::VmdbSettings;
use catchall::vmdb::{Access, Connection, ReadyBatch, Vmdb, VmdbError, ems, event_commit};
use std::time::Duration;

on_both! {
    a_transaction_that_fails_leaves_nothing_behind
    a_panic_becomes_an_error_and_the_next_write_works
    work_is_done_even_if_nobody_waits_for_it
    a_reader_cannot_write
    values_come_back_as_they_were_written
    what_the_database_cannot_hold_is_a_data_error
    postgresql_compresses_with_lz4_where_it_can
}

async fn a_transaction_that_fails_leaves_nothing_behind(fresh: Fresh) {
    let failed: Result<(), _> = fresh
        .vmdb
        .write(|c| {
            c.transaction(|c| {
                c.execute("INSERT INTO zones (name) VALUES (?)", &["a".into()])?;
                Err(VmdbError::Data("on purpose".to_owned()))
            })
        })
        .await;
    assert_eq!(failed, Err(VmdbError::Data("on purpose".to_owned())));
    assert_eq!(fresh.count("SELECT count(*) FROM zones").await, 0);
}

async fn a_panic_becomes_an_error_and_the_next_write_works(fresh: Fresh) {
    let panicked: Result<(), _> = fresh
        .vmdb
        .commit(0, |c| {
            c.transaction(|c| {
                c.execute("INSERT INTO zones (name) VALUES (?)", &["a".into()])?;
                panic!("on purpose")
            })
        })
        .await;
    assert_eq!(panicked, Err(VmdbError::Bug("panic: on purpose".to_owned())));
    fresh.vmdb.commit(0, |c| c.execute("INSERT INTO zones (name) VALUES (?)", &["b".into()])).await.unwrap();
    assert_eq!(fresh.count("SELECT count(*) FROM zones").await, 1);
}

async fn work_is_done_even_if_nobody_waits_for_it(fresh: Fresh) {
    drop(fresh.vmdb.commit(0, |c| c.execute("INSERT INTO zones (name) VALUES (?)", &["a".into()])));
    fresh.vmdb.commit(0, |_| Ok(())).await.unwrap();
    assert_eq!(fresh.count("SELECT count(*) FROM zones").await, 1);
}

async fn a_reader_cannot_write(fresh: Fresh) {
    let reader = Vmdb::open(&fresh.settings, Access::Read).await.expect("it reads beside a running one");
    let written = reader.read(|c| c.execute("INSERT INTO zones (name) VALUES (?)", &["a".into()])).await;
    assert!(matches!(written, Err(VmdbError::Full(_))), "{written:?}");
    assert!(matches!(reader.migrate().await, Err(VmdbError::Refused(_))));
}

async fn postgresql_compresses_with_lz4_where_it_can(fresh: Fresh) {
    if fresh.vmdb.lanes() == 1 {
        return; // SQLite does not compress
    }
    let known = "SELECT count(*) FROM pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)";
    let expected = if fresh.count(known).await == 1 { "lz4" } else { "pglz" };
    let long = "it repeats itself ".repeat(1_000);
    fresh
        .vmdb
        .commit(0, move |c| c.execute("INSERT INTO zones (name) VALUES (?)", &[(&long).into()]))
        .await
        .unwrap();
    let method =
        fresh.vmdb.read(|c| c.rows("SELECT pg_column_compression(name) FROM zones", &[])).await.unwrap();
    assert_eq!(method[0].text(0), Some(expected));
}

async fn values_come_back_as_they_were_written(fresh: Fresh) {
    let time = chrono::DateTime::from_timestamp_micros(1_790_000_000_123_456).unwrap();
    let row = fresh
        .write(move |c| {
            c.execute(
                "INSERT INTO vms (name, ems_id, template, boot_time, memory_limit, retired) VALUES (?, ?, ?, ?, ?, ?)",
                &["é?\n".into(), 7.into(), true.into(), time.into(), 5.into(), None::<bool>.into()],
            )?;
            c.rows("SELECT name, ems_id, template, boot_time, memory_limit, retired, cloud FROM vms", &[])
        })
        .await
        .remove(0);
    assert_eq!(row.text(0), Some("é?\n"));
    assert_eq!((row.integer(1), row.boolean(2), row.integer(4)), (Some(7), Some(true), Some(5)));
    assert_eq!(row.time(3), Some(time));
    assert_eq!((row.boolean(5), row.text(6)), (None, None));
}

async fn what_the_database_cannot_hold_is_a_data_error(fresh: Fresh) {
    let twice = fresh
        .vmdb
        .write(|c| c.execute("INSERT INTO zones (name) VALUES (?), (?)", &["a".into(), "a".into()]))
        .await;
    assert!(matches!(twice, Err(VmdbError::Data(_))), "{twice:?}");
}

#[tokio::test]
async fn a_second_run_on_one_file_is_refused_until_the_first_is_gone() {
    let (settings, _folder) = sqlite_settings();
    let first = Vmdb::open(&settings, Access::Run).await.unwrap();
    let Err(VmdbError::Locked(message)) = Vmdb::open(&settings, Access::Run).await else {
        panic!("two runs on one file")
    };
    assert!(message.contains("catchall.db") && message.contains("catchall.db.lock"), "{message}");
    let worker = Vmdb::open(&settings, Access::Worker).await.expect("a worker may run beside it");
    worker.close().await;
    first.close().await;
    // A process that another test is just forking holds what we had open until its exec.
    let deadline = std::time::Instant::now() + Duration::from_secs(5);
    while let Err(error) = Vmdb::open(&settings, Access::Run).await {
        assert!(matches!(error, VmdbError::Locked(_)) && std::time::Instant::now() < deadline, "{error}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn on_sqlite_commits_of_events_go_before_refreshes_and_those_before_the_rest() {
    let fresh = Fresh::sqlite().await.unwrap();
    let (open_gate, gate) = std::sync::mpsc::channel::<()>();
    let (done, order) = std::sync::mpsc::channel();
    let say = |word: &'static str| {
        let done = done.clone();
        move |_: &mut Connection| {
            done.send(word).unwrap();
            Ok(())
        }
    };
    let busy = fresh.vmdb.write(move |_| {
        gate.recv().unwrap();
        Ok(())
    });
    let (rest, refresh) = (fresh.vmdb.write(say("rest")), fresh.vmdb.save(say("refresh")));
    let events = fresh.vmdb.commit(0, say("events"));
    open_gate.send(()).unwrap();
    let all = tokio::join!(busy, rest, refresh, events);
    assert_eq!(all, (Ok(()), Ok(()), Ok(()), Ok(())));
    assert_eq!(order.try_iter().collect::<Vec<_>>(), ["events", "refresh", "rest"]);
}

#[tokio::test]
async fn on_postgres_a_commit_cut_off_in_the_middle_left_nothing_and_is_simply_repeated() {
    let Some(fresh) = Fresh::postgres().await else { return };
    let batches = || vec![batch(vec![event("a", "X")])];
    let cut: Result<(), _> = fresh
        .vmdb
        .commit(0, move |c| {
            c.transaction(|c| {
                event_commit::commit(c, &batches())?;
                c.rows("SELECT pg_terminate_backend(pg_backend_pid())", &[]).map(drop)
            })
        })
        .await;
    assert!(matches!(cut, Err(VmdbError::Away(_))), "{cut:?}");
    assert_eq!(fresh.count("SELECT count(*) FROM event_streams").await, 0);
    let again = fresh.vmdb.commit(0, move |c| event_commit::commit(c, &batches())).await.unwrap();
    assert_eq!(again[0].new_events, 1);
}

#[tokio::test]
async fn on_postgres_an_ems_waits_for_no_other_lane() {
    let Some(fresh) = Fresh::postgres().await else { return };
    assert_eq!(fresh.vmdb.lanes(), 4);
    let (open_gate, gate) = std::sync::mpsc::channel::<()>();
    let slow = fresh.vmdb.commit(0, move |c| {
        c.transaction(|c| {
            event_commit::commit(c, &[batch(vec![event("slow", "X")])])?;
            gate.recv().unwrap();
            Ok(())
        })
    });
    let other = ReadyBatch { ems_id: EmsId(2), ..batch(vec![event("quick", "X")]) };
    let quick = fresh.vmdb.commit(1, move |c| event_commit::commit(c, &[other]));
    assert_eq!(tokio::time::timeout(Duration::from_secs(5), quick).await.unwrap().unwrap()[0].new_events, 1);
    open_gate.send(()).unwrap();
    slow.await.unwrap();
}

#[tokio::test]
async fn two_processes_that_start_at_once_migrate_once_and_enter_the_same_emss() {
    let (sqlite, _folder) = sqlite_settings();
    for settings in [Some(sqlite), postgres_settings()].into_iter().flatten() {
        let start = || async {
            let vmdb = Vmdb::open(&settings, Access::Worker).await?;
            let migrated = vmdb.migrate().await?;
            let entered = vmdb.write(|c| ems::enter(c, &[ems_settings("a"), ems_settings("b")])).await?;
            Ok::<_, VmdbError>((migrated.len(), entered.iter().map(|row| row.id).collect::<Vec<_>>()))
        };
        let all = tokio::join!(start(), start(), start());
        let all = [all.0.unwrap(), all.1.unwrap(), all.2.unwrap()];
        let migrations = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/sqlite"));
        let ran = all.iter().map(|(migrated, _)| migrated).sum::<usize>();
        assert_eq!(ran, migrations.unwrap().count(), "each migration runs once");
        assert!(all.iter().all(|(_, ids)| *ids == all[0].1), "{all:?}");
    }
}

#[tokio::test]
async fn on_sqlite_a_reader_in_a_transaction_keeps_no_writer_waiting_and_sees_one_state() {
    let fresh = Fresh::sqlite().await.unwrap();
    let (open_gate, gate) = std::sync::mpsc::channel::<()>();
    let (began, begun) = tokio::sync::oneshot::channel();
    let reading = fresh.vmdb.read(move |c| {
        c.transaction(|c| {
            let before = c.rows("SELECT count(*) FROM zones", &[])?[0].id(0)?;
            let _ = began.send(());
            gate.recv().unwrap();
            Ok((before, c.rows("SELECT count(*) FROM zones", &[])?[0].id(0)?))
        })
    });
    begun.await.unwrap();
    let insert = fresh.vmdb.write(|c| c.execute("INSERT INTO zones (name) VALUES ('a')", &[]));
    assert_eq!(tokio::time::timeout(Duration::from_secs(5), insert).await.unwrap(), Ok(1));
    open_gate.send(()).unwrap();
    assert_eq!(reading.await, Ok((0, 0)));
}

#[tokio::test]
async fn on_sqlite_a_folder_that_is_not_there_and_a_file_that_is_no_database_are_refused() {
    let (settings, folder) = sqlite_settings();
    let url = settings.url.expose().replace("catchall.db", "nosuch/catchall.db");
    let nowhere = VmdbSettings { url: Secret::new(url), ..settings.clone() };
    assert!(matches!(Vmdb::open(&nowhere, Access::Run).await, Err(VmdbError::Refused(_))));
    std::fs::write(folder.path().join("catchall.db"), "something else entirely ".repeat(100)).unwrap();
    assert!(matches!(Vmdb::open(&settings, Access::Run).await, Err(VmdbError::Refused(_))));
}

#[tokio::test]
async fn reading_never_makes_the_file() {
    let (settings, folder) = sqlite_settings();
    assert!(matches!(Vmdb::open(&settings, Access::Read).await, Err(VmdbError::Refused(_))));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn on_postgres_a_schema_of_manageiq_is_refused_before_anything_is_written() {
    let Some(fresh) = Fresh::postgres().await else { return };
    let settings = VmdbSettings { schema: "manageiq".to_owned(), ..fresh.settings.clone() };
    fresh
        .write(|c| {
            c.batch("CREATE SCHEMA manageiq; CREATE TABLE manageiq.schema_migrations (version varchar)")
        })
        .await;
    assert!(matches!(Vmdb::open(&settings, Access::Run).await, Err(VmdbError::Refused(_))));
    let tables = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'manageiq'";
    assert_eq!(fresh.count(tables).await, 1);
}

#[tokio::test]
async fn on_postgres_a_broken_connection_is_away_once_and_then_opened_anew() {
    let Some(fresh) = Fresh::postgres().await else { return };
    let pid = fresh.vmdb.commit(0, |c| c.rows("SELECT pg_backend_pid()", &[])?[0].id(0)).await.unwrap();
    fresh.write(move |c| c.rows("SELECT pg_terminate_backend(?::int)", &[pid.into()])).await;
    let mut answers = Vec::new();
    while !matches!(answers.last(), Some(Ok(_))) {
        assert!(answers.len() < 3, "{answers:?}");
        answers.push(fresh.vmdb.commit(0, |c| c.execute("INSERT INTO zones (name) VALUES ('a')", &[])).await);
    }
    assert!(answers[..answers.len() - 1].iter().all(|a| matches!(a, Err(VmdbError::Away(_)))), "{answers:?}");
}

#[tokio::test]
async fn on_postgres_nobody_listening_is_away_and_says_no_password() {
    let url = "postgres://someone:very-secret@127.0.0.1:9/db?sslmode=disable";
    let settings = VmdbSettings { url: Secret::new(url), schema: "x".to_owned() };
    let opened =
        tokio::time::timeout(Duration::from_secs(20), Vmdb::open(&settings, Access::Run)).await.unwrap();
    let error = opened.err().expect("nobody listens there");
    assert!(matches!(error, VmdbError::Away(_)), "{error:?}");
    assert!(!error.to_string().contains("very-secret"));
}

#[tokio::test]
async fn on_postgres_a_wrong_database_is_refused_and_so_is_an_unknown_sslmode() {
    let Some(mut settings) = postgres_settings() else { return };
    let url = settings.url.expose().to_owned();
    settings.url = Secret::new(url.replace("/postgres", "/nosuch"));
    assert!(matches!(Vmdb::open(&settings, Access::Run).await, Err(VmdbError::Refused(_))));
    settings.url = Secret::new(format!("{url}?sslmode=perhaps"));
    assert!(matches!(Vmdb::open(&settings, Access::Run).await, Err(VmdbError::Refused(_))));
}

/// Whether a connection with `query` in the URL is encrypted, or why there is none.
async fn encrypted(host: &str, query: &str) -> Option<Result<bool, VmdbError>> {
    let settings = postgres_settings()?;
    let url = settings.url.expose().replace("127.0.0.1", host);
    let settings = VmdbSettings { url: Secret::new(format!("{url}?{query}")), ..settings };
    let vmdb = match Vmdb::open(&settings, Access::Worker).await {
        Ok(vmdb) => vmdb,
        Err(error) => return Some(Err(error)),
    };
    let sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    Some(vmdb.read(move |c| Ok(c.rows(sql, &[])?[0].boolean(0) == Some(true))).await)
}

#[tokio::test]
async fn on_postgres_tls_is_what_the_url_says() {
    let tls = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tls");
    let (right, wrong) = (format!("sslrootcert={tls}/ca.crt"), format!("sslrootcert={tls}/other-ca.crt"));
    let cases = [
        ("127.0.0.1", "sslmode=disable".to_owned(), Some(false)),
        ("127.0.0.1", "application_name=x".to_owned(), Some(true)),
        ("127.0.0.1", "sslmode=require".to_owned(), Some(true)),
        ("127.0.0.1", format!("sslmode=require&{wrong}"), None),
        ("127.0.0.1", format!("sslmode=verify-ca&{right}"), Some(true)),
        ("127.0.0.1", format!("sslmode=verify-ca&{wrong}"), None),
        ("127.0.0.1", format!("sslmode=verify-full&{right}"), None),
        ("localhost", format!("sslmode=verify-full&{right}"), Some(true)),
        ("localhost", "sslmode=verify-full".to_owned(), None),
    ];
    for (host, query, expected) in cases {
        let Some(encrypted) = encrypted(host, &query).await else { return };
        assert_eq!(encrypted.clone().ok(), expected, "{host} {query}: {encrypted:?}");
    }
    let unreadable = encrypted("localhost", "sslmode=verify-full&sslrootcert=/nosuch.crt").await;
    assert!(matches!(unreadable, Some(Err(VmdbError::Refused(_)))), "{unreadable:?}");
}
