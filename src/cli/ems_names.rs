//! EMSs by their names, as people write them: which one is meant, or which one probably was.

use crate::provider::EmsId;
use crate::settings::nearest::probably_meant;
use crate::vmdb::{Connection, VmdbError, ems};
use std::collections::BTreeMap;

/// Names of the EMSs by id.
pub type Names = BTreeMap<i64, String>;

/// Why a name comes to no EMS.
#[derive(Debug, thiserror::Error)]
pub enum UnknownEms {
    /// There is none of this name.
    #[error("there is no EMS {name:?} in the VMDB; {instead}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// What was probably meant, or what there is.
        instead: String,
    },
    /// The VMDB's own.
    #[error(transparent)]
    Vmdb(#[from] VmdbError),
}

/// All names.
///
/// # Errors
/// See [`VmdbError`].
pub fn all(connection: &mut Connection) -> Result<Names, VmdbError> {
    Ok(ems::list(connection)?.into_iter().map(|ems| (ems.id.0, ems.name)).collect())
}

/// The id of the EMS called `name`.
///
/// # Errors
/// See [`UnknownEms`].
pub fn id_of(connection: &mut Connection, name: &str) -> Result<EmsId, UnknownEms> {
    let names = all(connection)?;
    let found = names.iter().find(|(_, known)| *known == name);
    found.map(|(id, _)| EmsId(*id)).ok_or_else(|| unknown(name, &names))
}

/// What is told of an EMS; one that left the VMDB is told by its id.
pub fn name_of(names: &Names, ems_id: Option<i64>) -> String {
    ems_id.map_or_else(String::new, |id| names.get(&id).cloned().unwrap_or_else(|| id.to_string()))
}

/// `name` is none of `names`.
pub fn unknown(name: &str, names: &Names) -> UnknownEms {
    let lower = name.to_lowercase();
    let known = || names.values().map(String::as_str);
    let near = known().find(|known| known.to_lowercase() == lower).or_else(|| probably_meant(name, known()));
    let instead = match (near, names.len()) {
        (Some(near), _) => format!("did you mean {near:?}?"),
        (None, 0) => "none was entered yet, `catchall run` does".to_owned(),
        (None, 1..=20) => format!("there are: {}", known().collect::<Vec<_>>().join(", ")),
        (None, count) => format!("`catchall ems list` shows the {count} that there are"),
    };
    UnknownEms::Unknown { name: name.to_owned(), instead }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_is_told_with_the_one_that_was_probably_meant() {
        let names =
            |names: &[&str]| -> Names { (1..).zip(names.iter().map(|name| (*name).to_owned())).collect() };
        let clouds = names(&["demo cloud", "quiet"]);
        for (asked, known, says) in [
            ("demo clodu", &clouds, "did you mean \"demo cloud\"?"),
            ("Quiet", &clouds, "did you mean \"quiet\"?"),
            ("moon", &clouds, "there are: demo cloud, quiet"),
            ("moon", &names(&[]), "none was entered yet, `catchall run` does"),
            ("moon", &names(&["x"; 21]), "`catchall ems list` shows the 21 that there are"),
        ] {
            assert_eq!(
                unknown(asked, known).to_string(),
                format!("there is no EMS {asked:?} in the VMDB; {says}")
            );
        }
    }
}
