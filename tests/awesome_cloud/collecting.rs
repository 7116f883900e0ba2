//! What a refresh costs and brings.

use super::support::*;
use catchall::provider::{
    Attribute, CollectionScope, Collector, Ems, Inventory, InventoryCollection, Provider, RefreshError,
    RefreshScope, TargetCollection, TargetRequest,
};
use catchall::providers::awesome_cloud::AwesomeCloud;
use catchall::simulator::{Faults, Mishap, Simulator};
use std::collections::BTreeSet;

fn collector(ems: &Ems) -> Box<dyn Collector> {
    AwesomeCloud.collector(ems).unwrap().unwrap()
}

fn named<'a>(inventory: &'a Inventory, association: &str) -> &'a InventoryCollection {
    inventory.collections.iter().find(|collection| collection.association == association).unwrap()
}

/// The targets of everything the cloud did so far.
async fn targets(cloud: &Simulator) -> TargetCollection {
    let caught = catch_all(cloud, &ems(&cloud.url())).await;
    let requests = caught.events.values().flat_map(|(parsed, _)| {
        let targets = AwesomeCloud.event_target_parser().parse(&parsed.event).unwrap();
        targets.into_iter().map(|target| TargetRequest {
            target,
            event_type: parsed.event.event_type.clone(),
            timestamp: parsed.event.timestamp,
        })
    });
    TargetCollection::new(requests.collect())
}

#[tokio::test]
async fn a_full_refresh_brings_everything_in_the_order_of_saving() {
    let cloud = cloud(Faults { page_limit: 7, ..Faults::default() }).await;
    let inventory = collector(&ems(&cloud.url())).collect(&RefreshScope::Full).await.unwrap();
    let counts: Vec<_> = inventory.collections.iter().map(|c| (c.association, c.rows.len())).collect();
    assert_eq!(counts, [("flavors", 3), ("hosts", 2), ("miq_templates", 3), ("vms", 20)]);
    assert!(inventory.collections.iter().all(|collection| collection.scope == CollectionScope::All));
}

#[tokio::test]
async fn a_hundred_events_on_ten_vms_cost_one_call_and_their_hosts_none() {
    let cloud = cloud(Faults::default()).await;
    cloud.with(|cloud| {
        for round in 0..100 {
            let now = cloud.now();
            let state = if round < 50 { "stopped" } else { "running" };
            let change = cloud.world.power(&format!("vm-{}", round % 10 + 1), state, now).unwrap();
            cloud.enter(&change);
        }
    });
    let targets = targets(&cloud).await;
    assert_eq!(targets.requests().len(), 200);
    let inventory = collector(&ems(&cloud.url())).collect(&RefreshScope::Targeted(targets)).await.unwrap();
    assert_eq!(cloud.stats().inventory_requests, 1);
    assert_eq!(named(&inventory, "vms").rows.len(), 10);
    let hosts = named(&inventory, "hosts");
    assert_eq!(hosts.scope, CollectionScope::Nothing);
    assert!(
        !hosts.rows.is_empty()
            && hosts.rows.iter().all(|host| host.attributes.iter().all(|(c, _)| *c != "power_state"))
    );
    let associations: Vec<_> = inventory.collections.iter().map(|c| c.association).collect();
    assert_eq!(associations, ["hosts", "vms"]);
}

#[tokio::test]
async fn deletions_cost_no_call() {
    let cloud = cloud(Faults::default()).await;
    cloud.with(|cloud| {
        for id in ["vm-1", "vm-2"] {
            let now = cloud.now();
            let stop = cloud.world.power(id, "stopped", now).unwrap();
            cloud.enter(&stop);
        }
    });
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    cloud.with(|cloud| {
        for id in ["vm-1", "vm-2"] {
            let delete = cloud.world.delete(id).unwrap();
            cloud.enter(&delete);
        }
    });
    let targets = targets(&cloud).await;
    let inventory = collector(&ems(&cloud.url())).collect(&RefreshScope::Targeted(targets)).await.unwrap();
    assert_eq!(cloud.stats().inventory_requests, 0);
    assert_eq!(inventory.collections.len(), 1);
    let vms = named(&inventory, "vms");
    assert_eq!(
        (vms.rows.len(), &vms.scope),
        (0, &CollectionScope::EmsRefs(vec!["vm-1".into(), "vm-2".into()]))
    );
}

#[tokio::test]
async fn hosts_are_asked_for_by_id_when_an_event_is_about_them_and_vms_by_hundreds() {
    let cloud = cloud(Faults::default()).await;
    cloud.with(|cloud| {
        for _ in 0..150 {
            let now = cloud.now();
            let (create, _) = cloud.world.create(None, None, None, now);
            cloud.enter(&create);
        }
    });
    let at = catchall::clock::now();
    let host = catchall::provider::Target::by_ems_ref("hosts", "host-1");
    let gone = catchall::provider::Target::by_ems_ref("vms", "vm-9999");
    let mut requests = targets(&cloud).await.requests().to_vec();
    for target in [host, gone] {
        let event_type = "com.awesome-cloud.host.resume".into();
        requests.push(TargetRequest { target, event_type, timestamp: at });
    }
    let scope = RefreshScope::Targeted(TargetCollection::new(requests));
    let inventory = collector(&ems(&cloud.url())).collect(&scope).await.unwrap();
    assert_eq!((cloud.stats().requests["vms"], cloud.stats().requests["hosts"]), (2, 1));
    let vms = named(&inventory, "vms");
    let CollectionScope::EmsRefs(asked) = &vms.scope else { panic!("{:?}", vms.scope) };
    assert!(asked.contains(&"vm-9999".to_owned()) && asked.len() == 151 && vms.rows.len() == 150);
    let host = &named(&inventory, "hosts").rows[0];
    assert!(host.attributes.contains(&("raw_power_state", Attribute::Text("up".into()))));
}

#[tokio::test]
async fn what_a_shifted_listing_left_out_is_not_gone() {
    let cloud = cloud(Faults { page_limit: 5, ..Faults::default() }).await;
    let mut collector = collector(&ems(&cloud.url()));
    let refs = |refs: &[&str]| refs.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
    for (association, asked, gone) in [
        ("vms", refs(&["vm-1", "vm-77", "vm-20"]), refs(&["vm-77"])),
        ("hosts", refs(&["host-9"]), refs(&["host-9"])),
        ("flavors", refs(&["flavor-1", "flavor-7"]), refs(&["flavor-7"])),
        ("miq_templates", refs(&["image-1"]), refs(&[])),
        ("clusters", refs(&["c"]), refs(&[])),
    ] {
        assert_eq!(collector.confirm_gone(association, asked).await.unwrap(), gone, "{association}");
    }
}

#[tokio::test]
async fn a_full_refresh_hides_nothing_that_was_there_all_the_while_however_its_pages_shift() {
    let faults = Faults { page_limit: 7, shift_share: 1.0, ..Faults::default() };
    let cloud = cloud(faults).await;
    let there = |cloud: &Simulator| -> BTreeSet<String> {
        cloud.with(|cloud| cloud.world.vms.values().map(|vm| vm.id.clone()).collect())
    };
    let mut collector = collector(&ems(&cloud.url()));
    for _ in 0..20 {
        let before = there(&cloud);
        let inventory = collector.collect(&RefreshScope::Full).await.unwrap();
        let after = there(&cloud);
        assert_ne!(before, after, "nothing shifted");
        let brought: BTreeSet<String> =
            named(&inventory, "vms").rows.iter().map(|row| row.ems_ref.clone()).collect();
        let hidden: Vec<_> = before.intersection(&after).filter(|id| !brought.contains(*id)).collect();
        assert!(hidden.is_empty(), "{hidden:?}");
    }
}

#[tokio::test]
async fn what_the_pages_of_an_answer_by_id_left_out_is_asked_for_again() {
    let faults = Faults { page_limit: 7, shift_share: 1.0, ..Faults::default() };
    let cloud = cloud(faults).await;
    let ids = |cloud: &Simulator| -> Vec<String> {
        cloud.with(|cloud| cloud.world.vms.values().map(|vm| vm.id.clone()).collect())
    };
    let mut collector = collector(&ems(&cloud.url()));
    for _ in 0..20 {
        let asked: Vec<String> = ids(&cloud).into_iter().chain(["vm-0".to_owned()]).collect();
        let gone = collector.confirm_gone("vms", asked.clone()).await.unwrap();
        let after = ids(&cloud);
        assert!(asked.iter().filter(|id| !after.contains(id)).count() > 1, "nothing shifted");
        assert!(gone.contains(&"vm-0".to_owned()));
        let wrong: Vec<_> = gone.iter().filter(|id| after.contains(id)).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    }
}

#[tokio::test]
async fn a_listing_of_several_pages_is_read_again_and_one_of_one_page_is_not() {
    for (page_limit, requests) in [(7, 6), (20, 1)] {
        let cloud = cloud(Faults { page_limit, ..Faults::default() }).await;
        collector(&ems(&cloud.url())).collect(&RefreshScope::Full).await.unwrap();
        assert_eq!(cloud.stats().requests["vms"], requests);
    }
}

#[tokio::test]
async fn references_of_events_are_the_references_of_the_inventory() {
    let cloud = cloud(Faults::default()).await;
    cloud.happen(60);
    let caught = catch_all(&cloud, &ems(&cloud.url())).await;
    let inventory = collector(&ems(&cloud.url())).collect(&RefreshScope::Full).await.unwrap();
    let known = |association: &str| -> BTreeSet<String> {
        named(&inventory, association).rows.iter().map(|row| row.ems_ref.clone()).collect()
    };
    let (vms, hosts) = (known("vms"), known("hosts"));
    let mut deleted = BTreeSet::new();
    for (parsed, _) in caught.events.values().rev() {
        if let Some(vm) = &parsed.event.vm_ems_ref {
            if parsed.event.event_type.ends_with("delete") {
                deleted.insert(vm.clone());
            }
            assert_eq!(vms.contains(vm), !deleted.contains(vm), "{vm}");
        }
        assert!(parsed.event.host_ems_ref.as_ref().is_none_or(|host| hosts.contains(host)));
    }
}

#[tokio::test]
async fn a_refresh_that_fails_says_what_to_do() {
    let cloud = cloud(Faults::default()).await;
    let mut collector = collector(&ems(&cloud.url()));
    let mut failing = async |mishap| {
        cloud.with(|cloud| cloud.faults.inventory_requests = vec![mishap]);
        collector.collect(&RefreshScope::Full).await.err().unwrap()
    };
    assert!(matches!(failing(Mishap::Unauthorized).await, RefreshError::Unauthorized(_)));
    assert!(matches!(failing(Mishap::Throttled).await, RefreshError::Throttled { .. }));
    for mishap in
        [Mishap::Truncated, Mishap::WrongLength, Mishap::EndsEarly, Mishap::NoJson, Mishap::ServerError]
    {
        assert!(matches!(failing(mishap).await, RefreshError::Unreachable(_)), "{mishap:?}");
    }
}
