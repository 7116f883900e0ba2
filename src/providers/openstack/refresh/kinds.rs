//! The kinds of things that are inventoried: where each is listed, how one is asked for, and what makes its row.

use super::super::keystone::{Microversion, Service};
use super::rows::{compute, identity, image, network, orchestration, volume};
use crate::provider::{ParseError, Row};

/// One kind of thing.
pub(super) struct Kind {
    /// The association of its rows.
    pub association: &'static str,
    /// Who has it.
    pub service: Service,
    /// Where all are listed.
    pub path: &'static [&'static str],
    /// Where those of the login's own project are listed, when that is another place.
    pub own_path: Option<&'static [&'static str]>,
    /// The name of the list in the answer.
    pub list: &'static str,
    /// What the list is asked with.
    pub query: &'static [(&'static str, &'static str)],
    /// What it is asked with besides, to show all projects.
    pub across: Option<(&'static str, &'static str)>,
    /// How one is asked for.
    pub by_id: ById,
    /// Nova's highest microversion that gives what we read.
    pub most: Option<Microversion>,
    /// Its JSON → its row.
    pub row: fn(&str) -> Result<Row, ParseError>,
    /// Where its key is, when it makes no row: a JSON pointer.
    pub key: &'static str,
    /// A row that is always there.
    pub besides: Option<fn() -> Row>,
}

/// How a thing is asked for by its key.
pub(super) enum ById {
    /// At a path of its own; the answer holds it under this name, or is it.
    Path(&'static [&'static str], Option<&'static str>),
    /// By a filter on the list, many at a time.
    Filter,
    /// Not at all: the list is short.
    List,
}

const fn plain(
    association: &'static str,
    service: Service,
    path: &'static [&'static str],
    list: &'static str,
    row: fn(&str) -> Result<Row, ParseError>,
) -> Kind {
    Kind {
        association,
        service,
        path,
        own_path: None,
        list,
        query: &[],
        across: None,
        by_id: ById::List,
        most: None,
        row,
        key: "/id",
        besides: None,
    }
}

const fn nova(
    association: &'static str,
    path: &'static [&'static str],
    list: &'static str,
    row: fn(&str) -> Result<Row, ParseError>,
) -> Kind {
    // From 2.47 on a server tells its flavor's name only, not its id. The others have what we read long before.
    Kind { most: Some((2, 46)), ..plain(association, Service::Compute, path, list, row) }
}

const fn neutron(
    association: &'static str,
    path: &'static [&'static str],
    list: &'static str,
    row: fn(&str) -> Result<Row, ParseError>,
) -> Kind {
    Kind { query: PAGES, by_id: ById::Filter, ..plain(association, Service::Network, path, list, row) }
}

const PAGES: &[(&str, &str)] = &[("limit", "1000")];
const ALL_TENANTS: Option<(&str, &str)> = Some(("all_tenants", "1"));

/// All of them.
pub(super) static KINDS: [Kind; 17] = [
    Kind {
        by_id: ById::Path(&["projects"], Some("project")),
        own_path: Some(&["auth", "projects"]),
        ..plain("cloud_tenants", Service::Identity, &["projects"], "projects", identity::project)
    },
    Kind {
        key: "/zoneName",
        besides: Some(compute::no_availability_zone),
        ..nova(
            "availability_zones",
            &["os-availability-zone"],
            "availabilityZoneInfo",
            compute::availability_zone,
        )
    },
    Kind {
        query: &[("is_public", "None")],
        by_id: ById::Path(&["flavors"], Some("flavor")),
        ..nova("flavors", &["flavors", "detail"], "flavors", compute::flavor)
    },
    // From 2.88 on Nova asks each hypervisor for its uptime, and some cannot tell.
    Kind {
        key: "/service/host",
        most: Some((2, 87)),
        ..nova("hosts", &["os-hypervisors", "detail"], "hypervisors", compute::hypervisor)
    },
    nova("host_aggregates", &["os-aggregates"], "aggregates", compute::aggregate),
    Kind { key: "/keypair/name", ..nova("key_pairs", &["os-keypairs"], "keypairs", compute::key_pair) },
    Kind {
        query: PAGES,
        by_id: ById::Path(&["images"], None),
        ..plain("miq_templates", Service::Image, &["images"], "images", image::image)
    },
    Kind {
        query: PAGES,
        across: ALL_TENANTS,
        by_id: ById::Path(&["servers"], Some("server")),
        ..nova("vms", &["servers", "detail"], "servers", compute::server)
    },
    neutron("cloud_networks", &["networks"], "networks", network::network),
    neutron("cloud_subnets", &["subnets"], "subnets", network::subnet),
    neutron("network_routers", &["routers"], "routers", network::router),
    neutron("network_ports", &["ports"], "ports", network::port),
    neutron("floating_ips", &["floatingips"], "floatingips", network::floating_ip),
    neutron("security_groups", &["security-groups"], "security_groups", network::security_group),
    Kind {
        query: PAGES,
        across: ALL_TENANTS,
        by_id: ById::Path(&["volumes"], Some("volume")),
        ..plain("cloud_volumes", Service::Volume, &["volumes", "detail"], "volumes", volume::volume)
    },
    Kind {
        query: PAGES,
        across: ALL_TENANTS,
        by_id: ById::Path(&["snapshots"], Some("snapshot")),
        ..plain(
            "cloud_volume_snapshots",
            Service::Volume,
            &["snapshots", "detail"],
            "snapshots",
            volume::snapshot,
        )
    },
    // One stack's own address only redirects to another.
    Kind {
        query: &[("limit", "1000"), ("show_nested", "true")],
        across: Some(("global_tenant", "true")),
        by_id: ById::Filter,
        ..plain("orchestration_stacks", Service::Orchestration, &["stacks"], "stacks", orchestration::stack)
    },
];

/// The kind whose rows are in `association`.
pub(super) fn kind(association: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.association == association)
}
