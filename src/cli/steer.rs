//! Commands that look at and steer a VMDB, beside a running Catchall or without one: which connection they need, what
//! they print. What they say is made in `status`, `events`, `ems` and `retry`.

use super::arguments::{EmsCommand, EventsArguments};
use super::events::{self, Chosen};
use super::{CliError, ems, failed, retry, status};
use crate::clock;
use crate::event_catcher::parser::{ParserSettings, SharedSwitchboard, parse_batch};
use crate::observe::EmsFigures;
use crate::provider::{EmsId, NativeEvent};
use crate::settings::{EmsSettings, Settings};
use crate::switchboard::Switchboard;
use crate::vmdb::{self, Access, Connection, ReadyEvent, Vmdb, VmdbError};
use std::collections::HashMap;

/// `migrate`: brings the schema up to date, and says what was done.
pub fn migrate(settings: &Settings) -> Result<(), CliError> {
    let applied = actix_rt::System::new()
        .block_on(async { Vmdb::open(&settings.vmdb, Access::Worker).await?.migrate().await })
        .map_err(failed)?;
    match applied.as_slice() {
        [] => println!("the schema is up to date"),
        names => names.iter().for_each(|name| println!("applied {name}")),
    }
    Ok(())
}

/// `status`
pub fn status(settings: &Settings, json: bool) -> Result<(), CliError> {
    let render = if json { status::json } else { status::text };
    print!("{}", with_vmdb(settings, Access::Read, move |connection| render(connection, clock::now()))?);
    Ok(())
}

/// `events`, `events --dead`
pub fn events(settings: &Settings, arguments: &EventsArguments, json: bool) -> Result<(), CliError> {
    let (dead, limit, ems) = (arguments.dead, arguments.limit, arguments.ems.clone());
    let text = with_vmdb(settings, Access::Read, move |connection| {
        let chosen = Chosen { ems_id: chosen_ems(connection, ems.as_deref())?, limit };
        match (dead, json) {
            (false, false) => events::text(connection, &chosen, clock::now()),
            (false, true) => events::json_lines(connection, &chosen),
            (true, false) => events::dead_text(connection, &chosen, clock::now()),
            (true, true) => events::dead_json_lines(connection, &chosen),
        }
    })?;
    print!("{text}");
    Ok(())
}

/// `events --dead --retry`
pub fn retry_dead_letters(
    settings: &Settings,
    switchboard: Switchboard,
    arguments: &EventsArguments,
) -> Result<(), CliError> {
    let (ems, switchboard) = (arguments.ems.clone(), SharedSwitchboard::new(switchboard));
    let entries = settings.ext_management_systems.clone();
    let keep_events = settings.keep_events;
    let retried = with_vmdb(settings, Access::Worker, move |connection| {
        let only = chosen_ems(connection, ems.as_deref())?;
        let rows = vmdb::ems::list(connection)?;
        let known: HashMap<EmsId, &EmsSettings> = rows
            .iter()
            .filter_map(|row| Some((row.id, entries.iter().find(|entry| entry.name == row.name)?)))
            .collect();
        retry(connection, only, |ems_id, native| {
            let ems = known.get(&ems_id).ok_or("its EMS is not in the settings")?;
            let settings = ParserSettings {
                filter: ems.blacklisted_event_names.clone(),
                refresh: ems.refresh.clone(),
                keep_events,
                switchboard: switchboard.clone(),
            };
            parse_again(ems, &settings, native)
        })
    })?;
    println!("{retried}");
    Ok(())
}

fn parse_again(ems: &EmsSettings, settings: &ParserSettings, native: &str) -> Result<Vec<ReadyEvent>, String> {
    let mut batch = parse_batch(ems.provider, settings, &EmsFigures::default(), &[NativeEvent::new(native)]);
    match batch.dead_letters.pop() {
        Some(letter) => Err(letter.reason),
        None => Ok(batch.events),
    }
}

/// `ems list|pause|resume|restart`
pub fn ems(settings: &Settings, command: &EmsCommand, json: bool) -> Result<(), CliError> {
    let command = command.clone();
    let access = if matches!(command, EmsCommand::List) { Access::Read } else { Access::Worker };
    let text = with_vmdb(settings, access, move |connection| {
        Ok(match command {
            EmsCommand::List if json => ems::list_json(connection).map_err(ems::EmsCommandError::from),
            EmsCommand::List => ems::list(connection, clock::now()).map_err(ems::EmsCommandError::from),
            EmsCommand::Pause { name } => ems::pause(connection, &name),
            EmsCommand::Resume { name } => ems::resume(connection, &name),
            EmsCommand::Restart { name } => ems::restart(connection, &name),
        })
    })?;
    print!("{}", text.map_err(failed)?);
    Ok(())
}

fn chosen_ems(connection: &mut Connection, name: Option<&str>) -> Result<Option<EmsId>, VmdbError> {
    let Some(name) = name else { return Ok(None) };
    let found = events::ems_called(connection, name)?;
    found.map(Some).ok_or_else(|| VmdbError::Refused(format!("there is no EMS {name} in it; see `catchall ems list`")))
}

fn with_vmdb<T: Send + 'static>(
    settings: &Settings,
    access: Access,
    work: impl FnOnce(&mut Connection) -> Result<T, VmdbError> + Send + 'static,
) -> Result<T, CliError> {
    let done = actix_rt::System::new().block_on(async {
        let vmdb = Vmdb::open(&settings.vmdb, access).await?;
        match access {
            Access::Read => vmdb.read(work).await,
            Access::Run | Access::Worker => vmdb.write(work).await,
        }
    });
    done.map_err(failed)
}
