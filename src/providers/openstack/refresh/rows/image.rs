//! Glance: images, snapshots of servers among them.

use super::{cloud, named, read, reference, row, text, time};
use crate::provider::{Attribute, ParseError, Row};
use serde::Deserialize;

#[derive(Deserialize)]
struct Image {
    id: String,
    name: Option<String>,
    visibility: Option<String>,
    owner: Option<String>,
    created_at: Option<String>,
}

pub(in super::super) fn image(json: &str) -> Result<Row, ParseError> {
    let image: Image = read(json)?;
    let public = image.visibility.map(|visibility| visibility == "public");
    let attributes = vec![
        ("type", cloud("Template")),
        ("vendor", text("openstack")),
        ("uid_ems", Attribute::Text(image.id.clone())),
        ("name", named(image.name, &image.id)),
        ("raw_power_state", text("never")),
        ("power_state", text("never")),
        ("location", text("unknown")),
        ("cloud", Attribute::Boolean(true)),
        ("publicly_available", super::boolean(public)),
        ("cloud_tenant_id", reference("cloud_tenants", image.owner)),
        ("ems_created_on", time(image.created_at.as_deref())?),
        ("template", Attribute::Boolean(true)),
    ];
    row(image.id, attributes)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{recorded, says};
    use super::*;

    #[test]
    fn a_recorded_image_is_a_template_that_never_runs() {
        let answer = recorded(include_str!("../../../../../tests/data/openstack/rest/images.json"));
        let template = image(&answer["images"][1].to_string()).unwrap();
        assert_eq!(template.ems_ref, "cef2e480-2235-436a-8b15-91b920a9361b");
        says(
            &template,
            &[
                ("type", text("ManageIQ::Providers::Openstack::CloudManager::Template")),
                ("name", text("tiny")),
                ("power_state", text("never")),
                ("publicly_available", Attribute::Boolean(true)),
                ("template", Attribute::Boolean(true)),
                (
                    "cloud_tenant_id",
                    Attribute::reference("cloud_tenants", Some("852af63149df464ca83f6eb7621dd39d")),
                ),
            ],
        );
        let nameless = image(r#"{"id": "i", "name": "", "visibility": "private"}"#).unwrap();
        says(&nameless, &[("name", text("i")), ("publicly_available", Attribute::Boolean(false))]);
    }
}
