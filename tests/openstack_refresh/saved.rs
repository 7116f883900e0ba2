//! From the cloud through the collector into the VMDB, on both databases.

use crate::cloud::*;
use crate::support::{Fresh, on_both};
use catchall::provider::{EmsId, Inventory, RefreshScope, Target};
use catchall::refresh::save;
use catchall::refresh::turns::Turn;
use serde_json::json;

on_both! {
    a_cloud_is_saved_with_its_references_and_a_second_time_nothing_changes
    what_the_cloud_no_longer_has_goes_and_what_may_not_be_seen_stays
    a_resize_to_a_flavor_that_is_new_is_told_by_one_targeted_refresh
}

async fn refresh(fresh: &Fresh, cloud: &Cloud) -> save::Saved {
    let ems = cloud.ems();
    let mut collector = collector(&ems);
    let inventory = collector.collect(&RefreshScope::Full).await.unwrap();
    save::save(&fresh.vmdb, (&Turn::alone(EmsId(1)), None), &mut *collector, inventory).await.unwrap()
}

async fn save_targeted(fresh: &Fresh, cloud: &Cloud, inventory: Inventory) -> save::Saved {
    let ems = cloud.ems();
    save::save(&fresh.vmdb, (&Turn::alone(EmsId(1)), None), &mut *collector(&ems), inventory).await.unwrap()
}

async fn a_cloud_is_saved_with_its_references_and_a_second_time_nothing_changes(fresh: Fresh) {
    let cloud = Cloud::start().await;
    let saved = refresh(&fresh, &cloud).await;
    assert_eq!(saved.total().added, 23);
    let whole = "SELECT count(*) FROM vms v JOIN hosts h ON h.id = v.host_id JOIN flavors f ON f.id = v.flavor_id \
                 JOIN availability_zones a ON a.id = v.availability_zone_id \
                 JOIN cloud_tenants t ON t.id = v.cloud_tenant_id \
                 JOIN network_ports p ON p.device_id = v.id AND p.device_type = 'VmOrTemplate' \
                 JOIN cloud_subnets s ON s.id = p.cloud_subnet_id \
                 JOIN cloud_networks n ON n.id = s.cloud_network_id AND n.id = p.cloud_network_id \
                 WHERE v.name = 'rest1' AND v.power_state = 'on' AND v.raw_power_state = 'ACTIVE' AND h.name = 'fake2' \
                 AND f.name = 'm1.nano' AND a.name = 'nova' AND t.name = 'admin' AND NOT v.template AND v.vendor = 'openstack'";
    assert_eq!(fresh.count(whole).await, 1);
    assert_eq!(fresh.count("SELECT count(*) FROM vms WHERE template").await, 2);
    let snapshot =
        "SELECT count(*) FROM cloud_volume_snapshots s JOIN cloud_volumes v ON v.id = s.cloud_volume_id";
    assert_eq!(fresh.count(snapshot).await, 1);
    assert_eq!(refresh(&fresh, &cloud).await.total().written(), 0);
}

async fn what_the_cloud_no_longer_has_goes_and_what_may_not_be_seen_stays(fresh: Fresh) {
    let cloud = Cloud::start().await;
    refresh(&fresh, &cloud).await;
    {
        let mut world = cloud.world();
        world.things.get_mut("servers").unwrap().remove(0);
        world.things.get_mut("security_groups").unwrap().clear();
        world.things.get_mut("flavors").unwrap().clear();
        world.forbidden = vec!["GET /compute/v2.1/flavors"];
    }
    let saved = refresh(&fresh, &cloud).await;
    assert_eq!(saved.by_association["vms"].removed, 1);
    assert_eq!(fresh.count("SELECT count(*) FROM vms WHERE ems_id IS NULL AND archived_ems_id = 1").await, 1);
    assert_eq!(fresh.count("SELECT count(*) FROM security_groups").await, 0);
    assert_eq!(fresh.count("SELECT count(*) FROM flavors").await, 3, "their list is forbidden by now");
    assert_eq!(fresh.count("SELECT count(*) FROM network_ports WHERE device_id IS NULL").await, 1);
}

async fn a_resize_to_a_flavor_that_is_new_is_told_by_one_targeted_refresh(fresh: Fresh) {
    let cloud = Cloud::start().await;
    refresh(&fresh, &cloud).await;
    {
        let mut world = cloud.world();
        world
            .things
            .get_mut("flavors")
            .unwrap()
            .push(json!({"id": "new", "name": "m1.new", "ram": 1, "vcpus": 1}));
        let server = &mut world.things.get_mut("servers").unwrap()[0];
        server["flavor"] = json!({"id": "new"});
        server["status"] = json!("VERIFY_RESIZE");
    }
    let inventory = targeted(&cloud.ems(), vec![Target::by_ems_ref("vms", SERVER)]).await.unwrap();
    save_targeted(&fresh, &cloud, inventory).await;
    let resized = "SELECT count(*) FROM vms v JOIN flavors f ON f.id = v.flavor_id \
                   WHERE f.name = 'm1.new' AND v.raw_power_state = 'VERIFY_RESIZE' AND v.power_state = 'unknown'";
    assert_eq!(fresh.count(resized).await, 1);
    let deleted = Target { options: json!({"deleted": true}), ..Target::by_ems_ref("vms", SERVER) };
    let inventory = targeted(&cloud.ems(), vec![deleted]).await.unwrap();
    save_targeted(&fresh, &cloud, inventory).await;
    assert_eq!(fresh.count("SELECT count(*) FROM vms WHERE ems_id IS NULL").await, 1);
}
