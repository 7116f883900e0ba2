//! The associations of an EMS that are kept: which table, and what becomes of rows that the provider no longer has.

use super::VmdbError;
use super::statement::Value;

/// Where an association's rows are.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Association {
    pub(super) name: &'static str,
    pub(super) table: &'static str,
    /// `vms.template`, which tells two associations of one table apart.
    pub(super) template: Option<bool>,
    /// Rows that are gone are kept without their EMS (ManageIQ: archived); others are deleted.
    pub(super) archives: bool,
    /// Whether there are `created_on` and `updated_on`.
    pub(super) timestamps: bool,
    /// Whether there is a `guid`, which we make.
    pub(super) guid: bool,
}

const fn plain(name: &'static str) -> Association {
    Association { name, table: name, template: None, archives: false, timestamps: false, guid: false }
}

const ASSOCIATIONS: [Association; 6] = [
    plain("availability_zones"),
    plain("flavors"),
    Association { timestamps: true, ..plain("ems_clusters") },
    Association { archives: true, timestamps: true, guid: true, ..plain("hosts") },
    Association {
        table: "vms",
        template: Some(false),
        archives: true,
        timestamps: true,
        guid: true,
        ..plain("vms")
    },
    Association {
        table: "vms",
        template: Some(true),
        archives: true,
        timestamps: true,
        guid: true,
        ..plain("miq_templates")
    },
];

/// The association called `name`.
///
/// # Errors
/// [`VmdbError::Bug`] when the VMDB does not keep it.
pub(super) fn find(name: &str) -> Result<&'static Association, VmdbError> {
    ASSOCIATIONS
        .iter()
        .find(|association| association.name == name)
        .ok_or_else(|| VmdbError::Bug(format!("the VMDB keeps no association {name:?}")))
}

/// The names of those that are kept, as targets name them.
pub fn names() -> Vec<&'static str> {
    ASSOCIATIONS.iter().map(|association| association.name).collect()
}

impl Association {
    /// The condition on rows of an EMS (one `?`), and of this association alone.
    pub(super) fn of_ems(&self) -> &'static str {
        match self.template {
            Some(true) => "ems_id = ? AND template",
            // Rows of others may hold NULL.
            Some(false) => "ems_id = ? AND template IS NOT TRUE",
            None => "ems_id = ?",
        }
    }

    /// Whether it has a power state, whose changes are dated.
    pub(super) fn has_power_state(&self) -> bool {
        self.table == "vms"
    }

    pub(super) fn template_value(&self) -> Value<'static> {
        self.template.into()
    }
}
