//! What saving rows of inventory would change: values made comparable, references resolved, rows that are as they were
//! left out.

use super::VmdbError;
use super::associations::{self, Association};
use super::dialect::Connection;
use super::statement::{Fields, Value};
use crate::provider::{Attribute, EmsId, Row};
use std::collections::{BTreeMap, HashMap};

/// Rows with the same columns.
pub(super) struct Group<'a> {
    pub(super) columns: Vec<&'static str>,
    pub(super) rows: Vec<(&'a str, Vec<Value<'a>>)>,
    /// Columns that are NULL in all rows: nothing tells of which kind they are.
    pub(super) always_null: Vec<bool>,
}

/// A row of the VMDB that a row of the provider is about.
pub(super) struct Stored {
    pub(super) id: i64,
    pub(super) archived: bool,
    pub(super) fields: Fields,
}

/// (association, ems_ref) → id.
pub(super) type References<'a> = HashMap<(&'a str, &'a str), i64>;

/// The columns before those of the group in [`load`]'s rows.
pub(super) const LEADING: usize = 3;

/// Looks up what the rows refer to, one query for each association.
pub(super) fn resolve<'a>(
    connection: &mut Connection,
    ems_id: EmsId,
    rows: &'a [Row],
) -> Result<References<'a>, VmdbError> {
    let mut wanted: BTreeMap<&str, Vec<&'a str>> = BTreeMap::new();
    for (_, attribute) in rows.iter().flat_map(|row| &row.attributes) {
        if let Attribute::Reference { association, ems_ref } = attribute {
            wanted.entry(association).or_default().push(ems_ref);
        }
    }
    let mut references = References::new();
    for (association, mut ems_refs) in wanted {
        ems_refs.sort_unstable();
        ems_refs.dedup();
        let table = associations::find(association)?.table;
        let sql = format!("SELECT id, ems_ref FROM {table} WHERE ems_id = ? AND ems_ref ?");
        let values = [ems_id.0.into(), Value::Texts(ems_refs.clone())];
        for row in connection.rows(&sql, &values)? {
            if let Ok(place) = ems_refs.binary_search(&row.text(1).unwrap_or_default()) {
                references.insert((association, ems_refs[place]), row.id(0)?);
            }
        }
    }
    Ok(references)
}

/// Brings rows with the same columns together. Of several rows with one `ems_ref` the last counts.
pub(super) fn group<'a>(rows: &'a [Row], references: &References<'a>) -> Vec<Group<'a>> {
    let last: HashMap<&str, usize> =
        rows.iter().enumerate().map(|(index, row)| (row.ems_ref.as_str(), index)).collect();
    let mut groups: BTreeMap<Vec<&'static str>, Vec<&'a Row>> = BTreeMap::new();
    for (index, row) in rows.iter().enumerate() {
        if last.get(row.ems_ref.as_str()) == Some(&index) {
            groups.entry(row.attributes.iter().map(|(column, _)| *column).collect()).or_default().push(row);
        }
    }
    groups.into_iter().map(|(columns, rows)| Group::new(columns, &rows, references)).collect()
}

impl<'a> Group<'a> {
    fn new(columns: Vec<&'static str>, rows: &[&'a Row], references: &References<'a>) -> Self {
        let sample = |column: usize| {
            rows.iter().map(|row| &row.attributes[column].1).find(|attribute| **attribute != Attribute::Null)
        };
        let samples: Vec<_> = (0..columns.len()).map(sample).collect();
        let value = |row: &&'a Row| {
            let values = row.attributes.iter().zip(&samples);
            let values =
                values.map(|((_, attribute), sample)| value_of(attribute, *sample, references)).collect();
            (row.ems_ref.as_str(), values)
        };
        Self {
            rows: rows.iter().map(value).collect(),
            always_null: samples.iter().map(Option::is_none).collect(),
            columns,
        }
    }
}

/// NULL is of the kind that the column has in other rows.
fn value_of<'a>(
    attribute: &'a Attribute,
    sample: Option<&Attribute>,
    references: &References<'a>,
) -> Value<'a> {
    match attribute {
        Attribute::Text(text) => Value::Text(Some(text)),
        Attribute::Integer(number) => Value::Integer(Some(*number)),
        Attribute::Boolean(boolean) => Value::Boolean(Some(*boolean)),
        Attribute::Time(time) => (*time).into(),
        Attribute::Reference { association, ems_ref } => {
            Value::Integer(references.get(&(*association, ems_ref.as_str())).copied())
        }
        Attribute::Null => match sample {
            Some(Attribute::Integer(_) | Attribute::Reference { .. }) => Value::Integer(None),
            Some(Attribute::Boolean(_)) => Value::Boolean(None),
            Some(Attribute::Time(_)) => Value::Time(None),
            _ => Value::Text(None),
        },
    }
}

/// The stored rows of a group by `ems_ref`: those of the EMS, else archived ones that it owned last (the latest of them).
pub(super) fn load(
    connection: &mut Connection,
    ems_id: EmsId,
    association: &Association,
    group: &Group<'_>,
) -> Result<HashMap<String, Stored>, VmdbError> {
    let mut columns = vec!["id", "ems_ref", "ems_id"];
    columns.extend(&group.columns);
    let (columns, table) = (columns.join(", "), association.table);
    let ems_refs = Value::Texts(group.rows.iter().map(|(ems_ref, _)| *ems_ref).collect());
    let mut sql = format!("SELECT {columns} FROM {table} WHERE ems_id = ? AND ems_ref ?");
    let mut values = vec![ems_id.0.into(), ems_refs.clone()];
    if association.archives {
        sql.push_str(&format!(
            " UNION ALL SELECT {columns} FROM {table} WHERE archived_ems_id = ? AND ems_id IS NULL AND ems_ref ?"
        ));
        values.extend([ems_id.0.into(), ems_refs]);
    }
    let mut stored: HashMap<String, Stored> = HashMap::new();
    for fields in connection.rows(&sql, &values)? {
        let row = Stored { id: fields.id(0)?, archived: fields.integer(2).is_none(), fields };
        let ems_ref = row.fields.string(1).unwrap_or_default();
        let worse = |known: &Stored| row.archived && (!known.archived || known.id > row.id);
        if !stored.get(&ems_ref).is_some_and(worse) {
            stored.insert(ems_ref, row);
        }
    }
    Ok(stored)
}

impl Stored {
    /// Whether the row holds `values` already.
    pub(super) fn holds(&self, values: &[Value<'_>]) -> bool {
        values.iter().enumerate().all(|(index, value)| same(&self.fields, LEADING + index, value))
    }
}

/// Whether a column holds `value`.
pub(super) fn same(fields: &Fields, index: usize, value: &Value<'_>) -> bool {
    match value {
        Value::Text(text) => fields.text(index) == *text && (text.is_some() || fields.is_null(index)),
        Value::Integer(number) => fields.integer(index) == *number,
        Value::Boolean(boolean) => fields.boolean(index) == *boolean,
        Value::Time(time) => fields.time(index).map(|time| time.naive_utc()) == *time,
        Value::Texts(_) | Value::Integers(_) | Value::Pairs(..) | Value::Column(_) => false,
    }
}
