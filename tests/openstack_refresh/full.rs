//! Refreshing everything.

use crate::cloud::*;
use catchall::provider::{Attribute, CollectionScope, RefreshError};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn everything_that_the_cloud_has_is_listed() {
    let cloud = Cloud::start().await;
    let inventory = full(&cloud.ems()).await.unwrap();
    let counts: Vec<_> = inventory.collections.iter().map(|c| (c.association, c.rows.len())).collect();
    assert_eq!(
        counts,
        [
            ("cloud_tenants", 2),
            ("availability_zones", 2), // with the one of servers that are in none
            ("flavors", 3),
            ("hosts", 2),
            ("host_aggregates", 1),
            ("key_pairs", 1),
            ("miq_templates", 2),
            ("vms", 4),
            ("cloud_networks", 1),
            ("cloud_subnets", 1),
            ("network_routers", 0),
            ("network_ports", 1),
            ("floating_ips", 0),
            ("security_groups", 1),
            ("cloud_volumes", 1),
            ("cloud_volume_snapshots", 1),
        ],
        "the recorded cloud has no Heat"
    );
    assert!(inventory.collections.iter().all(|collection| collection.scope == CollectionScope::All));
    let world = cloud.world();
    assert!(world.asked_for("GET /compute/v2.1/servers/detail")[0].query.contains("all_tenants=1"));
    assert!(world.asked_for("GET /volume")[0].line.contains(&format!("/volume/v3/{PROJECT}/volumes")));
}

#[tokio::test]
async fn nova_is_asked_in_the_version_that_tells_what_we_read() {
    for (highest, servers, hosts) in [("2.93", "2.46", "2.87"), ("2.30", "2.30", "2.30")] {
        let cloud = Cloud::start().await;
        cloud.world().nova_version = highest;
        full(&cloud.ems()).await.unwrap();
        let world = cloud.world();
        let version = |line| world.asked_for(line)[0].headers["openstack-api-version"].clone();
        assert_eq!(version("GET /compute/v2.1/servers/detail"), format!("compute {servers}"));
        assert_eq!(version("GET /compute/v2.1/os-hypervisors"), format!("compute {hosts}"));
        assert!(!world.asked_for("GET /network")[0].headers.contains_key("openstack-api-version"));
    }
}

#[tokio::test]
async fn a_service_besides_the_usual_ones_is_read_too() {
    let cloud = Cloud::start().await;
    cloud.world().more_services = vec![json!({"type": "orchestration", "endpoints": [
        {"interface": "public", "region_id": "RegionOne", "url": format!("http://HERE/orchestration/v1/{PROJECT}")}]})];
    let inventory = full(&cloud.ems()).await.unwrap();
    assert_eq!(named(&inventory, "orchestration_stacks").rows[0].ems_ref, "stack-1");
    assert!(cloud.world().asked_for("GET /orchestration")[0].query.contains("global_tenant=true"));
}

#[tokio::test]
async fn a_service_that_is_not_there_leaves_its_kinds_out() {
    let cloud = Cloud::start().await;
    cloud.world().without = vec!["volumev3", "network"];
    let inventory = full(&cloud.ems()).await.unwrap();
    let found = associations(&inventory);
    assert!(!found.contains("cloud_volumes") && !found.contains("network_ports"), "{found:?}");
    assert!(found.contains("vms") && found.contains("cloud_tenants"));
}

#[tokio::test]
async fn rights_that_do_not_suffice_for_one_kind_leave_it_as_it_is() {
    let cloud = Cloud::start().await;
    cloud.world().forbidden = vec!["GET /compute/v2.1/os-hypervisors", "GET /identity"];
    let inventory = full(&cloud.ems()).await.unwrap();
    let found = associations(&inventory);
    assert!(!found.contains("hosts") && !found.contains("cloud_tenants"), "{found:?}");
    assert_eq!(found.len(), 14);
}

#[tokio::test]
async fn rights_that_suffice_for_nothing_are_an_error_in_the_words_of_the_cloud() {
    let cloud = Cloud::start().await;
    cloud.world().forbidden = vec!["GET "];
    let Err(RefreshError::Unauthorized(message)) = full(&cloud.ems()).await else { panic!() };
    assert!(message.contains("403") && message.contains("Policy doesn't allow os_compute_api"), "{message}");
}

#[tokio::test]
async fn pages_are_followed_to_their_end_whatever_host_their_links_name() {
    let cloud = Cloud::start().await;
    cloud.world().page = 1;
    let inventory = full(&cloud.ems()).await.unwrap();
    assert_eq!(named(&inventory, "vms").rows.len(), 4);
    assert_eq!(named(&inventory, "miq_templates").rows.len(), 2);
    assert_eq!(named(&inventory, "cloud_tenants").rows.len(), 2);
    let world = cloud.world();
    let servers = world.asked_for("GET /compute/v2.1/servers/detail");
    assert_eq!(servers.len(), 4);
    assert!(servers[2].query.contains("all_tenants=1") && servers[2].query.contains("marker="));
}

#[tokio::test]
async fn a_list_that_lost_its_marker_begins_again() {
    let cloud = Cloud::start().await;
    cloud.world().page = 1;
    cloud.world().deleted_between_pages = Some(SERVER.to_owned());
    let inventory = full(&cloud.ems()).await.unwrap();
    assert_eq!(named(&inventory, "vms").rows.len(), 3);
    assert_eq!(cloud.world().asked_for("GET /compute/v2.1/servers/detail").len(), 5);
}

#[tokio::test]
async fn a_slow_cloud_is_asked_a_few_things_at_once_and_not_more() {
    let cloud = Cloud::start().await;
    cloud.world().pause = Duration::from_millis(20);
    full(&cloud.ems()).await.unwrap();
    assert_eq!(cloud.world().at_once.1, 3);
    let many: Vec<_> =
        (0..40).map(|id| catchall::provider::Target::by_ems_ref("vms", format!("v-{id}"))).collect();
    cloud.world().at_once.1 = 0;
    targeted(&cloud.ems(), many).await.unwrap();
    assert_eq!(cloud.world().at_once.1, 4);
}

#[tokio::test]
async fn what_is_no_answer_fails_the_refresh_and_names_who_gave_it() {
    for (status, body, words) in [
        (500, "{}", "GET http"),
        (200, "<html>", "no answer with servers"),
        (200, r#"{"servers": [{"name": "without id"}]}"#, "without a readable key"),
    ] {
        let cloud = Cloud::start().await;
        cloud.world().broken = vec![("GET /compute/v2.1/servers/detail", status, body)];
        let error = full(&cloud.ems()).await.unwrap_err().to_string();
        assert!(error.contains(words) && error.contains("/compute/v2.1/servers/detail"), "{error}");
    }
}

#[tokio::test]
async fn a_thing_that_cannot_be_saved_is_not_gone() {
    let cloud = Cloud::start().await;
    cloud.world().things.get_mut("servers").unwrap()[0]["name"] = json!("a\0b");
    let ems = cloud.ems();
    let inventory = full(&ems).await.unwrap();
    assert_eq!(named(&inventory, "vms").rows.len(), 3);
    let gone = collector(&ems).confirm_gone("vms", vec![SERVER.into(), "v-9".into()]).await.unwrap();
    assert_eq!(gone, ["v-9"]);
}

#[tokio::test]
async fn what_seems_gone_is_asked_for_by_its_key() {
    let cloud = Cloud::start().await;
    let ems = cloud.ems();
    for (association, there) in [
        ("vms", SERVER),
        ("flavors", FLAVOR),
        ("hosts", "fake2"),
        ("availability_zones", "null_az"),
        ("key_pairs", "k"),
        ("host_aggregates", "1"),
        ("miq_templates", "cef2e480-2235-436a-8b15-91b920a9361b"),
        ("cloud_tenants", PROJECT),
        ("cloud_networks", "a221018f-d6b1-4a99-ac42-81ca8ff71974"),
        ("network_ports", "ba045834-8223-47d1-ab0c-455cf4b7e336"),
        ("cloud_volumes", "vol-1"),
        ("cloud_volume_snapshots", "snap-1"),
    ] {
        let asked = vec![there.to_owned(), "gone".to_owned(), "..".to_owned()];
        let gone = collector(&ems).confirm_gone(association, asked).await.unwrap();
        assert_eq!(gone, ["gone", ".."], "{association}");
    }
    let unknown = collector(&ems).confirm_gone("ems_clusters", vec!["c".into()]).await.unwrap();
    assert!(unknown.is_empty());
}

#[tokio::test]
async fn a_login_that_lost_its_rights_takes_nothing_for_gone() {
    let cloud = Cloud::start().await;
    cloud.world().forbidden = vec!["GET /compute/v2.1/servers?all_tenants=1"];
    let ems = cloud.ems();
    let gone = collector(&ems).confirm_gone("network_ports", vec!["p-9".into()]).await.unwrap();
    assert!(gone.is_empty());
    let cloud = Cloud::start().await;
    let own = cloud.ems_with(json!({"project": "admin", "all_projects": false}));
    cloud.world().forbidden = vec!["GET /compute/v2.1/servers?all_tenants=1"];
    let gone = collector(&own).confirm_gone("network_ports", vec!["p-9".into()]).await.unwrap();
    assert_eq!(gone, ["p-9"], "who looks at one project asks for no more");
}

#[tokio::test]
async fn one_project_alone_asks_for_no_others() {
    let cloud = Cloud::start().await;
    let own = cloud.ems_with(json!({"project": "admin", "all_projects": false}));
    let inventory = full(&own).await.unwrap();
    let world = cloud.world();
    assert!(world.asked.iter().all(|asked| !asked.query.contains("all_tenants")));
    assert_eq!(world.asked_for("GET /identity/v3/auth/projects").len(), 1);
    assert!(named(&inventory, "vms").rows[0].attributes.contains(&("template", Attribute::Boolean(false))));
}
