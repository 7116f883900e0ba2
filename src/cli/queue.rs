//! `catchall queue list|show|retry|drop`: the rows of `miq_queue`, whatever work they are. Works on the VMDB, beside a running
//! Catchall or without one; a row that somebody has claimed is shown, and left alone.

use super::arguments::{QueueCommand, QueueListArguments};
use super::ems_names::{self, Names, name_of};
use super::table::{Align, one_line, table};
use super::times::ago;
use super::{CliError, failed, steer, terminal};
use crate::clock;
use crate::settings::Settings;
use crate::vmdb::queue::{self, QueueQuery, QueueRow, Steered};
use crate::vmdb::{Connection, VmdbError};
use chrono::{DateTime, Utc};
use serde_json::{Value as Json, json};
use std::io::{IsTerminal, Write};

/// `queue`
///
/// # Errors
/// See [`CliError`].
pub fn run(settings: &Settings, command: &QueueCommand, as_json: bool) -> Result<(), CliError> {
    match command {
        QueueCommand::List(arguments) => {
            let query = query(settings, arguments)?;
            steer::show(settings, move |connection| match as_json {
                true => json_lines(connection, &query),
                false => text(connection, &query, clock::now()),
            })
        }
        QueueCommand::Show { id } => {
            let id = *id;
            let shown =
                steer::reading(settings, move |connection| show(connection, id, as_json, clock::now()))?;
            terminal::print(&shown.ok_or_else(|| missing(id))?).map(drop)
        }
        QueueCommand::Retry(retry) => {
            let ems_id = retry.ems.as_deref().map(|name| steer::ems_called(settings, name)).transpose()?;
            let Some(id) = retry.id else {
                let count =
                    steer::writing(settings, move |connection| queue::retry_all_failed(connection, ems_id))?;
                println!("{count} rows that were given up are due now");
                return Ok(());
            };
            let steered = steer::writing(settings, move |connection| queue::retry(connection, id))?;
            let row = outcome(id, "retried", steered)?;
            println!("{id}: {} is due now", kind(&row));
            Ok(())
        }
        QueueCommand::Drop { id, yes } => drop_one(settings, *id, *yes),
    }
}

fn query(settings: &Settings, arguments: &QueueListArguments) -> Result<QueueQuery, CliError> {
    let ems_id = arguments.ems.as_deref().map(|name| steer::ems_called(settings, name)).transpose()?;
    Ok(QueueQuery { state: arguments.state.clone(), ems_id, id: None, limit: arguments.limit })
}

fn missing(id: i64) -> CliError {
    failed(format!(
        "there is no row {id} in miq_queue: its work is done, or it was dropped; see `catchall queue list`"
    ))
}

/// The row when it could be steered.
fn outcome(id: i64, verb: &str, steered: Steered) -> Result<Box<QueueRow>, CliError> {
    match steered {
        Steered::Done(row) => Ok(row),
        Steered::Missing => Err(missing(id)),
        Steered::Claimed(handler_id) => {
            let holder = handler_id.map_or_else(|| "somebody".to_owned(), |id| format!("process {id}"));
            Err(failed(format!(
                "{id} is not {verb}: {holder} is working on it; if that process is dead, the next `catchall run` takes \
                 its work over"
            )))
        }
    }
}

fn drop_one(settings: &Settings, id: i64, yes: bool) -> Result<(), CliError> {
    let look = move |connection: &mut Connection| {
        queue::list(connection, &QueueQuery { id: Some(id), limit: 1, ..QueueQuery::default() })
    };
    let row = steer::reading(settings, look)?.0.pop().ok_or_else(|| missing(id))?;
    if !yes && !confirmed(&row)? {
        println!("{id} stays");
        return Ok(());
    }
    let steered = steer::writing(settings, move |connection| queue::drop_row(connection, id))?;
    let row = outcome(id, "dropped", steered)?;
    println!("{id}: {} is dropped{}", kind(&row), consequence(&row));
    Ok(())
}

fn confirmed(row: &QueueRow) -> Result<bool, CliError> {
    if !std::io::stdin().is_terminal() {
        return Err(CliError::Usage("dropping work asks first; without a terminal, say --yes".to_owned()));
    }
    print!("Drop {} ({}){}? [y/N] ", row.id, one_line(&what(row)), consequence(row));
    std::io::stdout().flush().map_err(failed)?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(failed)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

fn consequence(row: &QueueRow) -> &'static str {
    match row.class_name.as_str() {
        "EmsRefresh" => "; the next full refresh brings what it would have brought",
        "EmsEvent" => "; its event will not be stored",
        "MiqAeEngine" => "; handlers and rules of its events will not run",
        _ => "",
    }
}

/// Rows for people, and how many there are besides.
///
/// # Errors
/// See [`VmdbError`].
pub fn text(
    connection: &mut Connection,
    query: &QueueQuery,
    now: DateTime<Utc>,
) -> Result<String, VmdbError> {
    let (rows, count) = queue::list(connection, query)?;
    if rows.is_empty() {
        return Ok("No work waits.\n".to_owned());
    }
    let names = ems_names::all(connection)?;
    let headings = [
        ("ID", Align::Right),
        ("STATE", Align::Left),
        ("WORK", Align::Left),
        ("EMS", Align::Left),
        ("QUEUED", Align::Right),
        ("WHAT", Align::Left),
        ("FAILED", Align::Left),
    ];
    let cells = |row: &QueueRow| {
        [
            row.id.to_string(),
            state(row, now),
            kind(row),
            name_of(&names, row.ems_id.map(|id| id.0)),
            ago(row.created_on, now),
            what(row),
            failure(row),
        ]
    };
    let cells: Vec<_> = rows.iter().map(cells).collect();
    let mut text = table(headings, &cells);
    let shown = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    if count > shown {
        text.push_str(&format!("and {} more; --limit shows them\n", count - shown));
    }
    Ok(text)
}

/// Rows for machines: one JSON object on each line.
///
/// # Errors
/// See [`VmdbError`].
pub fn json_lines(connection: &mut Connection, query: &QueueQuery) -> Result<String, VmdbError> {
    let names = ems_names::all(connection)?;
    Ok(queue::list(connection, query)?.0.iter().map(|row| format!("{}\n", json_of(row, &names))).collect())
}

/// All about one row; `None` when there is none.
///
/// # Errors
/// See [`VmdbError`].
pub fn show(
    connection: &mut Connection,
    id: i64,
    as_json: bool,
    now: DateTime<Utc>,
) -> Result<Option<String>, VmdbError> {
    let query = QueueQuery { id: Some(id), limit: 1, ..QueueQuery::default() };
    let Some(row) = queue::list(connection, &query)?.0.pop() else { return Ok(None) };
    let names = ems_names::all(connection)?;
    if as_json {
        return Ok(Some(format!("{}\n", json_of(&row, &names))));
    }
    let time = |time: Option<DateTime<Utc>>| match time {
        Some(at) => format!("{} ({})", at.format("%Y-%m-%d %H:%M:%S%.3f UTC"), ago(Some(at), now)),
        None => String::new(),
    };
    let lines = [
        ("id", row.id.to_string()),
        ("state", state(&row, now)),
        ("work", kind(&row)),
        ("queue", row.queue_name.clone()),
        ("ems", name_of(&names, row.ems_id.map(|id| id.0))),
        ("what", what(&row)),
        ("queued", time(row.created_on)),
        ("changed", time(row.updated_on)),
        (
            "not before",
            row.deliver_on.map(|at| at.format("%Y-%m-%d %H:%M:%S%.3f UTC").to_string()).unwrap_or_default(),
        ),
        ("work id", row.work_id.map(|id| id.to_string()).unwrap_or_default()),
        ("failed", failure(&row)),
        ("args", row.args.clone().unwrap_or_default()),
    ];
    let filled = lines.iter().filter(|(_, value)| !value.is_empty());
    Ok(Some(filled.map(|(name, value)| format!("{name:<11}{}\n", one_line(value))).collect()))
}

fn json_of(row: &QueueRow, names: &Names) -> Json {
    let args = row
        .args
        .as_deref()
        .map(|args| serde_json::from_str(args).unwrap_or_else(|_| Json::String(args.to_owned())));
    json!({
        "id": row.id, "state": row.state, "queue_name": row.queue_name, "class_name": row.class_name,
        "method_name": row.method_name, "ems_id": row.ems_id, "ems": name_of(names, row.ems_id.map(|id| id.0)), "work_id": row.work_id,
        "created_on": row.created_on, "updated_on": row.updated_on, "deliver_on": row.deliver_on,
        "handler_id": row.handler_id, "error": row.error, "failures": row.failures, "args": args,
    })
}

fn state(row: &QueueRow, now: DateTime<Utc>) -> String {
    match (row.state.as_str(), row.handler_id, row.deliver_on) {
        ("dequeue", Some(handler_id), _) => format!("dequeue, process {handler_id}"),
        ("ready", _, Some(due)) if due > now => format!("ready in {}", clock::in_words(due - now)),
        (state, _, _) => state.to_owned(),
    }
}

fn kind(row: &QueueRow) -> String {
    format!("{}.{}", row.class_name, row.method_name)
}

fn failure(row: &QueueRow) -> String {
    match (&row.error, row.failures) {
        (Some(error), 0 | 1) => error.clone(),
        (Some(error), failures) => format!("{failures} times, last: {error}"),
        (None, _) => String::new(),
    }
}

/// What the args ask for, in few words.
fn what(row: &QueueRow) -> String {
    const MOST: usize = 3;
    let args: Json = row.args.as_deref().and_then(|args| serde_json::from_str(args).ok()).unwrap_or_default();
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    match row.class_name.as_str() {
        "EmsRefresh" if args[0]["full"] == true => "everything".to_owned(),
        "EmsRefresh" => {
            let targets = args[0]["targets"].as_array().cloned().unwrap_or_default();
            let name = |target: &Json| {
                format!("{} {}", text(&target["association"]), text(&target["manager_ref"]["ems_ref"]))
            };
            let mut names: Vec<_> = targets.iter().map(name).collect();
            names.dedup();
            let more = names.len().saturating_sub(MOST);
            names.truncate(MOST);
            let names = names.join(", ");
            if more == 0 { names } else { format!("{names} and {more} more") }
        }
        "EmsEvent" => text(&args[0]["event"]["event_type"]),
        "MiqAeEngine" => match args.as_array().map_or(0, Vec::len) {
            1 => "1 event".to_owned(),
            count => format!("{count} events"),
        },
        "Webhook" => text(&args["webhook"]),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(class_name: &str, args: &str) -> QueueRow {
        QueueRow {
            id: 7,
            state: "ready".to_owned(),
            queue_name: "ems_1".to_owned(),
            class_name: class_name.to_owned(),
            method_name: "refresh".to_owned(),
            ems_id: None,
            work_id: None,
            created_on: None,
            updated_on: None,
            deliver_on: None,
            handler_id: None,
            args: Some(args.to_owned()),
            error: None,
            failures: 0,
        }
    }

    #[test]
    fn what_a_row_asks_for_is_told_in_few_words() {
        let target = |n| format!(r#"{{"association":"vms","manager_ref":{{"ems_ref":"vm-{n}"}}}}"#);
        let targets = |count| (1..=count).map(target).collect::<Vec<_>>().join(",");
        for (class_name, args, told) in [
            ("EmsRefresh", r#"[{"full":true,"targets":[]}]"#.to_owned(), "everything"),
            ("EmsRefresh", format!(r#"[{{"full":false,"targets":[{}]}}]"#, targets(1)), "vms vm-1"),
            (
                "EmsRefresh",
                format!(r#"[{{"full":false,"targets":[{}]}}]"#, targets(5)),
                "vms vm-1, vms vm-2, vms vm-3 and 2 more",
            ),
            ("MiqAeEngine", "[{},{}]".to_owned(), "2 events"),
            ("Webhook", r#"{"webhook":"pager"}"#.to_owned(), "pager"),
            ("EmsRefresh", "--- no JSON".to_owned(), ""),
        ] {
            assert_eq!(what(&row(class_name, &args)), told, "{args}");
        }
    }

    #[test]
    fn a_claimed_row_names_its_holder_and_a_failed_one_its_error() {
        let now = clock::now();
        let claimed = QueueRow { state: "dequeue".to_owned(), handler_id: Some(42), ..row("EmsRefresh", "") };
        assert_eq!(state(&claimed, now), "dequeue, process 42");
        let later = QueueRow { deliver_on: Some(now + chrono::TimeDelta::seconds(90)), ..row("Webhook", "") };
        assert!(state(&later, now).starts_with("ready in "));
        let failed = QueueRow { error: Some("away".to_owned()), failures: 3, ..row("EmsRefresh", "") };
        assert_eq!(failure(&failed), "3 times, last: away");
        let error = outcome(7, "dropped", Steered::Claimed(Some(42))).unwrap_err();
        assert!(error.to_string().starts_with("7 is not dropped: process 42 is working on it"), "{error}");
    }
}
