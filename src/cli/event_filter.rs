//! Which events `tail` and `events` show: what is written behind them, and the query that it comes to.

use super::ems_names;
use super::event_types::Types;
use super::{CliError, failed, times};
use crate::settings::{EventGroups, event_groups::LEVELS};
use crate::vmdb::dead_letters::DeadLetterQuery;
use crate::vmdb::resource::ResourceKind;
use crate::vmdb::timeline::{self, TimelineQuery};
use crate::vmdb::{Connection, VmdbError, resource_names};
use chrono::{DateTime, Utc};
use clap::Args;

/// Filters that `tail` and `events` share.
#[derive(Args, Debug, Clone, Default)]
pub struct EventFilterArguments {
    /// Only of this EMS
    #[arg(long, value_name = "NAME")]
    pub ems: Option<String>,
    /// Only of this type, or of those that /REGULAR EXPRESSION/ matches
    #[arg(long = "type", value_name = "TYPE")]
    pub event_type: Option<String>,
    /// Only of this level
    #[arg(long, value_name = "LEVEL", value_parser = LEVELS)]
    pub level: Option<String>,
    /// Only of this event group, such as power
    #[arg(long, value_name = "GROUP")]
    pub group: Option<String>,
    /// Only with this text in type, message or the names of what they are about; capitals or not
    #[arg(long, value_name = "TEXT")]
    pub text: Option<String>,
    /// Only about this: vm:NAME, host:NAME or cluster:NAME; the provider's reference or the row's id will do, too
    #[arg(long, value_name = "KIND:NAME")]
    pub resource: Option<String>,
    /// Only those that happened since: a time such as 2026-11-24T10:00:00Z, or so far back, such as 10.minutes
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Only those that happened before: a time, or so far back
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
}

/// What is asked for, understood as far as that goes without the VMDB.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    ems: Option<String>,
    types: Types,
    text: Option<String>,
    resource: Option<(ResourceKind, String)>,
    since: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
}

impl EventFilter {
    /// Understands what was written.
    ///
    /// # Errors
    /// Wrong use, with what was probably meant.
    pub fn new(
        written: &EventFilterArguments,
        groups: &EventGroups,
        now: DateTime<Utc>,
    ) -> Result<Self, CliError> {
        let time = |option, text: &Option<String>| {
            text.as_deref().map(|text| times::written(option, text, now)).transpose()
        };
        Ok(Self {
            ems: written.ems.clone(),
            types: Types::new(written, groups).map_err(CliError::Usage)?,
            text: written.text.clone().filter(|text| !text.is_empty()),
            resource: written.resource.as_deref().map(resource).transpose().map_err(CliError::Usage)?,
            since: time("--since", &written.since)?,
            until: time("--until", &written.until)?,
        })
    }

    /// Not older than this.
    pub fn since(&self) -> Option<DateTime<Utc>> {
        self.since
    }

    /// Whether an event that happened then is asked for.
    pub fn holds(&self, happened: DateTime<Utc>) -> bool {
        self.since.is_none_or(|since| happened >= since) && self.until.is_none_or(|until| happened < until)
    }

    /// Whether anything is left out.
    pub fn is_narrow(&self) -> bool {
        self.ems.is_some()
            || self.types.is_narrow()
            || self.text.is_some()
            || self.resource.is_some()
            || self.since.is_some()
            || self.until.is_some()
    }

    /// Which types are asked for.
    pub fn types(&self) -> &Types {
        &self.types
    }

    /// The dead letters that it asks for, which have no type yet and are about nothing yet.
    ///
    /// # Errors
    /// An EMS that is not there, or the VMDB's own.
    pub fn dead_letters(
        &self,
        connection: &mut Connection,
        limit: usize,
    ) -> Result<DeadLetterQuery, FilterError> {
        let ems_id = self.ems.as_deref().map(|name| ems_names::id_of(connection, name)).transpose()?;
        Ok(DeadLetterQuery { ems_id, text: self.text.clone(), since: self.since, until: self.until, limit })
    }

    /// The query of the VMDB that has these EMSs, resources and types, of at most `limit` events.
    ///
    /// # Errors
    /// An EMS or resource that is not there, or the VMDB's own.
    pub fn query(
        &self,
        connection: &mut Connection,
        groups: &EventGroups,
        limit: usize,
    ) -> Result<TimelineQuery, FilterError> {
        let ems_id = self.ems.as_deref().map(|name| ems_names::id_of(connection, name)).transpose()?;
        let resource = match &self.resource {
            Some((kind, name)) => Some((*kind, resource_id(connection, *kind, name)?)),
            None => None,
        };
        let event_types = match self.types.one() {
            Some(one) => Some(vec![one.to_owned()]),
            None if self.types.is_narrow() => {
                let known = timeline::event_types(connection)?;
                Some(known.into_iter().filter(|name| self.types.hold(groups, name)).collect())
            }
            None => None,
        };
        Ok(TimelineQuery {
            resource,
            ems_id: ems_id.map(|id| id.0),
            event_types,
            text: self.text.clone(),
            since: self.since,
            until: self.until,
            before: None,
            limit,
        })
    }
}

/// Why a filter comes to no query.
#[derive(Debug, thiserror::Error)]
pub enum FilterError {
    /// It names what is not there.
    #[error("{0}")]
    Unknown(String),
    /// The VMDB's own.
    #[error(transparent)]
    Vmdb(#[from] VmdbError),
}

impl From<FilterError> for CliError {
    fn from(error: FilterError) -> Self {
        failed(error)
    }
}

impl From<ems_names::UnknownEms> for FilterError {
    fn from(error: ems_names::UnknownEms) -> Self {
        match error {
            ems_names::UnknownEms::Vmdb(error) => Self::Vmdb(error),
            unknown => Self::Unknown(unknown.to_string()),
        }
    }
}

fn resource(text: &str) -> Result<(ResourceKind, String), String> {
    let wanted = || format!("--resource {text}: wanted vm:NAME, host:NAME or cluster:NAME");
    let (kind, name) = text.split_once(':').filter(|(_, name)| !name.is_empty()).ok_or_else(wanted)?;
    match kind {
        "vm" => Ok((ResourceKind::Vm, name.to_owned())),
        "host" => Ok((ResourceKind::Host, name.to_owned())),
        "cluster" => Ok((ResourceKind::Cluster, name.to_owned())),
        _ => Err(wanted()),
    }
}

fn resource_id(connection: &mut Connection, kind: ResourceKind, name: &str) -> Result<i64, FilterError> {
    let noun = kind.noun();
    match resource_names::find(connection, kind, name)?[..] {
        [id] => Ok(id),
        [] => Err(FilterError::Unknown(format!(
            "there is no {noun} {name:?} in the VMDB, neither by name nor by the provider's reference nor by id"
        ))),
        ref several => {
            let ids = several.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
            Err(FilterError::Unknown(format!(
                "{name:?} is the {noun} of several rows; say one of their ids: {ids}"
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    fn groups() -> EventGroups {
        let mut groups = EventGroups::default();
        let power = groups.add_group("power", "Power Activity");
        groups.list(power, "critical", "vm.stop").unwrap();
        groups.list(power, "detail", "vm.start").unwrap();
        groups
    }

    fn filter(written: EventFilterArguments) -> Result<EventFilter, CliError> {
        EventFilter::new(&written, &groups(), clock::now())
    }

    fn text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn what_cannot_be_meant_is_told_with_what_can() {
        let none = EventFilterArguments::default;
        for (written, says) in [
            (
                EventFilterArguments { event_type: text("/(/"), ..none() },
                "--type /(/ is no regular expression",
            ),
            (EventFilterArguments { group: text("powr"), ..none() }, "did you mean \"power\"?"),
            (EventFilterArguments { group: text("network"), ..none() }, "there are: power, other"),
            (
                EventFilterArguments { resource: text("web-1"), ..none() },
                "wanted vm:NAME, host:NAME or cluster:NAME",
            ),
            (
                EventFilterArguments { resource: text("vm:"), ..none() },
                "wanted vm:NAME, host:NAME or cluster:NAME",
            ),
            (EventFilterArguments { since: text("noon"), ..none() }, "--since noon: wanted a time"),
            (EventFilterArguments { until: text("noon"), ..none() }, "--until noon: wanted a time"),
        ] {
            let error = filter(written).unwrap_err();
            assert!(matches!(&error, CliError::Usage(said) if said.contains(says)), "{says}: {error}");
        }
    }
}
