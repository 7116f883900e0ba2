//! The live test: the real binary on a genuine OpenStack, judged by what RabbitMQ carried and by what Nova answers.
//!
//! `make test-openstack` makes the cloud and runs this; without a cloud nothing of it can be run, so `make test` leaves it out.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

#[path = "openstack_live/cloud.rs"]
mod cloud;
#[path = "openstack_live/judge.rs"]
mod judge;
#[path = "openstack_live/ledger.rs"]
mod ledger;
#[path = "support/postgres.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod postgres;
#[path = "support/process.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod process;
#[path = "openstack_live/scene.rs"]
mod scene;
#[path = "openstack_live/steps.rs"]
mod steps;
#[path = "support/vmdb_rows.rs"]
mod vmdb_rows;

use scene::Scene;
use vmdb_rows::Place;

/// As Nova sends them by default, and as few clouds are: this is ManageIQ's setting.
const UNVERSIONED: &str = "{nova: notifications.*, neutron: notifications.*, glance: notifications.*, \
                           keystone: notifications.*, openstack: notifications.*, heat: notifications.*}";

#[test]
#[ignore = "needs an OpenStack: make test-openstack"]
fn every_notification_is_a_row_and_vms_are_what_nova_says() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::sqlite(folder.path());
    let mut scene = Scene::start(folder.path(), &place, "calm", None);
    steps::all(&mut scene, |scene, step| scene.take(step));
    scene.end();
}

#[test]
#[ignore = "needs an OpenStack: make test-openstack"]
fn so_they_are_with_unversioned_notifications_alone() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::sqlite(folder.path());
    let mut scene = Scene::start(folder.path(), &place, "unversioned", Some(UNVERSIONED));
    steps::servers(&mut scene, |scene, step| scene.take(step));
    scene.end();
}

#[test]
#[ignore = "needs an OpenStack: make test-openstack"]
fn so_they_are_with_catchall_killed_in_each_step() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::sqlite(folder.path());
    let mut scene = Scene::start(folder.path(), &place, "killed", None);
    steps::all(&mut scene, |scene, step| scene.take_with_kill(step));
    assert_eq!(scene.gaps(), 0, "a kill is no gap: the queue waits");
    scene.end();
}

#[test]
#[ignore = "needs an OpenStack: make test-openstack"]
fn with_rabbitmq_restarted_what_is_lost_is_told_on_postgresql() {
    let Some(server) = postgres::server() else { return };
    let folder = tempfile::tempdir().unwrap();
    let place = Place { url: server.url.clone(), schema: "openstack_live".to_owned() };
    let mut scene = Scene::start(folder.path(), &place, "restarted", None);
    steps::one_image(&mut scene, |scene, step| scene.take(step));
    scene.restart_broker();
    // And with nobody there to see it.
    steps::one_image(&mut scene, |scene, step| scene.restart_broker_while_dead(step));
    steps::all(&mut scene, |scene, step| scene.take(step));
    scene.end();
}
