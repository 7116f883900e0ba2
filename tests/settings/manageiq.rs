//! The guide's snippets and files in the shape of ManageIQ's own.

use super::{Desk, data, providers};
use catchall::settings::{LoadOptions, Settings, load_for};
use std::path::PathBuf;
use std::time::Duration;

fn good(name: &str) -> Settings {
    let options = LoadOptions {
        files: vec![PathBuf::from(name)],
        environment: Vec::new(),
        working_directory: data("good"),
        ..LoadOptions::default()
    };
    match load_for(&options, providers::PROVIDERS) {
        Ok(loaded) => loaded.settings,
        Err(errors) => panic!("{errors}"),
    }
}

#[test]
fn the_guides_settings_load_as_printed() {
    let settings = Desk::with(
        ":ems:
  :ems_awesome_cloud:
    :blacklisted_event_names: []
    :event_handling:
      :event_groups: {} # Add your event names under the appropriate groups here

:workers:
  :worker_base:
    :event_catcher:
      :event_catcher_awesome_cloud:
        :poll: 15.seconds
",
    )
    .settings();
    assert_eq!(settings.notices, Vec::<String>::new());
}

#[test]
fn the_guides_slip_gets_the_hint() {
    let errors =
        Desk::with("---\n:ems_refres:\n  :awesome_cloud:\n    :refresh_interval: 24.hours\n").errors();
    assert_eq!(errors, "settings.yml:2: ems_refres: there is no such key; did you mean ems_refresh?");
}

#[test]
fn a_file_in_the_shape_of_manageiqs_core_loads_and_is_listed_once() {
    let settings = good("manageiq_core.yml");
    assert_eq!(settings.keep_events, Duration::from_secs(3 * 2_629_746));
    let group = settings.event_groups.group_and_level("USER_RUN_VM");
    assert_eq!((group.group, group.level), ("power", "critical"));
    let of =
        |key: &str| settings.notices.iter().filter(|notice| notice.contains(&format!(": {key} "))).count();
    for key in [
        "server",
        "smtp",
        "messaging",
        "workers.worker_base.queue_worker_base",
        "workers.worker_base.event_catcher.defaults.memory_threshold",
        "event_streams.history.purge_window_size",
        "event_handling.task_final_events",
        "ems.ems_redhat",
        "ems_refresh.foreman_provisioning",
        "workers.worker_base.opentofu_worker",
        "section_of_tomorrow",
    ] {
        assert_eq!(of(key), 1, "{key} in {:#?}", settings.notices);
    }
}

#[test]
fn files_in_the_shape_of_manageiqs_providers_load() {
    let settings = good("manageiq_providers.yml");
    let text = settings.notices.join("\n");
    assert!(
        text.contains(
            "manageiq_providers.yml:25: ems.ems_vmware belongs to a provider that is not in this build"
        ),
        "{text}"
    );
    assert!(text.contains(" ems.ems_amazon.disabled_regions is ManageIQ's and has no effect here"), "{text}");
    assert!(!text.contains("event_catcher_amazon "), "{text}");
}

#[test]
fn ruby_symbols_may_be_written_as_tags() {
    let settings = Desk::with(
        "!ruby/symbol vmdb: {!ruby/symbol schema: !ruby/sym tagged}
ext_management_systems: [{name: a, type: !ruby/symbol awesome_cloud}]",
    )
    .settings();
    assert_eq!(settings.vmdb.schema, "tagged");
    assert_eq!(settings.ext_management_systems.len(), 1);
}

#[test]
fn what_a_providers_defaults_hold_is_known() {
    Desk::with("workers: {worker_base: {event_catcher: {event_catcher_awesome_cloud: {shape: {size: 3}}}}}")
        .settings();
}
