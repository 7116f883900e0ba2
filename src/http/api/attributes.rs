//! `attributes` and `sort_by` of a request → what is read of a record and how it is put together. Pure.

use super::error::ApiError;
use super::record::{Association, Column, Computed, Record, Target};
use super::records::{Host, Provider, Vm};
use crate::vmdb::Fields;
use crate::vmdb::api::Order;

/// What of each record is sent.
pub(super) struct Attributes<R: Record> {
    columns: Vec<&'static Column<R>>,
    /// Computed ones.
    pub(super) computed: Vec<&'static Computed<R>>,
    /// Related records, each with the columns of it; `None`: all.
    pub(super) related: Vec<(&'static Association<R>, Option<Vec<String>>)>,
    /// Names of all columns that have to be read, `id` first.
    pub(super) read: Vec<&'static str>,
}

impl<R: Record> Attributes<R> {
    /// The address alone.
    pub(super) fn none() -> Self {
        Self { columns: Vec::new(), computed: Vec::new(), related: Vec::new(), read: vec!["id"] }
    }

    /// Those that are asked for; when nothing is said, all columns that are not large.
    pub(super) fn new(names: Option<&[String]>) -> Result<Self, ApiError> {
        let mut chosen = Self::none();
        chosen.columns.push(&R::COLUMNS[0]);
        match names {
            None => chosen.columns = R::COLUMNS.iter().filter(|column| !column.on_request).collect(),
            Some(names) => names.iter().try_for_each(|name| chosen.add(name))?,
        }
        let mut read: Vec<&'static str> = vec!["id"];
        let keys = chosen.related.iter().map(|(association, _)| association.column);
        let event_type = (!chosen.computed.is_empty()).then_some("event_type");
        for name in chosen.columns.iter().map(|column| column.name).chain(keys).chain(event_type) {
            if !read.contains(&name) {
                read.push(name);
            }
        }
        chosen.read = read;
        Ok(chosen)
    }

    fn add(&mut self, name: &str) -> Result<(), ApiError> {
        if name == "href" || self.columns.iter().any(|column| column.name == name) {
            return Ok(());
        }
        if let Some(column) = R::column(name) {
            self.columns.push(column);
            return Ok(());
        }
        if let Some(computed) = R::COMPUTED.iter().find(|computed| computed.name == name) {
            self.computed.push(computed);
            return Ok(());
        }
        let (outer, inner) = match name.split_once('.') {
            Some((outer, inner)) => (outer, Some(inner)),
            None => (name, None),
        };
        let Some(association) = R::ASSOCIATIONS.iter().find(|association| association.name == outer) else {
            return Err(ApiError::unknown("attribute", name, R::attribute_names()));
        };
        if let Some(inner) = inner {
            check_inner(association.target, inner)?;
        }
        let at = self.related.iter().position(|(known, _)| known.name == outer);
        match (at.map(|at| &mut self.related[at].1), inner) {
            (Some(Some(columns)), Some(inner)) => columns.push(inner.to_owned()),
            (Some(columns), _) => *columns = None,
            (None, inner) => self.related.push((association, inner.map(|inner| vec![inner.to_owned()]))),
        }
        Ok(())
    }

    /// A record of this row, which holds the columns of [`Self::read`].
    pub(super) fn record(&self, row: &Fields) -> R {
        let mut record = R::default();
        if let Some(id) = row.integer(0) {
            record.set_href(format!("/api/{}/{id}", R::COLLECTION));
        }
        for column in &self.columns {
            if let Some(index) = self.index(column.name) {
                (column.set)(&mut record, row, index);
            }
        }
        record
    }

    /// Where a column stands in the rows that are read.
    pub(super) fn index(&self, name: &str) -> Option<usize> {
        self.read.iter().position(|read| *read == name)
    }
}

fn check_inner(target: Target, name: &str) -> Result<(), ApiError> {
    fn check<R: Record>(name: &str) -> Result<(), ApiError> {
        match R::column(name) {
            Some(_) => Ok(()),
            None => {
                let known = R::COLUMNS.iter().map(|column| column.name);
                Err(ApiError::unknown(&format!("attribute of a {}", R::NOUN), name, known))
            }
        }
    }
    match target {
        Target::Vm => check::<Vm>(name),
        Target::Host => check::<Host>(name),
        Target::Provider => check::<Provider>(name),
    }
}

/// The columns that are sorted by.
pub(super) fn order<R: Record>(sort: &[(String, bool)], ignore_case: bool) -> Result<Vec<Order>, ApiError> {
    let of = |(name, descending): &(String, bool)| {
        let Some(column) = R::column(name).filter(|column| !column.on_request) else {
            let known = R::COLUMNS.iter().filter(|column| !column.on_request).map(|column| column.name);
            return Err(ApiError::unknown("attribute to sort by", name, known));
        };
        let ignore_case = ignore_case && column.kind == super::values::Kind::Text;
        Ok(Order { column: column.name, descending: *descending, ignore_case })
    };
    sort.iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::api::records::EventStream;

    fn chosen(names: &[&str]) -> Result<Attributes<EventStream>, String> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        Attributes::new(Some(&names)).map_err(|error| error.to_string())
    }

    #[test]
    fn only_what_is_asked_for_is_read_with_the_keys_of_what_is_related() {
        let chosen = chosen(&["message", "group", "vm", "ext_management_system.name", "ems_id"]).unwrap();
        assert_eq!(chosen.read, ["id", "message", "ems_id", "vm_or_template_id", "event_type"]);
        assert_eq!(chosen.related.len(), 2);
        let all = Attributes::<EventStream>::new(None).unwrap();
        assert!(!all.read.contains(&"full_data") && all.read.contains(&"type"));
    }

    #[test]
    fn an_unknown_attribute_is_told_with_the_nearest() {
        for (name, told) in [
            ("mesage", "did you mean message?"),
            ("vm.nme", "did you mean name?"),
            ("password", "known are: href, id, event_type"),
            ("ext_management_system.password", "attribute of a ExtManagementSystem"),
        ] {
            let error = chosen(&[name]).err().unwrap();
            assert!(error.contains(told), "{name}: {error}");
        }
        assert!(order::<EventStream>(&[("full_data".to_owned(), false)], false).is_err());
    }
}
