//! The switchboard: what an event type does, from automate files as people write them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/automate_files.rs"]
mod automate_files;
#[path = "switchboard/class_files.rs"]
mod class_files;
#[path = "switchboard/command.rs"]
mod command;
#[path = "support/domains.rs"]
mod domains;
#[path = "switchboard/loading.rs"]
mod loading;
#[path = "switchboard/semantics.rs"]
mod semantics;
#[path = "switchboard/shipped.rs"]
mod shipped_instances;

use automate_files::{EMS_EVENT, REFRESH, class, instance};
use catchall::switchboard::{Call, Switchboard};
use domains::{Domains, shipped};
use std::path::PathBuf;

fn uris(calls: &[Call]) -> Vec<&str> {
    calls.iter().map(|call| call.uri.as_str()).collect()
}

fn winner(switchboard: &Switchboard, source: &str, event_type: &str) -> Option<(String, String, String)> {
    let resolved = switchboard.explain(source, event_type).resolved?;
    let class = resolved.class.rsplit('/').next().unwrap().to_owned();
    Some((resolved.domain, class, resolved.instance))
}

fn answer(domain: &str, class: &str, instance: &str) -> Option<(String, String, String)> {
    Some((domain.to_owned(), class.to_owned(), instance.to_owned()))
}

#[test]
fn an_event_type_makes_the_calls_of_its_instance_in_order_of_the_fields() {
    let (switchboard, warnings) = Domains::new().load();
    assert_eq!(warnings, []);
    let calls = switchboard.evaluate("VC", "HostConnectedEvent");
    assert_eq!(
        uris(&calls),
        [
            "/System/event_handlers/event_action_policy",
            "/System/event_handlers/change_event_target_state",
            "/System/event_handlers/event_action_refresh"
        ]
    );
    let params: Vec<_> = calls[0].params.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(params, [("param", ""), ("policy_event", "host_connect"), ("target", "src_host")]);
}

#[test]
fn source_and_event_type_are_looked_up_without_regard_to_case() {
    let (switchboard, _) = Domains::new().load();
    let found = winner(&switchboard, "OPENSTACK", "COMPUTE.INSTANCE.DELETE.END");
    assert_eq!(found, answer("ManageIQ", "OpenStack", "compute.instance.delete.end"));
    assert_eq!(switchboard.evaluate("OPENSTACK", "COMPUTE.Instance.delete.end").len(), 2);
}

#[test]
fn an_unknown_event_type_is_answered_by_missing_with_its_attributes() {
    let (switchboard, _) = Domains::new().load();
    let resolved = switchboard.explain("EVM", "StandbyGuest_Complete").resolved.unwrap();
    assert_eq!(resolved.instance, ".missing");
    let attributes: Vec<_> = resolved.attributes.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(attributes, [("_missing_instance", "StandbyGuest_Complete"), ("logical_event", "other")]);
    assert_eq!(switchboard.evaluate("EVM", "StandbyGuest_Complete"), []);
}

#[test]
fn a_source_without_class_makes_no_calls_and_is_no_abort() {
    let (switchboard, _) = Domains::new().load();
    let explanation = switchboard.explain("NOSUCH", "x");
    assert_eq!((explanation.resolved, explanation.aborted), (None, None));
    assert_eq!(switchboard.evaluate("NOSUCH", "x"), []);
    assert_eq!(switchboard.evaluate("AWESOME_CLOUD", "com.awesome-cloud.login"), [], "no `.missing` there");
}

#[test]
fn missing_in_a_higher_domain_does_not_shadow_an_exact_instance_below() {
    let (switchboard, _) =
        Domains::new().with("Acme").instance("VC", ".missing", &[("rel1", REFRESH)]).load();
    assert_eq!(winner(&switchboard, "VC", "VmPoweredOnEvent"), answer("ManageIQ", "VC", "VmPoweredOnEvent"));
    assert_eq!(winner(&switchboard, "VC", "Unheard"), answer("Acme", "VC", ".missing"));
    assert_eq!(uris(&switchboard.evaluate("VC", "Unheard")), [REFRESH]);
}

#[test]
fn an_empty_instance_switches_the_shipped_one_off_unless_its_domain_is_disabled() {
    let domains = Domains::new().with("Acme").instance("VC", "VmPoweredOnEvent", &[]);
    let (switchboard, _) = domains.load();
    assert_eq!(winner(&switchboard, "VC", "vmpoweredonevent"), answer("Acme", "VC", "VmPoweredOnEvent"));
    assert_eq!(switchboard.evaluate("VC", "VmPoweredOnEvent"), []);

    let off = "object_type: domain\nobject:\n  attributes:\n    name: Acme\n    enabled: false\n";
    let (switchboard, _) = domains.file("__domain__.yaml", off).load();
    assert_eq!(winner(&switchboard, "VC", "VmPoweredOnEvent"), answer("ManageIQ", "VC", "VmPoweredOnEvent"));
    assert_eq!(switchboard.domains(), ["ManageIQ"]);
}

#[test]
fn a_domain_adds_an_event_type_and_another_field() {
    let domains = Domains::new().with("Acme").instance("VC", "MyEvent", &[("rel9", REFRESH)]);
    let (switchboard, _) = domains.load();
    assert_eq!(winner(&switchboard, "VC", "myevent"), answer("Acme", "VC", "MyEvent"));
    let explanation = switchboard.explain("VC", "myevent");
    assert!(explanation.fields.iter().any(|run| run.field == "rel9" && run.value == REFRESH));
    assert_eq!(uris(&explanation.calls), [REFRESH]);
}

#[test]
fn the_later_domain_wins_whatever_its_priority() {
    let domain = |name: &str, priority: i64| {
        format!("object_type: domain\nobject:\n  attributes:\n    name: {name}\n    priority: {priority}\n")
    };
    let scan = "/System/event_handlers/event_action_scan?target=src_vm";
    let (switchboard, _) = Domains::new()
        .with("A")
        .file("__domain__.yaml", &domain("A", 9))
        .instance("VC", "E", &[("rel1", REFRESH), ("rel2", REFRESH)])
        .with("B")
        .file("__domain__.yaml", &domain("B", 1))
        .instance("VC", "E", &[("rel1", scan)])
        .load();
    assert_eq!(winner(&switchboard, "VC", "E"), answer("B", "VC", "E"));
    assert_eq!(
        uris(&switchboard.evaluate("VC", "E")),
        ["/System/event_handlers/event_action_scan"],
        "not merged"
    );
}

#[test]
fn fields_run_by_the_schemas_priority_and_not_in_the_order_of_the_file() {
    let values = [
        ("rel5", "/X/Y/five"),
        ("on_exit", "bye"),
        ("meth4", "m4"),
        ("rel4", "/X/Y/four"),
        ("on_entry", "hi"),
        ("rel3", "/X/Y/three"),
    ];
    let (switchboard, _) = Domains::new().with("Acme").instance("VC", "E", &values).load();
    let explanation = switchboard.explain("VC", "E");
    let fields: Vec<&str> = explanation.fields.iter().map(|run| run.field.as_str()).collect();
    assert_eq!(
        fields,
        ["rel5", "on_entry", "rel3", "rel4", "meth4", "rel5", "on_exit"],
        "the entry's rel5 first"
    );
}

#[test]
fn the_class_default_counts_where_the_instance_is_blank() {
    let with_default = class("VC").replace(
        "name: rel2\n      datatype: string\n      priority: 6\n      message: create\n      substitute: true\n      default_value:",
        &format!("name: rel2\n      datatype: string\n      priority: 6\n      message: create\n      substitute: true\n      default_value: {REFRESH}"),
    );
    assert!(with_default.contains(REFRESH));
    let (switchboard, _) = Domains::new()
        .with("Acme")
        .file(&format!("{EMS_EVENT}/VC.class/__class__.yaml"), &with_default)
        .instance("VC", "E", &[("rel2", "  ")])
        .instance("VC", "F", &[("rel2", "# switched off")])
        .load();
    assert_eq!(uris(&switchboard.evaluate("VC", "E")), [REFRESH]);
    assert_eq!(switchboard.evaluate("VC", "F"), [], "commented out");
    assert_eq!(
        uris(&switchboard.evaluate("VC", "")),
        [REFRESH],
        "an address without instance has the defaults"
    );
}

#[test]
fn an_event_type_with_a_slash_names_another_class_and_finds_nothing() {
    let (switchboard, _) =
        Domains::new().with("Acme").instance("VC", ".missing", &[("rel1", REFRESH)]).load();
    let explanation = switchboard.explain("VC", "a/b");
    assert_eq!((explanation.resolved, explanation.aborted), (None, None));
    assert_eq!(switchboard.evaluate("VC", "a/b"), []);
    assert_eq!(
        uris(&switchboard.evaluate("VC", "a b?c#d*|ä")),
        [REFRESH],
        "all else is a name like any other"
    );
    assert_eq!(switchboard.explain("VC", "a b?c#d*|ä").calls.len(), 1);
}

#[test]
fn object_type_is_not_looked_at_and_dot_files_are_not_read() {
    let (switchboard, warnings) = Domains::new()
        .with("Acme")
        .file(".manifest.yaml", ": : no yaml")
        .file(&format!("{EMS_EVENT}/VC.class/.E.yaml.swp"), "\u{0}")
        .file(
            &format!("{EMS_EVENT}/VC.class/e.yaml"),
            &instance("VmPoweredOnEvent", &[]).replace("type: instance", "type: volume"),
        )
        .load();
    assert_eq!(warnings, []);
    assert_eq!(winner(&switchboard, "VC", "VmPoweredOnEvent"), answer("Acme", "VC", "VmPoweredOnEvent"));
}

#[test]
fn only_fields_that_answer_to_the_message_run() {
    let with_message = class("VC").replace(
        "name: rel2\n      datatype: string\n      priority: 6\n      message: create",
        "name: rel2\n      datatype: string\n      priority: 6\n      message: Update, other",
    );
    let (switchboard, _) = Domains::new()
        .with("Acme")
        .file(&format!("{EMS_EVENT}/VC.class/__class__.yaml"), &with_message)
        .instance("VC", "E", &[("rel2", REFRESH)])
        .instance("VC", "F", &[("rel1", "/System/Event/EmsEvent/VC/E#UPDATE")])
        .load();
    assert_eq!(switchboard.evaluate("VC", "E"), []);
    assert_eq!(
        switchboard.explain("VC", "F").calls,
        [],
        "the message goes on to the handler, which answers to `create`"
    );
    let ran = switchboard.explain("VC", "F").fields;
    assert!(ran.iter().any(|run| run.field == "rel2"), "{ran:?}");
}

#[test]
fn a_guard_lets_its_instance_run_or_not_and_siblings_go_on() {
    let (switchboard, warnings) = Domains::new()
        .with("Acme")
        .instance(
            "VC",
            "E",
            &[("rel1", "/System/Event/EmsEvent/VC/Never"), ("rel2", "/System/Event/EmsEvent/VC/Only")],
        )
        .instance("VC", "Never", &[("guard", "false"), ("rel1", REFRESH)])
        .instance("VC", "Only", &[("guard", "\"${/#event_type}\" == 'E'"), ("rel1", REFRESH)])
        .load();
    assert_eq!(uris(&switchboard.evaluate("VC", "E")), [REFRESH]);
    assert_eq!(switchboard.evaluate("VC", "Only"), []);
    assert!(warnings.iter().all(|warning| warning.message.contains("no event type")), "{warnings:?}");
}

#[test]
fn a_guard_does_not_see_its_own_parameters_and_ends_the_run() {
    let (switchboard, _) = Domains::new()
        .with("Acme")
        .instance(
            "VC",
            "E",
            &[("rel1", REFRESH), ("rel2", "/System/Event/EmsEvent/VC/Child?target=ems"), ("rel3", REFRESH)],
        )
        .instance("VC", "Child", &[("guard", "'${#target}' == 'ems'"), ("rel1", REFRESH)])
        .load();
    let explanation = switchboard.explain("VC", "E");
    assert!(explanation.aborted.unwrap().contains("there is no attribute `target`"));
    assert_eq!(uris(&switchboard.evaluate("VC", "E")), [REFRESH], "what ran before stands");
}

#[test]
fn relationships_are_followed_depth_first_with_parameters_and_substitution() {
    let custom = class("Y")
        .replace("aetype: attribute\n      name: logical_event", "aetype: attribute\n      name: who");
    let (switchboard, warnings) = Domains::new()
        .with("Acme")
        .file("Custom/Y.class/__class__.yaml", &custom)
        .file(
            "Custom/Y.class/go.yaml",
            &instance("Go", &[
                ("rel1", "/System/event_handlers/event_action_policy?target=${#who}&policy_event=${/#event_type}&param=${/#event_stream.source}"),
                ("rel2", REFRESH),
            ]),
        )
        .instance("VC", "VmPoweredOnEvent", &[
            ("rel1", "/custom/y/GO?who=src_vm"),
            ("rel2", "/System/event_handlers/event_action_scan?target=vm"),
        ])
        .load();
    assert_eq!(warnings, []);
    let calls = switchboard.evaluate("VC", "VmPoweredOnEvent");
    let names: Vec<_> = calls.iter().map(|call| call.uri.rsplit('/').next().unwrap()).collect();
    assert_eq!(names, ["event_action_policy", "refresh", "event_action_scan"]);
    let params: Vec<_> = calls[0].params.iter().map(|(k, v)| format!("{k}={v}")).collect();
    assert_eq!(params, ["param=VC", "policy_event=VmPoweredOnEvent", "target=src_vm"]);
    let event_type_as_sent = &switchboard.evaluate("vc", "vmPOWEREDonEvent")[0].params;
    assert_eq!(event_type_as_sent["policy_event"], "vmPOWEREDonEvent");
}

#[test]
fn a_circle_ends_the_run_and_keeps_what_went_before() {
    let (switchboard, _) = Domains::new()
        .with("Acme")
        .instance("VC", "E", &[("rel1", REFRESH), ("rel2", "/System/Event/EmsEvent/VC/F"), ("rel3", REFRESH)])
        .instance("VC", "F", &[("rel1", "/System/Event/EmsEvent/VC/E")])
        .load();
    let explanation = switchboard.explain("VC", "E");
    assert!(explanation.aborted.unwrap().contains("circle"));
    assert_eq!(uris(&explanation.calls), [REFRESH]);
}

#[test]
fn a_handler_is_overridden_like_any_instance_and_a_domain_can_be_pinned() {
    let (switchboard, warnings) = Domains::new()
        .with("Acme")
        .file("System/event_handlers.class/refresh.yaml", &instance("refresh", &[]))
        .instance("VC", "VmPoweredOnEvent", &[("rel1", "/ManageIQ/System/event_handlers/refresh")])
        .load();
    assert_eq!(warnings, []);
    assert_eq!(switchboard.evaluate("AWESOME_CLOUD", "com.awesome-cloud.vm.stop"), []);
    assert_eq!(uris(&switchboard.evaluate("VC", "VmPoweredOnEvent")), [REFRESH], "the domain is pinned");
}

#[test]
fn the_entry_can_be_overridden() {
    let (switchboard, _) = Domains::new()
        .with("Acme")
        .file(
            "System/Process.class/Event.yaml",
            &instance("Event", &[("rel5", "/System/Event/EmsEvent/VC/VmPoweredOnEvent")]),
        )
        .load();
    assert_eq!(switchboard.evaluate("ANY", "thing").len(), 1);
}

#[test]
fn the_guides_file_without_yaml_is_loaded_and_its_slip_is_told() {
    let folder = PathBuf::from("tests/data/automate/guide");
    let (switchboard, warnings) = Switchboard::load(shipped(), &[folder]).unwrap();
    assert_eq!(
        uris(&switchboard.evaluate("AWESOME_CLOUD", "com.awesomecloud.vm.create")),
        ["/System/event_handlers/event_action_refresh"]
    );
    let said: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "tests/data/automate/guide/System/Event/EmsEvent/AWESOME_CLOUD.class/com.awesomecloud.vm.create:7: \
          no event type `com.awesomecloud.vm.create` is known in System/Event/EmsEvent/AWESOME_CLOUD; \
          did you mean `com.awesome-cloud.vm.create`? The nearest event type that is known is called so"
        ]
    );
}

#[test]
fn a_type_that_the_event_groups_list_is_no_slip() {
    let domains = Domains::new().with("Acme").instance(
        "AWESOME_CLOUD",
        "com.awesome-cloud.login",
        &[("rel1", REFRESH)],
    );
    assert_eq!(domains.load().1.len(), 1);
    let folders = [domains.folder("Acme")];
    let (_, warnings) =
        Switchboard::load_knowing(shipped(), &folders, &|name| name == "com.awesome-cloud.login").unwrap();
    assert_eq!(warnings, []);
}

proptest::proptest! {
    #[test]
    fn what_was_worked_out_at_load_is_what_evaluation_comes_to(
        source in "(?i)vc|evm|openstack|nosuch|a/b|.{0,6}",
        event_type in "(?i)vmpoweredonevent|\\.missing|e|sub|.{0,12}",
    ) {
        static SWITCHBOARD: std::sync::LazyLock<Switchboard> = std::sync::LazyLock::new(|| {
            let scan = "/System/event_handlers/event_action_scan?target=${/#event_type}";
            let domains = Domains::new().with("Acme");
            domains.instance("VC", ".missing", &[("rel1", REFRESH)]).instance("VC", "E", &[("rel2", scan)]).load().0
        });
        let explained = SWITCHBOARD.explain(&source, &event_type).calls;
        proptest::prop_assert_eq!(SWITCHBOARD.evaluate(&source, &event_type), explained);
    }
}

/// A measurement, not a test of time: the figure depends on the build and the machine.
#[test]
fn evaluations_per_second_are_printed() {
    let (switchboard, _) = Domains::new().load();
    let start = std::time::Instant::now();
    let mut calls = 0;
    for _ in 0..20_000 {
        calls += switchboard.evaluate("AWESOME_CLOUD", "com.awesome-cloud.vm.create").len();
        calls += switchboard.evaluate("VC", "Unheard").len();
    }
    assert_eq!(calls, 20_000);
    println!("{:.0} evaluations/s", 40_000.0 / start.elapsed().as_secs_f64());
}
