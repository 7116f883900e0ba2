//! Classes that stand in one file, `NAME.class.yaml`, with a line per instance.

use super::automate_files::{EMS_EVENT, REFRESH, instance};
use super::domains::Domains;

const HEAD: &str = "object_type: class\nversion: 1.0\nobject:\n  attributes: {name: VC}\n";

fn acme(rest: &str) -> Domains {
    Domains::new().with("Acme").file(&format!("{EMS_EVENT}/VC.class.yaml"), &format!("{HEAD}{rest}"))
}

#[test]
fn a_class_file_is_an_overlay_like_a_folder() {
    let (switchboard, warnings) = acme(
        "  instances:\n    VmPoweredOnEvent:\n    MigrateVM_Task: {REL5: /System/event_handlers/refresh, rel4: '# off'}\n    \
         destroy_task:\n      rel4: {value: /System/event_handlers/event_action_refresh?target=vm}\n",
    )
    .load();
    assert_eq!(warnings, []);
    assert_eq!(switchboard.evaluate("VC", "VmPoweredOnEvent"), [], "emptied");
    assert_eq!(super::uris(&switchboard.evaluate("VC", "migratevm_task")), [REFRESH]);
    let calls = switchboard.evaluate("VC", "Destroy_Task");
    assert_eq!(calls[0].params["target"], "vm");
    let resolved = switchboard.explain("VC", "DESTROY_TASK").resolved.unwrap();
    assert_eq!((resolved.domain.as_str(), resolved.instance.as_str()), ("Acme", "destroy_task"));
    assert_eq!(switchboard.explain("VC", "VmRenamedEvent").resolved.unwrap().domain, "ManageIQ");
}

#[test]
fn a_class_file_lists_fields_of_its_own_or_takes_the_named_ones() {
    let own = "  schema:\n  - field: {name: second, aetype: relationship, priority: 2}\n  - field: {name: first, aetype: relationship, \
               priority: 1}\n  instances:\n    E: {second: /System/event_handlers/refresh_sync, first: /System/event_handlers/refresh}\n";
    let (switchboard, _) = acme(own).load();
    let calls = switchboard.evaluate("VC", "E");
    assert_eq!(super::uris(&calls), [REFRESH, "/System/event_handlers/refresh_sync"]);
    let named = "object_type: class\nobject:\n  attributes: {name: Thing}\n  schema: ems_event\n  instances: {Go: {on_exit: x, rel9: /System/event_handlers/refresh}}\n";
    let domains = Domains::new().with("Acme").file("Custom/Thing.class.yaml", named);
    let (switchboard, _) = domains.instance("VC", "VmRenamedEvent", &[("rel1", "/custom/THING/go")]).load();
    assert_eq!(super::uris(&switchboard.evaluate("VC", "VmRenamedEvent")), [REFRESH]);
}

#[test]
fn errors_name_the_line_of_the_instance() {
    for (rest, expected) in [
        (
            "  instances:\n    E: {rell4: /a/b/c}\n",
            "6: the class …/VC has no field `rell4`; did you mean `rel4`?",
        ),
        ("  instances:\n    E: {}\n    e: {}\n", "7: `name` e is Acme/…/VC.class.yaml:6's already"),
        ("  instances:\n    E: /System/event_handlers/refresh\n", "6: `E` must hold fields with values"),
        (
            "  instances:\n    E: {}\n    F:\n      rel4: [a]\n",
            "8: `rel4` must be one text; put quotes around it",
        ),
        ("  instances:\n    E: {rel4: {valeu: a}}\n", "6: unknown key `valeu`; did you mean `value`?"),
        ("  instances:\n    a b: {}\n", "6: `name` a b holds ` `; only letters"),
        ("  instances:\n    E: {}\n    E: {}\n", "6: is no YAML: object.instances: duplicate entry"),
        ("  instances: []\n", "5: `instances` must hold one line per name"),
        ("  schema: ems_events\n", "5: there is no schema `ems_events`; write `schema: ems_event`"),
        ("  instanecs: {}\n", "5: unknown key `instanecs`; did you mean `instances`?"),
        ("  schema:\n  - field: {name: a}\n  - field: {name: A}\n", "7: the field A is there a second time"),
    ] {
        let error = acme(rest).error();
        let expected = format!("Acme/…/VC.class.yaml:{expected}");
        assert!(error.starts_with(&expected), "{error}\n  not {expected}");
    }
    let nameless = Domains::new().with("Acme").file("Custom/X.class.yaml", &HEAD.replace("VC", "X"));
    let error = nameless.error();
    assert!(
        error.contains("X.class.yaml:1: has no `schema`, and no lower domain has a class Custom/X"),
        "{error}"
    );
    assert!(error.ends_with("correct its `name` or write `schema: ems_event`"), "{error}");
}

#[test]
fn a_class_in_two_places_of_one_domain_is_an_error_naming_both() {
    let error = acme("  instances: {}\n").instance("VC", "E", &[("rel4", REFRESH)]).error();
    let expected = "Acme/…/VC.class:1: the class …/VC is there a second time, Acme/…/VC.class.yaml has it ";
    assert!(error.starts_with(expected), "{error}");
}

#[test]
fn warnings_name_the_line_of_the_instance_too() {
    let warnings = acme(
        "  instances:\n    VmPoweredOnEvent: {rel4: /System/event_handlers/refesh}\n    VmPoweredOnEvnet: {}\n    \
         MigrateVM_Task: {meth4: go, rel4: {value: /System/event_handlers/refresh, collect: a = b}}\n",
    )
    .warnings();
    let expected = [
        "6: rel4: is passed over: no domain has /System/event_handlers/refesh; did you mean",
        "7: no event type `VmPoweredOnEvnet` is known in …/VC; did you mean `VmPoweredOnEvent`?",
        "8: meth4: the method go is not run",
        "8: rel4: `collect` has no effect",
    ];
    assert_eq!(warnings.len(), expected.len(), "{warnings:#?}");
    for (warning, expected) in warnings.iter().zip(expected) {
        assert!(warning.starts_with(&format!("Acme/…/VC.class.yaml:{expected}")), "{warning}");
    }
}

#[test]
fn a_file_of_that_name_inside_a_class_folder_is_an_instance() {
    let path = format!("{EMS_EVENT}/VC.class/E.class.yaml");
    let (switchboard, _) =
        Domains::new().with("Acme").file(&path, &instance("E.class", &[("rel1", REFRESH)])).load();
    assert_eq!(super::uris(&switchboard.evaluate("VC", "e.class")), [REFRESH]);
}
