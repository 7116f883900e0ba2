//! Against a genuine cloud, by hand: `CATCHALL_OPENSTACK_KEYSTONE=http://keystone:5000/v3` with its admin's password in
//! `CATCHALL_OPENSTACK_PASSWORD`, and `cargo test --test openstack_refresh genuine -- --ignored --nocapture`.

use crate::cloud::{associations, collector, full};
use crate::support::Fresh;
use catchall::provider::{
    Authentication, ByteBudget, CatcherSettings, Ems, EmsId, Endpoint, RefreshScope, Secret,
};
use catchall::refresh::save;
use serde_json::json;
use std::collections::BTreeMap;

fn ems() -> Ems {
    let variable = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("set {name}"));
    let options = json!({"project": "admin", "project_domain": "Default", "user_domain": "Default"});
    let endpoint = Endpoint {
        url: Some(variable("CATCHALL_OPENSTACK_KEYSTONE")),
        options: serde_json::from_value(options).unwrap(),
        ..Endpoint::default()
    };
    let authentication = Authentication {
        userid: Some("admin".into()),
        password: Some(Secret::new(variable("CATCHALL_OPENSTACK_PASSWORD"))),
        ..Authentication::default()
    };
    Ems {
        id: EmsId(1),
        name: "genuine".into(),
        provider_region: None,
        endpoints: BTreeMap::from([("default".into(), endpoint)]),
        authentications: BTreeMap::from([("default".into(), authentication)]),
        catcher: CatcherSettings::default(),
        budget: ByteBudget::default(),
    }
}

#[tokio::test]
#[ignore = "needs a genuine OpenStack"]
async fn a_genuine_cloud_is_collected_and_saved_and_a_second_time_nothing_changes() {
    let fresh = Fresh::sqlite().await.unwrap();
    let ems = ems();
    let inventory = full(&ems).await.unwrap();
    for collection in &inventory.collections {
        println!("{}: {}", collection.association, collection.rows.len());
        for row in &collection.rows {
            println!("    {row:?}");
        }
    }
    assert!(associations(&inventory).contains("vms"));
    let mut collector = collector(&ems);
    save::save(&fresh.vmdb, (EmsId(1), None), &mut *collector, inventory).await.unwrap();
    let again = collector.collect(&RefreshScope::Full).await.unwrap();
    let saved = save::save(&fresh.vmdb, (EmsId(1), None), &mut *collector, again).await.unwrap();
    assert_eq!(saved.total().written(), 0);
}
