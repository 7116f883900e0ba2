//! SIGHUP: settings and automate domains are read again; only what changed is restarted; wrong ones change nothing.

use super::cloud::Cloud;
use super::process::{Catchall, eventually};
use super::vmdb_rows::{self, Place};
use super::{judge, write_settings};
use catchall::simulator::Faults;
use std::fs;
use std::path::Path;

fn domain(folder: &Path, instance: Option<&str>) {
    let class = folder.join("acme/System/Event/EmsEvent/AWESOME_CLOUD.class");
    fs::create_dir_all(&class).unwrap();
    let domain =
        "object_type: domain\nversion: 1.0\nobject:\n  attributes:\n    name: Acme\n    enabled: true\n";
    fs::write(folder.join("acme/__domain__.yaml"), domain).unwrap();
    let path = class.join("com.awesome-cloud.vm.update");
    match instance {
        Some(fields) => {
            let text = format!(
                "---\nobject_type: instance\nversion: 1.0\nobject:\n  attributes:\n    display_name:\n    \
                 name: com.awesome-cloud.vm.update\n    inherits:\n    description:\n  fields: {fields}\n"
            );
            fs::write(path, text).unwrap();
        }
        None => fs::remove_file(path).unwrap(),
    }
}

/// Renames a VM and waits until its event is a row; says whether it made refresh work.
fn update_makes_work(cloud: &Cloud, place: &Place, round: usize) -> bool {
    let before = cloud.events().len();
    cloud.simulator().with(|cloud| {
        let id = cloud.world.vms.values().next().unwrap().id.clone();
        let now = cloud.now();
        let change = cloud.world.rename(&id, format!("renamed-{round}"), now).unwrap();
        cloud.enter(&change);
    });
    assert_eq!(cloud.events().len(), before + 1);
    let id = cloud.events().pop().unwrap();
    eventually("the update is a row", || {
        let sql = format!(
            "SELECT CASE WHEN work_id IS NULL THEN 'none' ELSE 'work' END AS value \
             FROM event_streams WHERE event_uid = '{id}'"
        );
        vmdb_rows::open(place)?.texts(&sql)?.pop().ok_or_else(|| "no row".to_owned())
    }) == "work"
}

fn hang_up(catchall: &Catchall, times: usize) {
    catchall.signal("HUP");
    eventually("the settings are read again", || {
        let seen = catchall.log().matches("the new settings are in force").count();
        if seen >= times { Ok(()) } else { Err(catchall.log()) }
    });
}

#[test]
fn an_automate_instance_is_emptied_overridden_and_taken_away_by_sighup() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start(31, 5, Faults::default());
    let place = write_settings(folder.path(), &cloud, &[]);
    domain(folder.path(), Some("[]"));
    fs::remove_file(
        folder.path().join("acme/System/Event/EmsEvent/AWESOME_CLOUD.class/com.awesome-cloud.vm.update"),
    )
    .unwrap();
    let settings = fs::read_to_string(folder.path().join("settings.yml")).unwrap();
    fs::write(folder.path().join("settings.yml"), settings + "automate: {domains: [acme]}\n").unwrap();
    let catchall = Catchall::start(folder.path(), &["run"]);
    assert!(update_makes_work(&cloud, &place, 1), "the built-in instance refreshes");

    domain(folder.path(), Some("[]"));
    hang_up(&catchall, 1);
    assert!(!update_makes_work(&cloud, &place, 2), "an empty instance switches the built-in one off");

    domain(folder.path(), Some("\n  - rell4:\n      value: \"/System/event_handlers/refresh\""));
    catchall.signal("HUP");
    catchall.logs(
        "com.awesome-cloud.vm.update:11: the class System/Event/EmsEvent/AWESOME_CLOUD has no field `rell4`",
    );
    catchall.logs("the old ones stay in force");
    assert!(!update_makes_work(&cloud, &place, 5), "a broken file changes nothing");

    domain(folder.path(), Some("\n  - rel4:\n      value: \"/System/event_handlers/refresh\""));
    hang_up(&catchall, 2);
    assert!(update_makes_work(&cloud, &place, 3), "an instance of one's own refreshes");

    domain(folder.path(), None);
    hang_up(&catchall, 3);
    assert!(update_makes_work(&cloud, &place, 4), "without it the built-in one is in force again");
}

#[test]
fn wrong_settings_keep_the_old_ones_whole() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start(32, 5, Faults::default());
    let place = write_settings(folder.path(), &cloud, &[]);
    let catchall = Catchall::start(folder.path(), &["run"]);
    catchall.logs("the event catcher is running");
    let good = fs::read_to_string(folder.path().join("settings.yml")).unwrap();
    fs::write(
        folder.path().join("settings.yml"),
        format!("{good}ems_refres: {{refresh_interval: 24.hours}}\n"),
    )
    .unwrap();
    catchall.signal("HUP");
    catchall.logs("the old ones stay in force");
    assert!(catchall.log().contains("ems_refresh"), "{}", catchall.log());
    cloud.happen(20);
    judge::nothing_lost_nothing_doubled(&cloud, &place);
}
