//! The conditions of a query as SQL, with their values in order. Which index a statement is to go by is said here: columns of
//! other indexes are then named so that no index knows them.

use super::{Position, TimelineQuery};
use crate::vmdb::Value;
use crate::vmdb::resource::ResourceKind;
use chrono::{DateTime, Utc};

/// Where a text is looked for.
const TEXTS: &str = "event_type, message, vm_name, dest_vm_name, host_name, dest_host_name, ems_cluster_name, \
                     dest_ems_cluster_name, container_node_name, container_group_name, container_replicator_name, \
                     physical_storage_name, ems_ref, vm_ems_ref, dest_vm_ems_ref, ems_cluster_uid";

/// A stretch of the timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    /// Not older than this; `None`: from the beginning.
    pub(super) from: Option<Position>,
    /// Older than this.
    pub(super) until: Position,
}

impl Range {
    /// That of the query's page.
    pub(super) fn of(query: &TimelineQuery) -> Self {
        let until = query.until.map_or(END, Position::before_all_of);
        Self {
            from: query.since.map(Position::before_all_of),
            until: query.before.map_or(until, |before| before.min(until)),
        }
    }

    /// Whether nothing can lie in it.
    pub(super) fn is_empty(&self) -> bool {
        self.from.is_some_and(|from| from >= self.until)
    }
}

impl Position {
    /// Ids begin at 1.
    pub(super) const fn before_all_of(timestamp: DateTime<Utc>) -> Self {
        Self { timestamp, id: 0 }
    }
}

/// Both databases can say it, and no event is as late.
const END: Position = match DateTime::from_timestamp(253_402_300_799, 0) {
    Some(end) => Position::before_all_of(end),
    None => Position::before_all_of(DateTime::<Utc>::MAX_UTC),
};

/// The index that a statement goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// That of the time.
    Time,
    /// That of the EMS and the time.
    Ems,
    /// That of the event type and the time.
    Types,
    /// That of a resource and the time.
    Resource,
}

/// SQL that follows a WHERE, and its values.
#[derive(Clone, Debug, Default)]
pub(super) struct Conditions<'q> {
    pub(super) sql: String,
    pub(super) values: Vec<Value<'q>>,
}

impl<'q> Conditions<'q> {
    /// All that the query asks of a row, but for its time and resource. `pattern` is [`pattern`] of its text.
    pub(super) fn of(query: &'q TimelineQuery, by: By, pattern: Option<&'q str>) -> Self {
        let mut this = Self { sql: "type = 'EmsEvent'".to_owned(), values: Vec::new() };
        if let Some(ems_id) = query.asked_ems() {
            let hidden = matches!(by, By::Time | By::Types | By::Resource);
            this.and(if hidden { "ems_id + 0 = ?" } else { "ems_id = ?" }, [ems_id.into()]);
        }
        match query.event_types.as_deref() {
            None => {}
            Some([only]) if by == By::Types => this.and("event_type = ?", [only.into()]),
            Some(types) => {
                let hidden = matches!(by, By::Time | By::Ems | By::Resource);
                let types = Value::Texts(types.iter().map(String::as_str).collect());
                this.and(if hidden { "coalesce(event_type, '') ?" } else { "event_type ?" }, [types]);
            }
        }
        if let Some(pattern) = pattern {
            this.and(&format!("lower(concat_ws('\n', {TEXTS})) LIKE lower(?) ESCAPE '!'"), [pattern.into()]);
        }
        this
    }

    /// Within this stretch of time; what has no time is in none.
    pub(super) fn within(&mut self, range: &Range) {
        let Position { timestamp, id } = range.until;
        let until = [timestamp.into(), timestamp.into(), id.into()];
        self.and("timestamp <= ? AND (timestamp < ? OR id < ?)", until);
        if let Some(Position { timestamp, id }) = range.from {
            let from = [timestamp.into(), timestamp.into(), id.into()];
            self.and("timestamp >= ? AND (timestamp > ? OR id >= ?)", from);
        }
    }

    /// And this.
    pub(super) fn and<const N: usize>(&mut self, sql: &str, values: [Value<'q>; N]) {
        if !self.sql.is_empty() {
            self.sql.push_str(" AND ");
        }
        self.sql.push_str(sql);
        self.values.extend(values);
    }
}

impl TimelineQuery {
    /// The EMS whose events alone are asked for, be it as a resource.
    pub(super) fn asked_ems(&self) -> Option<i64> {
        ems_of(self.resource, self.ems_id)
    }
}

/// The EMS that these two narrow events to.
pub(super) fn ems_of(resource: Option<(ResourceKind, i64)>, ems_id: Option<i64>) -> Option<i64> {
    match resource {
        Some((ResourceKind::Ems, id)) => Some(id),
        _ => ems_id,
    }
}

/// What finds the events of a resource: each arm goes by an index of its own, and no event is in two of them. An EMS has
/// none, since it is a condition like others.
pub(super) fn arms(resource: Option<(ResourceKind, i64)>) -> Option<[Conditions<'static>; 2]> {
    let (kind, id) = resource?;
    let (column, dest_column) = columns(kind)?;
    let of = |sql: String, values: Vec<Value<'static>>| Conditions { sql, values };
    Some([
        of(format!("{column} = ?"), vec![id.into()]),
        of(format!("{dest_column} = ? AND {column} IS DISTINCT FROM ?"), vec![id.into(), id.into()]),
    ])
}

/// Where an event names such a resource, and where it names the one that something moves to.
pub(super) const fn columns(kind: ResourceKind) -> Option<(&'static str, &'static str)> {
    match kind {
        ResourceKind::Vm => Some(("vm_or_template_id", "dest_vm_or_template_id")),
        ResourceKind::Host => Some(("host_id", "dest_host_id")),
        ResourceKind::Cluster => Some(("ems_cluster_id", "dest_ems_cluster_id")),
        ResourceKind::Ems => None,
    }
}

/// The pattern of LIKE that finds `text` anywhere, whatever it holds.
pub(super) fn pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for character in text.chars().filter(|character| *character != '\0') {
        if matches!(character, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_looked_for_as_it_is() {
        assert_eq!(pattern("100%_!a"), "%100!%!_!!a%");
        assert_eq!(pattern("a\0b"), "%ab%");
    }

    #[test]
    fn the_page_after_another_ends_where_that_one_did() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        let before = Position { timestamp: at(50), id: 7 };
        let query = TimelineQuery { until: Some(at(60)), before: Some(before), ..TimelineQuery::default() };
        assert_eq!(Range::of(&query), Range { from: None, until: before });
        let query = TimelineQuery { since: Some(at(60)), until: Some(at(60)), ..TimelineQuery::default() };
        assert!(Range::of(&query).is_empty());
    }
}
