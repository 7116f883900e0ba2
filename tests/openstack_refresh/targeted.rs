//! Refreshing targets: only what must be asked for is.

use crate::cloud::*;
use catchall::provider::{CollectionScope, Inventory, Target};
use serde_json::{Value, json};

fn told(association: &str, ems_ref: &str, options: Value) -> Target {
    Target { options, ..Target::by_ems_ref(association, ems_ref) }
}

fn vm(ems_ref: &str) -> Target {
    told("vms", ems_ref, json!({"event_type": "compute.instance.update"}))
}

fn scope(inventory: &Inventory, association: &str) -> Vec<String> {
    match &named(inventory, association).scope {
        CollectionScope::EmsRefs(ems_refs) => ems_refs.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_server_is_one_call_once_what_it_refers_to_is_known() {
    let cloud = Cloud::start().await;
    let ems = cloud.ems();
    let first = targeted(&ems, vec![vm(SERVER)]).await.unwrap();
    let mut expected = vec![
        format!("GET /compute/v2.1/servers/{SERVER}"),
        "GET /compute/v2.1/os-availability-zone".to_owned(),
        format!("GET /identity/v3/projects/{PROJECT}"),
        format!("GET /compute/v2.1/flavors/{FLAVOR}"),
        "GET /compute/v2.1/os-hypervisors/detail".to_owned(),
    ];
    let mut calls = cloud.world().calls();
    expected.sort();
    calls.sort();
    assert_eq!(calls, expected);
    assert_eq!(scope(&first, "vms"), [SERVER]);
    assert_eq!(named(&first, "flavors").scope, CollectionScope::Nothing);
    cloud.world().asked.clear();
    let second = targeted(&ems, vec![vm(SERVER)]).await.unwrap();
    assert_eq!(cloud.world().calls(), [format!("GET /compute/v2.1/servers/{SERVER}")]);
    assert_eq!(second.collections.len(), 1);
}

#[tokio::test]
async fn a_full_refresh_knows_what_servers_refer_to() {
    let cloud = Cloud::start().await;
    let ems = cloud.ems();
    full(&ems).await.unwrap();
    cloud.world().asked.clear();
    targeted(&ems, vec![vm(SERVER)]).await.unwrap();
    assert_eq!(cloud.world().calls().len(), 1);
}

#[tokio::test]
async fn a_deletion_costs_no_call_and_a_404_is_one() {
    let cloud = Cloud::start().await;
    let ems = cloud.ems();
    let deleted = json!({"event_type": "compute.instance.delete.end", "deleted": true});
    let inventory = targeted(&ems, vec![vm("v-1"), told("vms", "v-1", deleted)]).await.unwrap();
    assert!(cloud.world().asked.is_empty(), "not even a login");
    assert_eq!((scope(&inventory, "vms"), named(&inventory, "vms").rows.len()), (vec!["v-1".to_owned()], 0));

    let inventory = targeted(&ems, vec![vm("v-2")]).await.unwrap();
    assert_eq!(scope(&inventory, "vms"), ["v-2"]);
    assert!(named(&inventory, "vms").rows.is_empty());
    assert_eq!(cloud.world().calls(), ["GET /compute/v2.1/servers/v-2", "GET /compute/v2.1/servers"]);
}

#[tokio::test]
async fn a_404_is_no_deletion_for_a_login_that_lost_its_rights() {
    let cloud = Cloud::start().await;
    cloud.world().forbidden = vec!["GET /compute/v2.1/servers?all_tenants=1"];
    let inventory = targeted(&cloud.ems(), vec![vm("v-2"), vm(SERVER)]).await.unwrap();
    assert_eq!(scope(&inventory, "vms"), [SERVER]);
}

#[tokio::test]
async fn a_server_that_is_back_is_asked_for() {
    let cloud = Cloud::start().await;
    let deleted = json!({"event_type": "compute.instance.delete.end", "deleted": true});
    let inventory = targeted(&cloud.ems(), vec![told("vms", SERVER, deleted), vm(SERVER)]).await.unwrap();
    assert_eq!(named(&inventory, "vms").rows.len(), 1);
}

#[tokio::test]
async fn many_things_of_neutron_are_one_call() {
    let cloud = Cloud::start().await;
    let ems = cloud.ems();
    full(&ems).await.unwrap();
    cloud.world().asked.clear();
    let mut targets: Vec<_> =
        (0..49).map(|id| told("network_ports", &format!("p-{id}"), json!({}))).collect();
    targets.push(told("network_ports", "ba045834-8223-47d1-ab0c-455cf4b7e336", json!({})));
    let inventory = targeted(&ems, targets).await.unwrap();
    assert_eq!(cloud.world().calls(), ["GET /network/v2.0/ports"]);
    assert_eq!(scope(&inventory, "network_ports").len(), 50);
    assert_eq!(named(&inventory, "network_ports").rows.len(), 1);
}

#[tokio::test]
async fn the_project_of_an_event_is_asked_for_once_and_when_the_event_is_about_it() {
    let cloud = Cloud::start().await;
    let ems = cloud.ems();
    let owner = || told("cloud_tenants", PROJECT, json!({"event_type": "compute.instance.update"}));
    let update = || told("cloud_tenants", PROJECT, json!({"event_type": "identity.project.updated"}));
    for (target, calls) in [(owner(), 1), (owner(), 0), (update(), 1), (owner(), 0)] {
        cloud.world().asked.clear();
        let inventory = targeted(&ems, vec![target]).await.unwrap();
        assert_eq!(cloud.world().calls().len(), calls);
        assert_eq!(inventory.collections.len(), calls);
    }
}

#[tokio::test]
async fn a_target_without_a_key_is_all_of_its_kind() {
    let cloud = Cloud::start().await;
    let mut all = Target::by_ems_ref("key_pairs", "");
    all.manager_ref.insert("ems_ref".to_owned(), Value::Null);
    let inventory = targeted(&cloud.ems(), vec![all]).await.unwrap();
    assert_eq!(named(&inventory, "key_pairs").scope, CollectionScope::All);
    assert_eq!(cloud.world().calls(), ["GET /compute/v2.1/os-keypairs"]);
}

#[tokio::test]
async fn short_lists_are_listed_and_only_the_target_is_told() {
    let cloud = Cloud::start().await;
    let targets = vec![
        Target::by_ems_ref("hosts", "fake1"),
        Target::by_ems_ref("availability_zones", "gone"),
        Target::by_ems_ref("host_aggregates", "1"),
    ];
    let inventory = targeted(&cloud.ems(), targets).await.unwrap();
    assert_eq!(named(&inventory, "hosts").rows.len(), 1);
    assert_eq!(scope(&inventory, "hosts"), ["fake1"]);
    assert_eq!(scope(&inventory, "availability_zones"), ["gone"]);
    assert_eq!(scope(&inventory, "host_aggregates"), ["1"]);
}

#[tokio::test]
async fn what_is_not_inventoried_costs_nothing() {
    let cloud = Cloud::start().await;
    let mut backups = Target::by_ems_ref("cloud_volume_backups", "b");
    backups.manager_ref.insert("ems_ref".to_owned(), Value::Null);
    let targets = vec![
        backups,
        Target::by_ems_ref("images", "i"),
        Target::by_ems_ref("volume_templates", "v"),
        Target::by_ems_ref("firewall_rules", "r"),
    ];
    assert!(targeted(&cloud.ems(), targets).await.unwrap().collections.is_empty());
    assert!(cloud.world().asked.is_empty());
}

#[tokio::test]
async fn a_kind_that_is_forbidden_or_not_there_does_not_hold_up_the_others() {
    let cloud = Cloud::start().await;
    cloud.world().forbidden = vec!["GET /network"];
    let targets = vec![
        vm(SERVER),
        Target::by_ems_ref("network_ports", "p"),
        Target::by_ems_ref("orchestration_stacks", "s"),
    ];
    let inventory = targeted(&cloud.ems(), targets).await.unwrap();
    let found = associations(&inventory);
    assert!(
        found.contains("vms") && !found.contains("network_ports") && !found.contains("orchestration_stacks")
    );
}
