//! The guide's snippets and files in the shape of ManageIQ's own.

use super::{Desk, data, providers};
use catchall::settings::{LoadOptions, Settings, load, load_for};
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

/// (group, its name, level) of an event type by default.
fn group_of(settings: &Settings, event_type: &str) -> (String, String, &'static str) {
    let found = settings.event_groups.group_and_level(event_type);
    (found.group.to_owned(), found.group_name.to_owned(), found.level)
}

#[test]
fn event_types_of_manageiqs_core_and_providers_have_their_groups() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let options = LoadOptions { working_directory: folder.path().to_owned(), ..LoadOptions::default() };
    let settings = load(&options).unwrap_or_else(|errors| panic!("{errors}"));
    for (event_type, group, name, level) in [
        ("VmPoweredOnEvent", "power", "Power Activity", "critical"),
        ("PowerOnVM_Task_Complete", "power", "Power Activity", "detail"),
        ("USER_CREATE_SNAPSHOT", "snapshot", "Snapshot Activity", "critical"),
        ("compute.instance.power_on.end", "power", "Power Activity", "critical"),
        ("POD_SCHEDULED", "status", "Alarm/Status Change/Errors", "critical"),
        ("virtualMachines_write_EndRequest", "addition", "Creation/Addition", "critical"),
        ("VM_SET_TICKET", "console", "Console Activity", "critical"),
        ("GceOperationDone_compute.instances.insert", "addition", "Creation/Addition", "critical"),
        ("AWS_EC2_Instance_running", "power", "Power Activity", "critical"),
        ("VmNothingEvent", "other", "Other", "detail"),
    ] {
        assert_eq!(
            group_of(&settings, event_type),
            (group.to_owned(), name.to_owned(), level),
            "{event_type}"
        );
    }
}

#[test]
fn a_section_of_a_provider_that_is_not_in_this_build_says_its_groups_too() {
    let settings = Desk::with(
        "ems: {ems_azure: {event_handling: {event_groups: {power: {critical: [mine]}}}}, ems_ours: {event_handling: \
         {event_groups: {storage: {detail: [/^ours/]}}}}}",
    )
    .settings();
    let group = |event_type| settings.event_groups.group_and_level(event_type).group;
    // Its list takes the place of ManageIQ's, as every list does.
    assert_eq!([group("mine"), group("virtualMachines_start_EndRequest")], ["power", "other"]);
    assert_eq!([group("ours.1"), group("virtualMachines_delete_EndRequest")], ["storage", "deletion"]);
    assert_eq!(settings.notices.len(), 2, "{:#?}", settings.notices);
}

#[test]
fn the_chains_of_tasks_are_manageiqs_and_can_be_changed() {
    let chains = Desk::with("{}").settings().task_final_events;
    assert_eq!(chains.len(), 28);
    assert_eq!(chains["VmPoweredOnEvent"], ["PowerOnVM_Task", "ResetVM_Task"]);
    assert_eq!(chains["VmRemovedEvent"], ["DestroyVM_Task", "UnregisterVM"]);
    let changed = Desk::with(
        "event_handling: {task_final_events: {VmPoweredOnEvent: [Mine], VmRemovedEvent: [], Ours: [Begun]}}",
    )
    .settings()
    .task_final_events;
    assert_eq!((changed.len(), &changed["VmPoweredOnEvent"]), (29, &vec!["Mine".to_owned()]));
    assert_eq!((changed["VmRemovedEvent"].len(), &changed["Ours"]), (0, &vec!["Begun".to_owned()]));
    let wrong = Desk::with("event_handling:\n  task_final_events:\n    Ours: Begun\n").errors();
    assert_eq!(
        wrong,
        "settings.yml:3: event_handling.task_final_events.Ours: \"Begun\" was found; wanted a list of event types, such as \
         [vm.create, /^vm\\./]"
    );
}

#[test]
fn long_defaults_are_printed_by_their_place_and_what_was_changed_is_shown() {
    let desk = Desk::with("event_handling: {event_groups: {power: {critical: [mine]}}}");
    let loaded = desk.load().unwrap_or_else(|errors| panic!("{errors}"));
    let text = catchall::cli::check::print(&loaded.merged);
    let line =
        |start: &str| text.lines().find(|line| line.trim_start().starts_with(start)).unwrap_or_default();
    assert!(line("task_final_events:").contains("# ManageIQ's core, 28 entries"), "{text}");
    assert!(text.lines().any(|line| line.trim_start().starts_with("critical: [mine]")), "{text}");
    assert!(text.lines().all(|line| line.len() < 400), "{text}");
    assert!(text.lines().count() < 150, "{} lines", text.lines().count());
}
