//! Commands that look at and steer a VMDB, beside a running Catchall or without one: opens it, and hands the work to
//! `status`, `events`, `event_show`, `retry` and `ems`.

use super::arguments::{EmsCommand, EventsArguments, EventsCommand};
use super::events::{self, Chosen};
use super::{CliError, Retried, ems, event_show, failed, retry, status};
use crate::automate::Automation;
use crate::clock;
use crate::event_catcher::prepare::{self, Preparation};
use crate::provider::{EmsId, NativeEvent, Parsed};
use crate::settings::{EmsSettings, Settings};
use crate::switchboard::Switchboard;
use crate::vmdb::{self, Access, Connection, ReadyEvent, Vmdb, VmdbError};

/// `migrate`: brings the schema up to date, and says what was done.
///
/// # Errors
/// See [`CliError`].
pub fn migrate(settings: &Settings) -> Result<(), CliError> {
    actix_rt::System::new().block_on(async {
        let vmdb = Vmdb::open(&settings.vmdb, Access::Worker).await.map_err(failed)?;
        let applied = vmdb.migrate().await.map_err(failed)?;
        for migration in &applied {
            println!("applied {migration}");
        }
        if applied.is_empty() {
            println!("the schema is up to date");
        }
        Ok(())
    })
}

/// `status`
///
/// # Errors
/// See [`CliError`].
pub fn status(settings: &Settings, json: bool) -> Result<(), CliError> {
    show(settings, move |connection| {
        let now = clock::now();
        if json { status::json(connection, now) } else { status::text(connection, now) }
    })
}

/// `events`
///
/// # Errors
/// See [`CliError`].
pub fn events(
    settings: &Settings,
    switchboard: impl FnOnce(&Settings) -> Result<Switchboard, CliError>,
    arguments: &EventsArguments,
    json: bool,
) -> Result<(), CliError> {
    if let Some(EventsCommand::Show { id }) = &arguments.command {
        return show_event(settings, switchboard(settings)?, id, json);
    }
    let ems_id = arguments.ems.as_deref().map(|name| ems_called(settings, name)).transpose()?;
    if arguments.retry {
        return retry_dead_letters(settings, switchboard(settings)?, ems_id);
    }
    let chosen = Chosen { ems_id, limit: arguments.limit };
    let dead = arguments.dead;
    show(settings, move |connection| match (dead, json) {
        (false, false) => events::text(connection, &chosen, clock::now()),
        (false, true) => events::json_lines(connection, &chosen),
        (true, false) => events::dead_text(connection, &chosen, clock::now()),
        (true, true) => events::dead_json_lines(connection, &chosen),
    })
}

/// `events show`
fn show_event(settings: &Settings, switchboard: Switchboard, id: &str, json: bool) -> Result<(), CliError> {
    let asked = id.to_owned();
    let told = reading(settings, move |connection| {
        Ok(event_show::read(connection, &asked).map(|story| match json {
            true => event_show::json(&story, &switchboard),
            false => event_show::text(&story, &switchboard),
        }))
    })?;
    print!("{}", told.map_err(failed)?);
    Ok(())
}

/// `ems`
///
/// # Errors
/// See [`CliError`].
pub fn ems(settings: &Settings, command: &EmsCommand, json: bool) -> Result<(), CliError> {
    match command {
        EmsCommand::List => show(settings, move |connection| {
            if json { ems::list_json(connection) } else { ems::list(connection, clock::now()) }
        }),
        EmsCommand::Pause { name } => steer(settings, name.clone(), ems::pause),
        EmsCommand::Resume { name } => steer(settings, name.clone(), ems::resume),
        EmsCommand::Restart { name } => steer(settings, name.clone(), ems::restart),
    }
}

/// Prints what `read` finds.
pub(super) fn show(
    settings: &Settings,
    read: impl FnOnce(&mut Connection) -> Result<String, VmdbError> + Send + 'static,
) -> Result<(), CliError> {
    print!("{}", reading(settings, read)?);
    Ok(())
}

pub(super) fn reading<T: Send + 'static>(
    settings: &Settings,
    read: impl FnOnce(&mut Connection) -> Result<T, VmdbError> + Send + 'static,
) -> Result<T, CliError> {
    actix_rt::System::new().block_on(async {
        let vmdb = Vmdb::open(&settings.vmdb, Access::Read).await.map_err(failed)?;
        vmdb.read(read).await.map_err(failed)
    })
}

pub(super) fn writing<T: Send + 'static>(
    settings: &Settings,
    write: impl FnOnce(&mut Connection) -> Result<T, VmdbError> + Send + 'static,
) -> Result<T, CliError> {
    actix_rt::System::new().block_on(async {
        let vmdb = Vmdb::open(&settings.vmdb, Access::Worker).await.map_err(failed)?;
        vmdb.write(write).await.map_err(failed)
    })
}

type Steer = fn(&mut Connection, &str) -> Result<String, ems::EmsCommandError>;

fn steer(settings: &Settings, name: String, work: Steer) -> Result<(), CliError> {
    let said = writing(settings, move |connection| Ok(work(connection, &name)))?;
    print!("{}", said.map_err(failed)?);
    Ok(())
}

pub(super) fn ems_called(settings: &Settings, name: &str) -> Result<EmsId, CliError> {
    let asked = name.to_owned();
    let found = reading(settings, move |connection| events::ems_called(connection, &asked))?;
    found.ok_or_else(|| {
        failed(format!("there is no EMS {name:?} in the VMDB; `catchall ems list` shows those that are"))
    })
}

/// Letters of EMSs that are not in the settings stay as they are: nobody could say what their events do.
fn retry_dead_letters(
    settings: &Settings,
    switchboard: Switchboard,
    only: Option<EmsId>,
) -> Result<(), CliError> {
    let all = settings.ext_management_systems.clone();
    let automation = Automation::new(settings, switchboard);
    let retried = writing(settings, move |connection| {
        let mut sum = Retried::default();
        for row in vmdb::ems::list(connection)? {
            let Some(ems) = all.iter().find(|ems| ems.name == row.name) else { continue };
            if only.is_none_or(|ems_id| ems_id == row.id) {
                sum += retry(connection, Some(row.id), |_, native| ready(ems, &automation, native))?;
            }
        }
        Ok(sum)
    })?;
    println!("{retried}");
    Ok(())
}

/// What the event catcher would make of `native` today.
fn ready(
    ems: &EmsSettings,
    automation: &Automation,
    native: &NativeEvent,
) -> Result<Vec<ReadyEvent>, String> {
    let preparation =
        Preparation { provider: ems.provider, ems: &ems.name, automation, refresh: &ems.refresh };
    let parsed = prepare::parse_native(ems.provider, native).map_err(|error| error.to_string())?;
    let Parsed::Events(events) = parsed else { return Ok(Vec::new()) };
    events
        .into_iter()
        .filter(|parsed| !ems.blacklisted_event_names.matches(&parsed.event.event_type))
        .map(|parsed| {
            prepare::prepare(parsed, &preparation).map(|(ready, _)| ready).map_err(|error| error.to_string())
        })
        .collect()
}
