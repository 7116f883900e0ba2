//! `catchall status`: each EMS on one line, and below what went wrong. Read from the VMDB, so it works beside a running
//! Catchall and without one; what only the process knows (is a catcher connected?) is at `/readyz` and `/metrics`.

use super::table::{Align, one_line, table};
use crate::clock;
use crate::vmdb::overview::{self, EmsOverview};
use crate::vmdb::{Connection, VmdbError};
use chrono::{DateTime, Utc};
use serde_json::json;

/// For people.
///
/// # Errors
/// See [`VmdbError`].
pub fn text(connection: &mut Connection, now: DateTime<Utc>) -> Result<String, VmdbError> {
    let all_ems = overview::read(connection, now)?.all_ems;
    if all_ems.is_empty() {
        return Ok(
            "No EMS is known yet. Add one to ext_management_systems in the settings, then `catchall run`.\n"
                .to_owned(),
        );
    }
    let headings = [
        ("EMS", Align::Left),
        ("STATE", Align::Left),
        ("LAST EVENT", Align::Right),
        ("EVENTS 24 H", Align::Right),
        ("CURSOR MOVED", Align::Right),
        ("WAITING WORK", Align::Right),
        ("DEAD LETTERS", Align::Right),
        ("GAPS", Align::Right),
        ("REFRESHED", Align::Right),
    ];
    let rows: Vec<_> = all_ems.iter().map(|ems| row(ems, now)).collect();
    let mut text = table(headings, &rows);
    for ems in &all_ems {
        text.push_str(&troubles(ems, now));
    }
    Ok(text)
}

/// For machines: an object for each EMS.
///
/// # Errors
/// See [`VmdbError`].
pub fn json(connection: &mut Connection, now: DateTime<Utc>) -> Result<String, VmdbError> {
    let all_ems = overview::read(connection, now)?.all_ems;
    let all: Vec<_> = all_ems
        .iter()
        .map(|ems| {
            json!({
                "id": ems.ems.id, "name": ems.ems.name, "type": ems.ems.class_name, "state": state(ems),
                "last_event": ems.last_event, "events_of_last_day": ems.events_of_last_day,
                "cursor_moved_on": ems.cursor_moved_on, "waiting_work": ems.waiting_work,
                "dead_letters": ems.dead_letters, "gaps": ems.gaps,
                "last_gap": ems.last_gap.as_ref().map(|last| json!({
                    "from": last.gap.from, "to": last.gap.to, "reason": last.gap.reason, "noticed_on": last.created_on,
                })),
                "last_refresh_date": ems.ems.last_refresh_date,
                "last_refresh_success_date": ems.ems.last_refresh_success_date,
                "last_refresh_error": ems.ems.last_refresh_error,
            })
        })
        .collect();
    Ok(format!("{}\n", json!(all)))
}

/// Whether it is caught from, as settings and commands say.
pub(super) fn state(ems: &EmsOverview) -> &'static str {
    match (ems.ems.paused, ems.ems.enabled) {
        (true, _) => "paused",
        (false, true) => "enabled",
        (false, false) => "not enabled",
    }
}

pub(super) fn ago(time: Option<DateTime<Utc>>, now: DateTime<Utc>) -> String {
    time.map_or_else(|| "never".to_owned(), |time| format!("{} ago", clock::in_words(now - time)))
}

fn row(ems: &EmsOverview, now: DateTime<Utc>) -> [String; 9] {
    let refreshed = match &ems.ems.last_refresh_error {
        Some(_) => "failed".to_owned(),
        None => ago(ems.ems.last_refresh_success_date, now),
    };
    [
        ems.ems.name.clone(),
        state(ems).to_owned(),
        ago(ems.last_event, now),
        ems.events_of_last_day.to_string(),
        ago(ems.cursor_moved_on, now),
        ems.waiting_work.to_string(),
        ems.dead_letters.to_string(),
        ems.gaps.to_string(),
        refreshed,
    ]
}

/// What went wrong, and what to do.
fn troubles(ems: &EmsOverview, now: DateTime<Utc>) -> String {
    let mut text = String::new();
    let name = one_line(&ems.ems.name);
    if let Some(error) = &ems.ems.last_refresh_error {
        text.push_str(&format!("\n{name}: the last refresh failed: {}\n", one_line(error)));
    }
    if ems.dead_letters > 0 {
        text.push_str(&format!(
            "\n{name}: {} native events could not be read; `catchall events --dead --ems '{name}'` shows them, \
             --retry parses them again\n",
            ems.dead_letters
        ));
    }
    if let Some(last) = &ems.last_gap {
        text.push_str(&format!(
            "\n{name}: {} times events were lost at the provider; each was answered by a full refresh, which heals the \
             inventory. The last time, noticed {}, events are missing {}\n",
            ems.gaps,
            ago(Some(last.created_on), now),
            one_line(&last.gap.to_string())
        ));
    }
    text
}
