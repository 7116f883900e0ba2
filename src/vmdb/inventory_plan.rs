//! What saving rows of inventory would change: values made comparable, references resolved, stored rows found. Writes
//! nothing.

use super::VmdbError;
use super::associations::{self, Association, Gone};
use super::columns;
use super::dialect::Connection;
use super::statement::{Fields, Value};
use crate::provider::{EmsId, Row};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Rows with the same columns.
pub(super) struct Group<'a> {
    pub(super) columns: Vec<&'static str>,
    pub(super) rows: Vec<GroupRow<'a>>,
}

/// A row of a group.
pub(super) struct GroupRow<'a> {
    /// Its place among the rows that were given.
    pub(super) index: usize,
    pub(super) ems_ref: &'a str,
    /// In the order of the group's columns.
    pub(super) values: Vec<Value<'a>>,
}

/// A row of the VMDB that a row of the provider is about.
pub(super) struct Stored {
    pub(super) id: i64,
    pub(super) archived: bool,
    fields: Fields,
}

/// (association, ems_ref) → id.
pub(super) type References<'a> = HashMap<(&'a str, &'a str), i64>;

/// The columns before those of the group in the rows of [`load`].
const LEADING: usize = 3;

/// Looks up what the rows refer to, one query for each association.
pub(super) fn resolve<'a>(
    connection: &mut Connection,
    ems_id: EmsId,
    rows: &'a [Row],
) -> Result<References<'a>, VmdbError> {
    let mut wanted: BTreeMap<&str, Vec<&'a str>> = BTreeMap::new();
    for (association, ems_ref) in rows.iter().flat_map(Row::references) {
        wanted.entry(association).or_default().push(ems_ref);
    }
    let mut references = References::new();
    for (name, mut ems_refs) in wanted {
        ems_refs.sort_unstable();
        ems_refs.dedup();
        let association = associations::find(name)?;
        // A VM may be a template by now; its id is the same.
        let alive = if association.gone == Gone::Dated { "AND deleted_on IS NULL" } else { "" };
        let sql =
            format!("SELECT id, ems_ref FROM {} WHERE ems_id = ? AND ems_ref ? {alive}", association.table);
        let values = [ems_id.0.into(), Value::Texts(ems_refs.clone())];
        for row in connection.rows(&sql, &values)? {
            if let Ok(place) = ems_refs.binary_search(&row.text(1).unwrap_or_default()) {
                references.insert((name, ems_refs[place]), row.id(0)?);
            }
        }
    }
    Ok(references)
}

/// Whether the row refers to something that is not there, of an association that `concerns`.
pub(super) fn waits(row: &Row, references: &References<'_>, concerns: impl Fn(&str) -> bool) -> bool {
    row.references().any(|reference| concerns(reference.0) && !references.contains_key(&reference))
}

/// Brings rows with the same columns together. Of several rows with one `ems_ref` the last counts.
///
/// # Errors
/// [`VmdbError::Data`] for columns that the association does not have.
pub(super) fn group<'a>(
    connection: &mut Connection,
    association: &Association,
    rows: &'a [Row],
    references: &References<'a>,
) -> Result<Vec<Group<'a>>, VmdbError> {
    let last: HashMap<&str, usize> =
        rows.iter().enumerate().map(|(index, row)| (row.ems_ref.as_str(), index)).collect();
    let mut groups: BTreeMap<Vec<&'static str>, Vec<usize>> = BTreeMap::new();
    for (index, row) in rows.iter().enumerate() {
        if last.get(row.ems_ref.as_str()) == Some(&index) {
            groups.entry(row.attributes.iter().map(|(column, _)| *column).collect()).or_default().push(index);
        }
    }
    let mut grouped = Vec::with_capacity(groups.len());
    for (names, indexes) in groups {
        let kinds = columns::kinds(connection, association, &names)?;
        // Whether it is a template says the association; what the provider says of it is passed over.
        let ours = |name: &str| association.template.is_some() && name == "template";
        let row = |index: usize| {
            let mut values = Vec::with_capacity(names.len() + 1);
            for ((name, attribute), kind) in rows[index].attributes.iter().zip(&kinds) {
                let value = columns::value((association, name), *kind, attribute, references)?;
                if !ours(name) {
                    values.push(value);
                }
            }
            values.extend(association.template.map(Value::from));
            Ok(GroupRow { index, ems_ref: rows[index].ems_ref.as_str(), values })
        };
        let rows = indexes.into_iter().map(row).collect::<Result<_, VmdbError>>()?;
        let mut columns: Vec<_> = names.iter().copied().filter(|name| !ours(name)).collect();
        columns.extend(association.template.map(|_| "template"));
        grouped.push(Group { columns, rows });
    }
    Ok(grouped)
}

/// The stored rows of a group by `ems_ref`: those of the EMS, else archived ones that it owned last, by `ems_ref` and then
/// by `uid_ems` (the latest of them).
pub(super) fn load(
    connection: &mut Connection,
    ems_id: EmsId,
    association: &Association,
    group: &Group<'_>,
) -> Result<HashMap<String, Stored>, VmdbError> {
    let mut stored = load_present(connection, ems_id, association, group)?;
    if association.gone != Gone::WithoutEms {
        return Ok(stored);
    }
    let unknown = |stored: &HashMap<String, Stored>| -> Vec<usize> {
        (0..group.rows.len()).filter(|row| !stored.contains_key(group.rows[*row].ems_ref)).collect()
    };
    let ems_refs = unknown(&stored).into_iter().map(|row| group.rows[row].ems_ref).collect();
    let archived = archived(connection, (ems_id, association), group, ("ems_ref", ems_refs))?;
    let taken: HashSet<i64> = archived.values().map(|row| row.id).collect();
    stored.extend(archived);
    let Some(uid) = group.columns.iter().position(|column| *column == "uid_ems") else { return Ok(stored) };
    let mut by_uid = BTreeMap::new();
    for row in unknown(&stored) {
        if let Value::Text(Some(uid)) = group.rows[row].values[uid] {
            by_uid.entry(uid).or_insert(row); // two new rows cannot be the same old one
        }
    }
    let uids = by_uid.keys().copied().collect();
    for (uid, row) in self::archived(connection, (ems_id, association), group, ("uid_ems", uids))? {
        if let Some(place) = by_uid.get(uid.as_str()).filter(|_| !taken.contains(&row.id)) {
            stored.insert(group.rows[*place].ems_ref.to_owned(), row);
        }
    }
    Ok(stored)
}

/// The stored rows of a group by `ems_ref` that the EMS has; of those that say when they were deleted, also the deleted.
pub(super) fn load_present(
    connection: &mut Connection,
    ems_id: EmsId,
    association: &Association,
    group: &Group<'_>,
) -> Result<HashMap<String, Stored>, VmdbError> {
    let sql = select(association, "ems_ref", group, "ems_id = ? AND ems_ref ?");
    let ems_refs = Value::Texts(group.rows.iter().map(|row| row.ems_ref).collect());
    keyed(connection.rows(&sql, &[ems_id.0.into(), ems_refs])?)
}

fn archived(
    connection: &mut Connection,
    (ems_id, association): (EmsId, &Association),
    group: &Group<'_>,
    (key, wanted): (&str, Vec<&str>),
) -> Result<HashMap<String, Stored>, VmdbError> {
    if wanted.is_empty() {
        return Ok(HashMap::new());
    }
    let condition = format!("archived_ems_id = ? AND ems_id IS NULL AND {key} ?");
    let sql = select(association, key, group, &condition);
    keyed(connection.rows(&sql, &[ems_id.0.into(), Value::Texts(wanted)])?)
}

fn select(association: &Association, key: &str, group: &Group<'_>, condition: &str) -> String {
    let (table, archived) = (association.table, association.is_archived());
    let mut columns = vec!["id", key, archived];
    columns.extend(&group.columns);
    format!("SELECT {} FROM {table} WHERE {condition}", columns.join(", "))
}

/// Of several rows with one key the latest counts.
fn keyed(rows: Vec<Fields>) -> Result<HashMap<String, Stored>, VmdbError> {
    let mut stored: HashMap<String, Stored> = HashMap::with_capacity(rows.len());
    for fields in rows {
        let row = Stored { id: fields.id(0)?, archived: fields.boolean(2) == Some(true), fields };
        let key = row.fields.string(1).unwrap_or_default();
        if stored.get(&key).is_none_or(|known| known.id <= row.id) {
            stored.insert(key, row);
        }
    }
    Ok(stored)
}

impl Stored {
    /// What a column of the group holds, as people read it; `like` is a value of the same kind. An empty text is none.
    pub(super) fn told(&self, index: usize, like: &Value<'_>) -> Option<String> {
        let index = LEADING + index;
        match like {
            Value::Boolean(_) => self.fields.boolean(index).map(|boolean| boolean.to_string()),
            Value::Integer(_) => self.fields.integer(index).map(|number| number.to_string()),
            Value::Time(_) => self.fields.time(index).map(|time| time.to_rfc3339()),
            _ => self.fields.string(index).filter(|text| !text.is_empty()),
        }
    }

    /// Whether the row holds `values` already.
    pub(super) fn holds(&self, values: &[Value<'_>]) -> bool {
        values.iter().enumerate().all(|(index, value)| same(&self.fields, LEADING + index, value))
    }
}

/// Whether a column holds `value`.
fn same(fields: &Fields, index: usize, value: &Value<'_>) -> bool {
    match value {
        Value::Text(text) => fields.text(index) == *text && (text.is_some() || fields.is_null(index)),
        Value::Integer(number) => fields.integer(index) == *number,
        Value::Boolean(boolean) => fields.boolean(index) == *boolean,
        Value::Time(time) => fields.time(index).map(|time| time.naive_utc()) == *time,
        Value::Texts(_) | Value::Integers(_) | Value::Pairs(..) | Value::Column(_) => false,
    }
}
