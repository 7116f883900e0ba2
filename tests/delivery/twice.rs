//! Two at once for one EMS: a catcher that starts while its predecessor still stops, and two whole processes.

use super::automate_files::instance;
use super::cloud::Cloud;
use super::process::{Catchall, eventually};
use super::vmdb_rows::{self, Place};
use super::{count, judge, plain_settings, postgres_schema, rename_at_once, rows_are, write_settings};
use catchall::simulator::Faults;
use std::fs;
use std::path::Path;
use std::time::Duration;

#[test]
fn catchers_that_are_replaced_again_and_again_under_load_lose_and_double_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start(141, 20, Faults { page_limit: 10, ..Faults::default() });
    let place = plain_settings(folder.path(), &cloud);
    let mut catchall = Catchall::start(folder.path(), &["run"]);
    catchall.logs("the event catcher is running");
    for round in 0..24 {
        cloud.happen(15);
        // The settings of the EMS change with every other round, so that its catcher is another one's then.
        if round % 2 == 0 {
            let page = super::catcher_setting(&format!("ems_event_page_size: {}", 20 + round));
            write_settings(&place, folder.path(), &cloud, (&[&page], &[]));
            catchall.signal("HUP");
        }
        catchall.signal("USR1");
        std::thread::sleep(Duration::from_millis(60));
    }
    judge::nothing_lost_nothing_doubled(&cloud, &place);
    judge::inventory_is_true(&cloud, &place);
    assert!(catchall.log().matches("the event catcher is running").count() > 5, "{}", catchall.log());
    assert!(catchall.terminate().success(), "{}", catchall.log());
}

/// A domain in which each update of a VM raises a policy event: a row of its own, by which work that is done twice is seen.
fn raises_policy_events(folder: &Path) {
    let class = folder.join("acme/System/Event/EmsEvent/AWESOME_CLOUD.class");
    fs::create_dir_all(&class).unwrap();
    let domain = "object_type: domain\nobject:\n  attributes:\n    name: Acme\n    enabled: true\n";
    fs::write(folder.join("acme/__domain__.yaml"), domain).unwrap();
    let policy =
        "/System/event_handlers/event_action_policy?target=src_vm&policy_event=vm_reconfigure&param=";
    let fields = [("rel4", "/System/event_handlers/refresh"), ("rel5", policy)];
    let update = "com.awesome-cloud.vm.update";
    fs::write(class.join(format!("{update}.yaml")), instance(update, &fields)).unwrap();
}

/// All that the cloud told is one row, and has raised one policy event.
fn each_is_stored_and_worked_once(cloud: &Cloud, place: &Place) {
    let events = cloud.events().len();
    rows_are(place, "event_streams WHERE type = 'EmsEvent'", events);
    rows_are(place, "miq_queue", 0);
    rows_are(place, "event_streams WHERE type = 'MiqEvent'", events);
    let done = "event_actions WHERE name = 'event_action_policy' AND state = 'done'";
    assert_eq!(count(place, done).map(usize::try_from), Ok(Ok(events)));
    let twice = "SELECT CAST(count(*) AS TEXT) AS value FROM (SELECT event_id FROM event_actions \
                 WHERE name = 'event_action_policy' GROUP BY event_id HAVING count(*) > 1) AS twice";
    assert_eq!(vmdb_rows::open(place).unwrap().number(twice), Ok(0));
}

#[test]
fn two_runs_on_one_postgresql_store_and_work_each_event_once() {
    let Some(place) = postgres_schema("two_runs") else { return };
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start(142, 15, Faults::default());
    raises_policy_events(folder.path());
    write_settings(&place, folder.path(), &cloud, (&[], &["automate: {domains: [acme]}"]));
    let mut one = Catchall::start(folder.path(), &["run"]);
    rows_are(&place, "ems_refreshes WHERE kind = 'full' AND error IS NULL", 1);
    let mut two = Catchall::start(folder.path(), &["run", "--log-level", "info"]);
    eventually("both catch", || {
        let both = one.log().matches("the event catcher is running").count();
        if both >= 2 { Ok(()) } else { Err(one.log()) }
    });
    for round in 0..20 {
        rename_at_once(&cloud, 10, &format!("round-{round}"));
        std::thread::sleep(Duration::from_millis(50));
    }
    // One dies with what it had claimed; the other goes on, and a third gives back the claims of the dead.
    one.kill();
    for round in 20..25 {
        rename_at_once(&cloud, 10, &format!("round-{round}"));
    }
    let third = Catchall::start(folder.path(), &["run", "--log-level", "warn"]);
    each_is_stored_and_worked_once(&cloud, &place);
    judge::inventory_is_true(&cloud, &place);
    assert!(two.terminate().success(), "{}", two.log());
    drop(third);
}

/// Killed before, in and after the transaction that does it.
#[test]
fn what_automate_was_doing_at_a_kill_is_done_once() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::start(143, 15, Faults::default());
    raises_policy_events(folder.path());
    let place = Place::sqlite(folder.path());
    write_settings(&place, folder.path(), &cloud, (&[], &["automate: {domains: [acme]}"]));
    let mut first = Catchall::start(folder.path(), &["run"]);
    rows_are(&place, "ems_refreshes WHERE kind = 'full' AND error IS NULL", 1);
    first.kill();
    for kill_at in ["automate.claimed", "automate.end", "automate.done"] {
        let mut doomed = super::doomed(folder.path(), &["run"], kill_at);
        rename_at_once(&cloud, 10, kill_at);
        assert_eq!(doomed.wait(Duration::from_secs(30)).code(), None, "{kill_at}: {}", doomed.log());
        let mut again = Catchall::start(folder.path(), &["run"]);
        each_is_stored_and_worked_once(&cloud, &place);
        again.kill();
    }
}
