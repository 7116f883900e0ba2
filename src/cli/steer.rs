//! Commands that look at and steer a VMDB, beside a running Catchall or without one: opens it, and hands the work to
//! `events`, `event_show`, `retry` and `ems`.

use super::arguments::{EmsCommand, EventsArguments, EventsCommand};
use super::event_filter::{EventFilter, FilterError};
use super::events::{self, Chosen};
use super::terminal::{self, Screen};
use super::{CliError, Retried, dead, ems, ems_names, event_show, failed, retry};
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
    if arguments.retry {
        let ems_id = arguments.filter.ems.as_deref().map(|name| ems_called(settings, name)).transpose()?;
        return retry_dead_letters(settings, switchboard(settings)?, ems_id);
    }
    let groups = settings.event_groups.clone();
    let filter = EventFilter::new(&arguments.filter, &groups, clock::now())?;
    let chosen = Chosen { filter, limit: arguments.limit };
    if arguments.dead {
        let text = reading(settings, move |connection| Ok(dead_letters(connection, &chosen, json)))??;
        return terminal::print(&text).map(drop);
    }
    let (found, chosen) = reading(settings, move |connection| {
        Ok(events::read(connection, &chosen, &groups).map(|found| (found, chosen)))
    })??;
    let text = match json {
        true => events::json_lines(&found, &settings.event_groups),
        false if found.events.is_empty() => events::none(&chosen).to_owned(),
        false => events::text(&found, &settings.event_groups, clock::now(), &Screen::of_stdout()),
    };
    terminal::print(&text).map(drop)
}

/// `events --dead`
fn dead_letters(connection: &mut Connection, chosen: &Chosen, json: bool) -> Result<String, FilterError> {
    let query = chosen.filter.dead_letters(connection, chosen.limit)?;
    Ok(match json {
        true => dead::json_lines(connection, &query)?,
        false => dead::text(connection, &query, clock::now())?,
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
    terminal::print(&told.map_err(failed)?).map(drop)
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
    terminal::print(&reading(settings, read)?).map(drop)
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
    terminal::print(&said.map_err(failed)?).map(drop)
}

pub(super) fn ems_called(settings: &Settings, name: &str) -> Result<EmsId, CliError> {
    let asked = name.to_owned();
    reading(settings, move |connection| Ok(ems_names::id_of(connection, &asked)))?.map_err(failed)
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
