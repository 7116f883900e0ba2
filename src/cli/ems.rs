//! `catchall ems list|pause|resume|restart`: which EMSs there are, and whether they are caught from. Written to the VMDB,
//! where a running Catchall sees it within seconds.

use super::ems_names::{self, UnknownEms};
use super::standing;
use super::table::{Align, table};
use super::times::ago;
use crate::vmdb::overview::{self, EmsOverview};
use crate::vmdb::{Connection, VmdbError, ems, restarts};
use chrono::{DateTime, Utc};
use serde_json::json;

/// Why an EMS could not be steered.
#[derive(Debug, thiserror::Error)]
pub enum EmsCommandError {
    /// There is none of this name.
    #[error(transparent)]
    Unknown(#[from] UnknownEms),
    /// A restart of what does not run.
    #[error("{0} is not caught from; `catchall ems resume` or `enabled: true` in the settings starts it")]
    NotEnabled(String),
    /// The VMDB's own.
    #[error(transparent)]
    Vmdb(#[from] VmdbError),
}

/// All EMSs for people.
///
/// # Errors
/// See [`VmdbError`].
pub fn list(connection: &mut Connection, now: DateTime<Utc>) -> Result<String, VmdbError> {
    let headings = [
        ("ID", Align::Right),
        ("EMS", Align::Left),
        ("STATE", Align::Left),
        ("ZONE", Align::Left),
        ("LAST EVENT", Align::Right),
        ("TYPE", Align::Left),
    ];
    let row = |ems: &EmsOverview| {
        [
            ems.ems.id.to_string(),
            ems.ems.name.clone(),
            standing::in_words(standing::by_settings(ems)),
            ems.ems.zone.clone().unwrap_or_default(),
            ago(ems.last_event, now),
            ems.ems.class_name.clone(),
        ]
    };
    let rows: Vec<_> = overview::read(connection, now)?.all_ems.iter().map(row).collect();
    Ok(table(headings, &rows))
}

/// All EMSs for machines.
///
/// # Errors
/// See [`VmdbError`].
pub fn list_json(connection: &mut Connection) -> Result<String, VmdbError> {
    let all: Vec<_> = ems::list(connection)?
        .iter()
        .map(|ems| {
            json!({"id": ems.id, "name": ems.name, "type": ems.class_name, "zone": ems.zone,
                   "enabled": ems.enabled, "paused": ems.paused, "provider_region": ems.provider_region})
        })
        .collect();
    Ok(format!("{}\n", json!(all)))
}

/// Stops catching from an EMS until it is resumed. Says what was done.
///
/// # Errors
/// See [`EmsCommandError`].
pub fn pause(connection: &mut Connection, name: &str) -> Result<String, EmsCommandError> {
    set_paused(connection, name, true)?;
    Ok(format!("{name} is paused. What its provider keeps meanwhile is read after `catchall ems resume`.\n"))
}

/// Catches again, from where it was paused. Says what was done.
///
/// # Errors
/// See [`EmsCommandError`].
pub fn resume(connection: &mut Connection, name: &str) -> Result<String, EmsCommandError> {
    set_paused(connection, name, false)?;
    Ok(format!("{name} is resumed. It goes on from its cursor.\n"))
}

/// Asks the process that catches from it for a fresh event catcher. Says what was done.
///
/// # Errors
/// See [`EmsCommandError`]; an EMS that is not caught from stays as it is.
pub fn restart(connection: &mut Connection, name: &str) -> Result<String, EmsCommandError> {
    match ems::list(connection)?.into_iter().find(|ems| ems.name == name) {
        None => return unknown(connection, name),
        Some(ems) if !ems.enabled => return Err(EmsCommandError::NotEnabled(name.to_owned())),
        Some(ems) => restarts::ask(connection, ems.id)?,
    }
    Ok(format!("{name} is asked to restart; a running Catchall does so within some seconds.\n"))
}

fn set_paused(connection: &mut Connection, name: &str, paused: bool) -> Result<(), EmsCommandError> {
    if ems::set_paused(connection, name, paused)? {
        return Ok(());
    }
    unknown(connection, name)
}

fn unknown<T>(connection: &mut Connection, name: &str) -> Result<T, EmsCommandError> {
    Err(ems_names::unknown(name, &ems_names::all(connection)?).into())
}
