//! `catchall status`: each EMS on one line, the worst first, and below in words what went wrong and what to do.
//!
//! Whether a catcher is connected only the running process knows; where it cannot be asked, the VMDB alone tells, and that
//! is said. Exit status 0 either way.

use super::pipeline::EmsState;
use super::standing::{self, Row, Standing};
use super::table::{Align, Cell, Column, fitted};
use super::terminal::{Screen, Tone};
use super::times::ago;
use super::troubles::{MOST_TOLD, troubles};
use super::{CliError, failed, pipeline, terminal};
use crate::clock;
use crate::settings::Settings;
use crate::vmdb::overview::{self, Overview};
use crate::vmdb::{Access, Vmdb, VmdbError};
use chrono::{DateTime, Utc};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// `status`
///
/// # Errors
/// When neither a process nor the VMDB answers.
pub fn run(settings: &Settings, as_json: bool) -> Result<(), CliError> {
    let (process, overview) = actix_rt::System::new()
        .block_on(async { tokio::join!(pipeline::ask(&settings.http), read_overview(settings)) });
    let standing = Standing::new(process, overview).map_err(failed)?;
    let text = match as_json {
        true => json(&standing, clock::now()),
        false => text(&standing, clock::now(), &Screen::of_stdout()),
    };
    terminal::print(&text).map(drop)
}

async fn read_overview(settings: &Settings) -> Result<Overview, VmdbError> {
    let vmdb = Vmdb::open(&settings.vmdb, Access::Read).await?;
    vmdb.read(|connection| overview::read(connection, clock::now())).await
}

/// For people.
pub fn text(standing: &Standing, now: DateTime<Utc>, screen: &Screen) -> String {
    let rows = standing.rows();
    let mut text = format!("{}\n", who_tells(standing, now));
    if rows.is_empty() {
        text.push_str(
            "No EMS is known yet. Add one to ext_management_systems in the settings, then `catchall run`.\n",
        );
        return text;
    }
    text.push_str(&format!("{}\n\n", counted(&rows)));
    text.push_str(&fitted(&COLUMNS, rows.iter().map(|row| cells(row, now)).collect(), screen));
    let troubled: Vec<_> =
        rows.iter().map(|row| troubles(row, now)).filter(|lines| !lines.is_empty()).collect();
    for (name, lines) in troubled.iter().take(MOST_TOLD).map(|troubles| (&troubles.name, &troubles.lines)) {
        text.push_str(&format!("\n{}\n", screen.paint(name, Tone::Warning)));
        lines.iter().for_each(|line| text.push_str(&format!("  {line}\n")));
    }
    if let Some(more) = troubled.len().checked_sub(MOST_TOLD).filter(|more| *more > 0) {
        text.push_str(&format!("\n{more} more EMSs have troubles; `catchall status --json` tells of all\n"));
    }
    text
}

/// For machines: one JSON object.
pub fn json(standing: &Standing, now: DateTime<Utc>) -> String {
    let process = standing.process.as_ref().ok();
    let overview_error = standing.overview.as_ref().err().map(ToString::to_string);
    let told = json!({
        "as_of": now,
        "told_by": if process.is_some() { "process" } else { "vmdb" },
        "process_not_asked": standing.process.as_ref().err().map(ToString::to_string),
        "process": process.map(|pipeline| json!(pipeline.process)),
        "version": process.and_then(|pipeline| pipeline.version.clone()),
        "vmdb": {"answers": overview_error.is_none(), "error": overview_error,
                 "answers_process": process.map(|pipeline| pipeline.vmdb.answers)},
        "ems": standing.rows().iter().map(ems_json).collect::<Vec<_>>(),
        "actors": process.map(|pipeline| json!(pipeline.actors)).unwrap_or_else(|| json!([])),
    });
    format!("{told}\n")
}

fn ems_json(row: &Row<'_>) -> Json {
    let mut told = json!(row.ems);
    if let Some(overview) = row.overview {
        told["enabled"] = json!(overview.ems.enabled);
        told["zone"] = json!(overview.ems.zone);
        told["provider_region"] = json!(overview.ems.provider_region);
        told["events_of_last_day"] = json!(overview.events_of_last_day);
        told["cursor_moved_on"] = json!(overview.cursor_moved_on);
        told["last_refresh_success_on"] = json!(overview.ems.last_refresh_success_date);
    }
    told
}

/// Whose word this is.
fn who_tells(standing: &Standing, now: DateTime<Utc>) -> String {
    let pipeline = match &standing.process {
        Ok(pipeline) => pipeline,
        Err(why) => return format!("Told by the VMDB alone: {why}."),
    };
    let mut said =
        format!("Catchall {} runs", pipeline.version.as_deref().unwrap_or_default()).replace("  ", " ");
    if let Some(started_on) = pipeline.process.started_on {
        said.push_str(&format!(", for {}", clock::in_words(now - started_on)));
    }
    if let Some(bytes) = pipeline.process.resident_memory_bytes {
        said.push_str(&format!(", with {} of memory", super::times::bytes(bytes)));
    }
    match (&pipeline.vmdb.error, &standing.overview) {
        (Some(error), _) if !pipeline.vmdb.answers => {
            said.push_str(&format!(". Its VMDB does not answer: {error}"))
        }
        (_, Err(error)) => said.push_str(&format!(". The VMDB does not answer this command: {error}")),
        _ => {}
    }
    said + "."
}

/// `3 EMSs: 1 backing off, 2 running`
fn counted(rows: &[Row<'_>]) -> String {
    let mut states: BTreeMap<(u8, &str), usize> = BTreeMap::new();
    for row in rows {
        *states.entry((standing::rank(&row.ems.state), &row.ems.state)).or_default() += 1;
    }
    let states = states.iter().map(|((_, state), count)| format!("{count} {}", standing::in_words(state)));
    let noun = if rows.len() == 1 { "EMS" } else { "EMSs" };
    format!("{} {noun}: {}", rows.len(), states.collect::<Vec<_>>().join(", "))
}

const COLUMNS: [Column; 12] = [
    Column::new("EMS", Align::Left, 0),
    Column::new("STATE", Align::Left, 0),
    Column::new("LAST EVENT", Align::Right, 0),
    Column::new("EV/S", Align::Right, 4),
    Column::new("LAG", Align::Right, 5),
    Column::new("24 H", Align::Right, 7),
    Column::new("WAITING", Align::Right, 3),
    Column::new("DEAD", Align::Right, 1),
    Column::new("GAPS", Align::Right, 2),
    Column::new("RESTARTS", Align::Right, 8),
    Column::new("REFRESHED", Align::Right, 6),
    Column::new("CURSOR MOVED", Align::Right, 9),
];

fn cells(row: &Row<'_>, now: DateTime<Utc>) -> Vec<Cell> {
    let Row { ems, overview } = row;
    let known = |number: Option<String>| number.unwrap_or_else(|| "-".to_owned());
    let silent = if standing::is_silent(ems) { Tone::Warning } else { Tone::Plain };
    vec![
        ems.name.as_str().into(),
        Cell::new(standing::in_words(&ems.state), standing::tone(&ems.state)),
        Cell::new(ago(ems.last_event_on, now), silent),
        known(ems.events_per_second.map(super::times::rate)).into(),
        known(ems.lag_seconds.map(super::times::seconds)).into(),
        known(overview.map(|overview| overview.events_of_last_day.to_string())).into(),
        known(ems.waiting_work.map(|count| count.to_string())).into(),
        counted_badly(ems.dead_letters, Tone::Bad),
        counted_badly(ems.gaps, Tone::Warning),
        known(ems.restarts.map(|count| count.to_string())).into(),
        refreshed(row, now),
        known(overview.map(|overview| ago(overview.cursor_moved_on, now))).into(),
    ]
}

/// A number that had better be 0.
fn counted_badly(count: Option<i64>, tone: Tone) -> Cell {
    match count {
        None => "-".into(),
        Some(0) => "0".into(),
        Some(count) => Cell::new(count.to_string(), tone),
    }
}

fn refreshed(row: &Row<'_>, now: DateTime<Utc>) -> Cell {
    let EmsState { last_refresh_on, last_refresh_error, .. } = &row.ems;
    let last = row.overview.map_or(*last_refresh_on, |overview| overview.ems.last_refresh_success_date);
    match last_refresh_error {
        Some(_) => Cell::new("failed", Tone::Bad),
        None => ago(last, now).into(),
    }
}
