//! `check --connect`: reaches every EMS as its event catcher would, and says exactly what fails. Stores nothing.

use crate::provider::{ByteBudget, EmsId, InitialHistory};
use crate::settings::{EmsSettings, Settings};
use crate::supervisor::street::ems_of;
use std::time::Duration;

/// Longer than any single deadline of a provider.
const AT_MOST: Duration = Duration::from_secs(45);

/// One line per enabled EMS, and whether all could be reached.
pub async fn connect(settings: &Settings) -> (String, bool) {
    let enabled = settings.ext_management_systems.iter().filter(|ems| ems.enabled);
    let reached =
        futures_util::future::join_all(enabled.map(|ems| async move { (ems, reach(ems).await) })).await;
    let all = reached.iter().all(|(_, result)| result.is_ok());
    let lines = reached.into_iter().map(|(ems, result)| match result {
        Ok(()) => format!("{}: reached\n", ems.name),
        Err(error) => format!("{}: {error}\n", ems.name),
    });
    (lines.collect(), all)
}

async fn reach(settings: &EmsSettings) -> Result<(), String> {
    let mut ems = ems_of(EmsId(settings.id.unwrap_or_default()), settings, &ByteBudget::default());
    ems.catcher.initial_history = InitialHistory::None;
    let mut stream = settings.provider.stream(&ems).map_err(|error| error.message)?;
    let started = tokio::time::timeout(AT_MOST, stream.start(None)).await;
    started.map_err(|_| format!("did not answer within {AT_MOST:?}"))?.map_err(|error| error.to_string())?;
    stream.stop().await;
    Ok(())
}
