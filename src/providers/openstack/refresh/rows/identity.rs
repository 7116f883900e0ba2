//! Keystone: projects.

use super::{boolean, cloud, read, reference, row};
use crate::provider::{Attribute, ParseError, Row};
use serde::Deserialize;

#[derive(Deserialize)]
struct Project {
    id: String,
    name: Option<String>,
    description: Option<String>,
    enabled: Option<bool>,
    parent_id: Option<String>,
    domain_id: Option<String>,
}

/// The parent of a project at the top is its domain, which is no project.
pub(in super::super) fn project(json: &str) -> Result<Row, ParseError> {
    let project: Project = read(json)?;
    let parent = project.parent_id.filter(|parent| Some(parent) != project.domain_id.as_ref());
    let attributes = vec![
        ("type", cloud("CloudTenant")),
        ("name", Attribute::text(project.name)),
        ("description", Attribute::text(project.description)),
        ("enabled", boolean(project.enabled)),
        ("parent_id", reference("cloud_tenants", parent)),
    ];
    row(project.id, attributes)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{recorded, says};
    use super::super::text;
    use super::*;

    #[test]
    fn a_recorded_project_is_a_tenant() {
        let answer = recorded(include_str!("../../../../../tests/data/openstack/rest/projects.json"));
        let tenant = project(&answer["projects"][1].to_string()).unwrap();
        assert_eq!(tenant.ems_ref, "ed47508eba264d8eb45c793b5fb2d765");
        says(
            &tenant,
            &[
                ("name", text("service")),
                ("enabled", Attribute::Boolean(true)),
                ("parent_id", Attribute::Null),
            ],
        );
        let below = project(r#"{"id": "b", "domain_id": "default", "parent_id": "a"}"#).unwrap();
        says(&below, &[("parent_id", Attribute::reference("cloud_tenants", Some("a")))]);
    }
}
