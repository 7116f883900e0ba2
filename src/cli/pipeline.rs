//! What a running Catchall says of itself: `/pipeline.json` of the address in `http.listen`, asked with its token.
//!
//! Fields that a process does not tell, since it is older or newer than this command, stay empty.

use super::own_process::OwnProcess;
use crate::settings::HttpSettings;
use chrono::{DateTime, Utc};
use reqwest::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

/// A process that takes longer is not asked.
const AT_MOST: Duration = Duration::from_secs(3);

/// All that it says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pipeline {
    /// When it said so.
    pub as_of: Option<DateTime<Utc>>,
    /// Its version.
    pub version: Option<String>,
    /// The process itself.
    pub process: Process,
    /// Its VMDB, as it sees it.
    pub vmdb: VmdbState,
    /// Each EMS.
    pub ems: Vec<EmsState>,
    /// Each actor.
    pub actors: Vec<ActorRow>,
}

/// The process.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Process {
    /// When it started.
    pub started_on: Option<DateTime<Utc>>,
    /// Memory that it has in use, in bytes.
    pub resident_memory_bytes: Option<u64>,
    /// Processor cores that it keeps busy.
    pub cores_used: Option<f64>,
}

/// The VMDB as the process sees it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct VmdbState {
    /// Whether it answers.
    pub answers: bool,
    /// Why not.
    pub error: Option<String>,
}

/// How an EMS stands. `None`: whoever tells of it does not know.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EmsState {
    /// `ext_management_systems.id`, once the VMDB told it.
    pub id: Option<i64>,
    /// Its name.
    pub name: String,
    /// ManageIQ's class name, or the provider's type.
    #[serde(rename = "type")]
    pub class_name: String,
    /// What its event catcher does: `running`, `backing_off`, `paused`, `not_enabled` …
    pub state: String,
    /// Why it does not run.
    pub error: Option<String>,
    /// The newest event's own time.
    pub last_event_on: Option<DateTime<Utc>>,
    /// When it was asked for events last.
    pub last_poll_on: Option<DateTime<Utc>>,
    /// How long the last events took from their own time to their commit, in seconds.
    pub lag_seconds: Option<f64>,
    /// New events since the process started.
    pub events_total: Option<u64>,
    /// Events per second within the last minute.
    pub events_per_second: Option<f64>,
    /// New events in each of the last 60 minutes, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub events_of_minutes: Vec<u32>,
    /// Events per second that it has usually.
    pub usual_events_per_second: Option<f64>,
    /// How many events it usually sends in the time for which it has been silent.
    pub silence_ratio: Option<f64>,
    /// How often its event catcher was replaced.
    pub restarts: Option<u64>,
    /// Events that are on their way to the VMDB.
    pub in_flight: Option<i64>,
    /// Rows of `miq_queue` that wait for its refresh worker or are with it.
    pub waiting_work: Option<i64>,
    /// What its refresh worker does.
    pub refresh_state: Option<String>,
    /// When a refresh ended last.
    pub last_refresh_on: Option<DateTime<Utc>>,
    /// Why the last one failed, if it did.
    pub last_refresh_error: Option<String>,
    /// Rows of `dead_letters`.
    pub dead_letters: Option<i64>,
    /// Rows of `event_gaps`.
    pub gaps: Option<i64>,
    /// The latest of them.
    pub last_gap: Option<Json>,
}

/// An actor.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ActorRow {
    /// `event_catcher`, `stream`, `parser` …
    pub actor: String,
    /// The EMS that it works for.
    pub ems: Option<String>,
    /// What it does.
    pub state: String,
    /// Which of its kind it is, counted from the start of the process.
    pub generation: Option<u64>,
    /// What it has in hand.
    pub in_flight: Option<i64>,
    /// What it has done.
    pub handled: Option<u64>,
    /// What went wrong.
    pub failed: Option<u64>,
    /// The last error.
    pub error: Option<String>,
    /// How long messages waited for it, in seconds.
    pub mailbox_wait_seconds: Option<f64>,
}

/// Why there is nothing to be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAsked {
    /// It serves nothing.
    #[error("a running Catchall cannot be asked, since http.listen is off")]
    Off,
    /// It chooses its port, and nobody else knows it.
    #[error("a running Catchall cannot be asked, since http.listen lets it choose its port")]
    AnyPort,
    /// Nobody listens.
    #[error("no Catchall answers at {0}")]
    Nobody(SocketAddr),
    /// The token is another one.
    #[error("the Catchall at {0} has another http.token than these settings")]
    Refused(SocketAddr),
    /// Something else listens, or a Catchall in trouble.
    #[error("what listens at {0} does not tell how it is: {1}")]
    Strange(SocketAddr, String),
    /// It is another one.
    #[error("the Catchall that answers has other EMSs than the VMDB of these settings")]
    OtherVmdb,
}

/// Asks the process that `settings` speak of.
///
/// # Errors
/// See [`NotAsked`].
pub async fn ask(settings: &HttpSettings) -> Result<Pipeline, NotAsked> {
    let process = OwnProcess::of(settings, AT_MOST)?;
    let address = process.address;
    let strange = |error: &dyn std::fmt::Display| NotAsked::Strange(address, error.to_string());
    let mut request = process.get("/pipeline.json");
    if let Some(token) = &settings.token {
        request = request.bearer_auth(token.expose());
    }
    let response = request.send().await.map_err(|error| match error.is_connect() {
        true => NotAsked::Nobody(address),
        false if error.is_timeout() => strange(&"it does not answer in time"),
        false => strange(&error.without_url()),
    })?;
    match response.status() {
        StatusCode::OK => response.json().await.map_err(|error| strange(&error.without_url())),
        StatusCode::UNAUTHORIZED => Err(NotAsked::Refused(address)),
        other => Err(strange(&other)),
    }
}

/// Where a process on this machine can be reached that listens so.
///
/// # Errors
/// When that cannot be known.
pub fn address(listen: Option<SocketAddr>) -> Result<SocketAddr, NotAsked> {
    let mut address = listen.ok_or(NotAsked::Off)?;
    if address.port() == 0 {
        return Err(NotAsked::AnyPort);
    }
    match address.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_asked_where_it_can_be_reached_from_here() {
        let reached =
            |listen: &str| address(Some(listen.parse().unwrap())).map(|address| address.to_string());
        assert_eq!(reached("0.0.0.0:8484").unwrap(), "127.0.0.1:8484");
        assert_eq!(reached("[::]:8484").unwrap(), "[::1]:8484");
        assert_eq!(reached("10.0.0.7:80").unwrap(), "10.0.0.7:80");
        assert_eq!(reached("127.0.0.1:0"), Err(NotAsked::AnyPort));
        assert_eq!(address(None), Err(NotAsked::Off));
    }

    #[test]
    fn what_another_version_does_not_tell_stays_empty_and_what_it_tells_besides_is_passed_over() {
        let text = r#"{"as_of":"2026-11-29T10:00:00Z","moon":"full","ems":[{"id":3,"name":"a","type":"T","state":"running",
                       "events_per_second":2,"gaps":1}]}"#;
        let pipeline: Pipeline = serde_json::from_str(text).unwrap();
        assert_eq!((pipeline.ems[0].id, pipeline.ems[0].events_per_second), (Some(3), Some(2.0)));
        assert_eq!((pipeline.ems[0].gaps, pipeline.ems[0].restarts), (Some(1), None));
        assert!(!pipeline.vmdb.answers && pipeline.actors.is_empty());
    }
}
