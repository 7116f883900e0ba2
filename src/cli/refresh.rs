//! `catchall refresh`: queues a refresh, which a running Catchall sees within seconds, and waits for its end if asked to.

use super::arguments::RefreshArguments;
use super::{CliError, failed, steer};
use crate::clock;
use crate::provider::{EmsId, Target, TargetRequest};
use crate::settings::Settings;
use crate::vmdb::queue::{self, Standing};
use crate::vmdb::refresh_work::{self, Asked};
use crate::vmdb::{Access, Vmdb, association_names};
use std::time::{Duration, Instant};

/// What a person's request names in place of an event's type: ManageIQ's own word for it.
const ASKED_BY_A_PERSON: &str = "EmsRefresh.refresh";
/// How often is looked whether it is done.
const LOOK: Duration = Duration::from_millis(200);
/// When nobody has claimed the work for so long, it is said who would.
const NOBODY_CLAIMS: Duration = Duration::from_secs(10);

/// `refresh`
///
/// # Errors
/// See [`CliError`].
pub fn run(settings: &Settings, arguments: &RefreshArguments) -> Result<(), CliError> {
    let targets = arguments
        .target
        .iter()
        .map(|text| target(text))
        .collect::<Result<Vec<_>, _>>()
        .map_err(CliError::Usage)?;
    is_refreshed(settings, &arguments.ems)?;
    let name = arguments.ems.clone();
    let ems_id = steer::ems_called(settings, &name)?;
    let count = targets.len();
    let asked = steer::writing(settings, move |connection| refresh_work::ask(connection, ems_id, targets))?;
    let what = match count {
        0 => "a full refresh".to_owned(),
        1 => "a refresh of 1 target".to_owned(),
        count => format!("a refresh of {count} targets"),
    };
    match asked.is_new {
        true => println!("{}: {what} of {name} is queued", asked.id),
        false => println!("{}: {what} of {name} waits already", asked.id),
    }
    if arguments.wait { wait(settings, ems_id, asked) } else { Ok(()) }
}

/// Whether a running Catchall with these settings would do it.
fn is_refreshed(settings: &Settings, name: &str) -> Result<(), CliError> {
    let Some(ems) = settings.ext_management_systems.iter().find(|ems| ems.name == name) else {
        return Err(failed(format!(
            "there is no EMS {name:?} in the settings, so nobody would refresh it; `catchall ems list` shows \
             those that were ever entered"
        )));
    };
    if !ems.provider.has_collector() {
        return Err(failed(format!(
            "{name} has no inventory: the provider {} has no collector",
            ems.provider.ems_type()
        )));
    }
    if !ems.refresh.enabled {
        let ems_type = ems.provider.ems_type();
        return Err(failed(format!("refreshing {name} is switched off by ems_refresh.{ems_type}.enabled")));
    }
    Ok(())
}

/// `vms:vm-1`; the reference may hold colons.
fn target(text: &str) -> Result<TargetRequest, String> {
    let known = association_names();
    let (association, ems_ref) = text
        .split_once(':')
        .filter(|(_, ems_ref)| !ems_ref.is_empty())
        .ok_or_else(|| format!("a target is ASSOCIATION:REF, such as vms:vm-1, and not {text:?}"))?;
    if !known.contains(&association) {
        let known = known.join(", ");
        return Err(format!("{association:?} of {text:?} is no association; there are: {known}"));
    }
    Ok(TargetRequest {
        target: Target::by_ems_ref(association, ems_ref),
        event_type: ASKED_BY_A_PERSON.to_owned(),
        timestamp: clock::now(),
    })
}

fn wait(settings: &Settings, ems_id: EmsId, asked: Asked) -> Result<(), CliError> {
    actix_rt::System::new().block_on(async {
        let vmdb = Vmdb::open(&settings.vmdb, Access::Read).await.map_err(failed)?;
        let (started, mut said) = (Instant::now(), false);
        loop {
            let look = move |connection: &mut _| queue::standing(connection, ems_id, asked.work_id);
            match vmdb.read(look).await.map_err(failed)? {
                Standing::Done(kind) => {
                    println!("done: a {kind} refresh answered it");
                    return Ok(());
                }
                Standing::Failed(error, true) => {
                    return Err(failed(format!(
                        "the refresh failed: {error}; it is tried again by itself, `catchall queue show {}` tells how \
                         it goes on",
                        asked.id
                    )));
                }
                Standing::Failed(error, false) => return Err(failed(format!("the refresh failed: {error}"))),
                Standing::Gone => return Err(failed("the work left the queue without an answer")),
                Standing::Waiting(false) if !said && started.elapsed() > NOBODY_CLAIMS => {
                    said = true;
                    eprintln!("still waiting: nobody has claimed it yet; is `catchall run` running?");
                }
                Standing::Waiting(_) => {}
            }
            tokio::time::sleep(LOOK).await;
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_an_association_and_a_reference() {
        let request = target("vms:urn:vm:1").unwrap();
        assert_eq!(request.target, Target::by_ems_ref("vms", "urn:vm:1"));
        for (wrong, says) in [
            ("vm-1", "such as vms:vm-1"),
            ("vms:", "such as vms:vm-1"),
            ("vm:vm-1", "there are: availability_zones"),
        ] {
            let error = target(wrong).unwrap_err();
            assert!(error.contains(says), "{wrong}: {error}");
        }
    }
}
