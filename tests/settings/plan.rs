//! What a SIGHUP would do.

use super::Desk;
use catchall::settings::plan;

const OLD: &str = "ext_management_systems:
  - {name: stays, type: awesome_cloud}
  - {name: changes, type: awesome_cloud, authentications: {default: {password: old}}}
  - {name: leaves, type: awesome_cloud}
";

#[test]
fn the_same_settings_change_nothing() {
    let plan = plan(&Desk::with(OLD).settings(), &Desk::with(OLD).settings());
    assert!(plan.is_empty());
    assert_eq!(plan.to_string(), "+0 ~0 -0");
}

#[test]
fn only_what_changed_is_named() {
    let new = OLD.replace("leaves", "comes").replace("old", "new");
    let plan = plan(&Desk::with(OLD).settings(), &Desk::with(&new).settings());
    assert_eq!(
        (plan.added, plan.changed, plan.removed),
        (vec!["comes".to_owned()], vec!["changes".to_owned()], vec!["leaves".to_owned()])
    );
}

#[test]
fn a_section_changes_the_emss_of_its_type() {
    let new = format!("{OLD}ems: {{ems_awesome_cloud: {{blacklisted_event_names: [x]}}}}\n");
    let plan = plan(&Desk::with(OLD).settings(), &Desk::with(&new).settings());
    assert_eq!(plan.to_string(), "+0 ~3 -0");
}

#[test]
fn what_is_no_ems_is_said_behind_it() {
    let new = format!(
        "{OLD}http: {{listen: off}}\nvmdb: {{schema: other}}\nevent_streams: {{history: {{keep_events: 1.day}}}}
event_handling: {{event_groups: {{power: {{critical: [x]}}}}}}\nautomate: {{domains: [mine]}}\n"
    );
    let new = Desk::with(&new).file("mine/__domain__.yaml", "").settings();
    let plan = plan(&Desk::with(OLD).settings(), &new);
    assert!(!plan.is_empty());
    assert_eq!(
        plan.to_string(),
        "+0 ~0 -0, automate domains, event groups, keep_events, http, vmdb (after a restart)"
    );
}
