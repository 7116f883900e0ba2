//! The service catalogue: which address a service has in our region. Pure.
//!
//! Catalogues give addresses with and without a version, and with and without the project's id behind it.

use crate::provider::RefreshError;
use reqwest::Url;
use serde::Deserialize;
use std::collections::BTreeSet;

/// A service whose API we read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Service {
    /// Keystone.
    Identity,
    /// Nova.
    Compute,
    /// Glance.
    Image,
    /// Neutron.
    Network,
    /// Cinder.
    Volume,
    /// Heat.
    Orchestration,
}

impl Service {
    /// How catalogues call it, the best first.
    const fn types(self) -> &'static [&'static str] {
        match self {
            Self::Identity => &["identity"],
            Self::Compute => &["compute"],
            Self::Image => &["image"],
            Self::Network => &["network"],
            Self::Volume => &["volumev3", "block-storage", "volume"],
            Self::Orchestration => &["orchestration"],
        }
    }

    /// The version of its API that we speak, as it stands in the path.
    const fn version(self) -> &'static str {
        match self {
            Self::Identity | Self::Volume => "v3",
            Self::Compute => "v2.1",
            Self::Image => "v2",
            Self::Network => "v2.0",
            Self::Orchestration => "v1",
        }
    }

    /// The program's name, for messages.
    pub(in super::super) const fn name(self) -> &'static str {
        match self {
            Self::Identity => "Keystone",
            Self::Compute => "Nova",
            Self::Image => "Glance",
            Self::Network => "Neutron",
            Self::Volume => "Cinder",
            Self::Orchestration => "Heat",
        }
    }
}

/// Why there is no address of a service.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(in super::super) enum Missing {
    /// The cloud does not have it.
    #[error("{0}")]
    Service(String),
    /// The catalogue cannot be understood.
    #[error("{0}")]
    Unclear(String),
}

/// `token.catalog[]`.
#[derive(Debug, Deserialize)]
pub(super) struct ServiceEntry {
    #[serde(rename = "type")]
    service_type: String,
    #[serde(default)]
    endpoints: Vec<EndpointEntry>,
}

#[derive(Debug, Deserialize)]
struct EndpointEntry {
    interface: String,
    region_id: Option<String>,
    region: Option<String>,
    url: String,
}

impl EndpointEntry {
    fn region(&self) -> Option<&str> {
        self.region_id.as_deref().or(self.region.as_deref())
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Catalogue(Vec<ServiceEntry>);

impl Catalogue {
    pub(super) fn new(services: Vec<ServiceEntry>) -> Self {
        Self(services)
    }

    fn regions(&self) -> BTreeSet<&str> {
        self.0.iter().flat_map(|service| &service.endpoints).filter_map(EndpointEntry::region).collect()
    }

    /// Whether it says one thing about `region`; else nothing would be found, and nobody would know why.
    pub(super) fn check(&self, region: Option<&str>) -> Result<(), RefreshError> {
        let known = self.regions();
        let told = || known.iter().copied().collect::<Vec<_>>().join(", ");
        if known.is_empty() {
            return Err(RefreshError::Unauthorized(
                "Keystone's catalogue names no endpoints: the token is for no project, or this user has no role in it; \
                 set endpoints.default.project, or give the user a role there"
                    .to_owned(),
            ));
        }
        match region {
            Some(region) if !known.contains(region) => Err(RefreshError::Unreachable(format!(
                "Keystone's catalogue has no region {region:?}: set provider_region to one of {}",
                told()
            ))),
            None if known.len() > 1 => Err(RefreshError::Unreachable(format!(
                "Keystone's catalogue has the regions {}: set provider_region to one of them",
                told()
            ))),
            _ => Ok(()),
        }
    }

    /// The address of `service` as it stands there.
    pub(super) fn url(
        &self,
        service: Service,
        region: Option<&str>,
        interface: &str,
    ) -> Result<String, Missing> {
        let name = service.name();
        let mut endpoints: Vec<&EndpointEntry> = Vec::new();
        for wanted in service.types() {
            let of_type = self.0.iter().filter(|entry| entry.service_type == **wanted);
            let here = of_type.flat_map(|entry| &entry.endpoints);
            endpoints.extend(
                here.filter(|endpoint| region.is_none_or(|region| endpoint.region() == Some(region))),
            );
        }
        if endpoints.is_empty() {
            return Err(Missing::Service(format!("the cloud has no {name}")));
        }
        // Older clouds say `publicURL`.
        let mut fitting =
            endpoints.iter().filter(|endpoint| endpoint.interface.trim_end_matches("URL") == interface);
        let found = fitting.next().map(|endpoint| endpoint.url.clone());
        found.ok_or_else(|| {
            Missing::Service(format!("{name} has no {interface} endpoint (endpoints.default.interface)"))
        })
    }
}

/// The root of the API version that we speak, whatever version the address has, if any. The project's id stays behind it.
pub(in super::super) fn version_root(url: &Url, service: Service, project_id: Option<&str>) -> Url {
    let mut root = url.clone();
    root.set_query(None);
    root.set_fragment(None);
    let mut path: Vec<String> = url
        .path_segments()
        .into_iter()
        .flatten()
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect();
    let project = path.pop_if(|last| Some(last.as_str()) == project_id);
    path.pop_if(|last| is_version(last));
    // Heat has no address without the project.
    let needed = if service == Service::Orchestration { project_id.map(str::to_owned) } else { None };
    path.push(service.version().to_owned());
    path.extend(project.or(needed));
    if let Ok(mut segments) = root.path_segments_mut() {
        segments.clear().extend(path);
    }
    root
}

/// The project's id at the end of a root, which version documents do not have.
pub(in super::super) fn project_suffix<'u>(root: &'u str, project_id: Option<&str>) -> Option<&'u str> {
    root.strip_suffix(project_id?)?.strip_suffix('/')
}

fn is_version(part: &str) -> bool {
    part.strip_prefix('v').is_some_and(|rest| {
        rest.starts_with(|sign: char| sign.is_ascii_digit())
            && rest.chars().all(|sign| sign.is_ascii_digit() || sign == '.')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalogue(text: &str) -> Catalogue {
        Catalogue::new(serde_json::from_str(text).unwrap())
    }

    fn two_regions() -> Catalogue {
        catalogue(
            r#"[{"type": "compute", "endpoints": [
                 {"interface": "public", "region_id": "One", "url": "http://one/v2.1"},
                 {"interface": "internal", "region_id": "One", "url": "http://inside/v2.1"},
                 {"interface": "publicURL", "region": "Two", "url": "http://two/v2.1"}]},
                {"type": "volume", "endpoints": [{"interface": "public", "region": "One", "url": "http://old"}]},
                {"type": "volumev3", "endpoints": [{"interface": "public", "region": "One", "url": "http://new"}]}]"#,
        )
    }

    #[test]
    fn an_address_is_found_by_type_region_and_interface() {
        let both = two_regions();
        let url =
            |service, region, interface| both.url(service, region, interface).map_err(|e| e.to_string());
        assert_eq!(url(Service::Compute, Some("One"), "public").unwrap(), "http://one/v2.1");
        assert_eq!(url(Service::Compute, Some("One"), "internal").unwrap(), "http://inside/v2.1");
        assert_eq!(url(Service::Compute, Some("Two"), "public").unwrap(), "http://two/v2.1");
        assert_eq!(url(Service::Volume, Some("One"), "public").unwrap(), "http://new");
        assert_eq!(url(Service::Volume, Some("Two"), "public").unwrap_err(), "the cloud has no Cinder");
        assert!(url(Service::Compute, Some("One"), "admin").unwrap_err().contains("no admin endpoint"));
    }

    #[test]
    fn a_region_that_is_not_there_or_not_said_is_told_with_those_that_are() {
        let told = |catalogue: Catalogue, region| catalogue.check(region).map_err(|error| error.to_string());
        assert_eq!(told(two_regions(), Some("One")), Ok(()));
        for region in [Some("Three"), None] {
            let error = told(two_regions(), region).unwrap_err();
            assert!(error.contains("set provider_region to one of") && error.contains("One, Two"), "{error}");
        }
        assert!(told(catalogue("[]"), None).unwrap_err().contains("endpoints.default.project"));
    }

    #[test]
    fn roots_are_found_in_every_form_that_catalogues_give() {
        for (service, given, root) in [
            (Service::Compute, "http://h:8774/v2.1", "http://h:8774/v2.1"),
            (Service::Compute, "http://h:8774/v2.1/", "http://h:8774/v2.1"),
            (Service::Compute, "http://h:8774/v2/p1", "http://h:8774/v2.1/p1"),
            (Service::Compute, "https://h/compute", "https://h/compute/v2.1"),
            (Service::Image, "http://h:9292", "http://h:9292/v2"),
            (Service::Network, "http://h:9696/", "http://h:9696/v2.0"),
            (Service::Network, "https://h/networking/v2.0", "https://h/networking/v2.0"),
            (Service::Volume, "http://h:8776/v3/p1", "http://h:8776/v3/p1"),
            (Service::Volume, "http://h:8776/v2/p1", "http://h:8776/v3/p1"),
            (Service::Identity, "http://h:5000", "http://h:5000/v3"),
            (Service::Identity, "https://h/identity/v3", "https://h/identity/v3"),
            (Service::Orchestration, "http://h:8004/v1", "http://h:8004/v1/p1"),
            (Service::Orchestration, "http://h:8004/v1/p1", "http://h:8004/v1/p1"),
        ] {
            let url = Url::parse(given).unwrap();
            assert_eq!(version_root(&url, service, Some("p1")).as_str(), root, "{given}");
        }
    }

    #[test]
    fn the_version_document_lies_above_the_project() {
        assert_eq!(project_suffix("http://h/v2.1/p1", Some("p1")), Some("http://h/v2.1"));
        assert_eq!(project_suffix("http://h/v2.1", Some("p1")), None);
    }
}
