//! Against a genuine cloud, by hand: `CATCHALL_OPENSTACK_KEYSTONE=http://keystone:5000/v3`, `CATCHALL_OPENSTACK_USER`,
//! `CATCHALL_OPENSTACK_PASSWORD`, `CATCHALL_OPENSTACK_OPTIONS='{"project": "admin"}'`, and
//! `cargo test --test openstack_refresh genuine -- --ignored --nocapture`.

use crate::cloud::{collector, full, targeted};
use crate::support::Fresh;
use catchall::provider::{
    Authentication, ByteBudget, CatcherSettings, Ems, EmsId, Endpoint, RefreshScope, Secret, Target,
};
use catchall::refresh::save;
use catchall::refresh::turns::Turn;
use std::collections::BTreeMap;
use std::time::Instant;

fn ems() -> Ems {
    let variable = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("set {name}"));
    let endpoint = Endpoint {
        url: Some(variable("CATCHALL_OPENSTACK_KEYSTONE")),
        options: serde_json::from_str(&variable("CATCHALL_OPENSTACK_OPTIONS")).unwrap(),
        ..Endpoint::default()
    };
    let authentication = Authentication {
        userid: Some(variable("CATCHALL_OPENSTACK_USER")),
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

struct Told;

impl log::Log for Told {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::Level::Info && metadata.target().starts_with("catchall")
    }
    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            println!("{}: {}", record.level(), record.args());
        }
    }
    fn flush(&self) {}
}

#[tokio::test]
#[ignore = "needs a genuine OpenStack"]
async fn a_genuine_cloud_is_collected_and_saved_and_asking_again_changes_nothing() {
    let _ = log::set_logger(&Told);
    log::set_max_level(log::LevelFilter::Info);
    let fresh = Fresh::sqlite().await.unwrap();
    let ems = ems();
    let started = Instant::now();
    let inventory = full(&ems).await.unwrap();
    println!("a full refresh took {:?}", started.elapsed());
    let mut targets = Vec::new();
    for collection in &inventory.collections {
        println!("{}: {}", collection.association, collection.rows.len());
        for row in &collection.rows {
            println!("    {row:?}");
            targets.push(Target::by_ems_ref(collection.association, row.ems_ref.clone()));
        }
    }
    let mut collector = collector(&ems);
    save::save(&fresh.vmdb, (&Turn::alone(EmsId(1)), None), &mut *collector, inventory).await.unwrap();
    let again = collector.collect(&RefreshScope::Full).await.unwrap();
    let saved =
        save::save(&fresh.vmdb, (&Turn::alone(EmsId(1)), None), &mut *collector, again).await.unwrap();
    assert_eq!(saved.total().written(), 0);

    // Each by its own key is what it was in the list.
    let started = Instant::now();
    let count = targets.len();
    let one_by_one = targeted(&ems, targets).await.unwrap();
    println!("a targeted refresh of {count} things took {:?}", started.elapsed());
    let saved =
        save::save(&fresh.vmdb, (&Turn::alone(EmsId(1)), None), &mut *collector, one_by_one).await.unwrap();
    assert_eq!(saved.total().written(), 0, "{saved:?}");
}
