//! Loading automate files: what is wrong is told with file and line, and what to do.

use super::automate_files::{EMS_EVENT, REFRESH, class, instance};
use super::domains::{Domains, write};
use catchall::switchboard::Switchboard;
use std::path::PathBuf;

fn acme() -> Domains {
    Domains::new().with("Acme")
}

fn in_vc(file: &str) -> String {
    format!("{EMS_EVENT}/VC.class/{file}")
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let error = Switchboard::load(Vec::new(), &[PathBuf::from("/no/such/domain")]).unwrap_err().to_string();
    assert!(error.contains("__domain__.yaml"), "the built-in domain comes first: {error}");
    let error =
        Switchboard::load(super::shipped(), &[PathBuf::from("/no/such/domain")]).unwrap_err().to_string();
    assert!(error.starts_with("/no/such/domain: cannot be read: No such file"), "{error}");
    assert!(error.ends_with("check the path in automate.domains and its permissions"), "{error}");
}

#[test]
fn a_folder_above_its_domain_and_one_without_domain_file_are_told_what_to_do() {
    let domains = acme();
    let above = domains.folder("");
    let error = Switchboard::load(super::shipped(), std::slice::from_ref(&above)).unwrap_err().to_string();
    assert!(error.contains("the domain is one folder deeper, write "), "{error}");
    assert!(error.contains("/Acme in automate.domains"), "{error}");
    std::fs::remove_file(domains.folder("Acme").join("__domain__.yaml")).unwrap();
    assert!(
        domains.error().contains("holds no __domain__.yaml; give it one that holds `object_type: domain`")
    );
}

#[test]
fn errors_name_file_line_and_key() {
    let good = instance("E", &[("rel4", REFRESH)]);
    let cases = [
        (good.replace("rel4", "rell4"), "8: the class …/VC has no field `rell4`; did you mean `rel4`?"),
        (good.replace("value", "valeu"), "9: unknown key `valeu`; did you mean `value`?"),
        (good.replace("name: E", "nmae: E"), "6: unknown key `nmae`; did you mean `name`?"),
        (
            good.replace("name: E", "name:"),
            "6: `name` is not set; it, not the file's name, says what this is called",
        ),
        (good.replace("name: E", "name: a b"), "6: `name` a b holds ` `; only letters"),
        (good.replace("fields", "feilds"), "7: unknown key `feilds`; did you mean `fields`?"),
        (good.replace("object:", "objcet:"), "4: unknown key `objcet`; did you mean `object`?"),
        (good.replace("name: E", "name: E\n    inherits: F"), "7: an instance cannot inherit"),
        (
            good.replace("  - rel4:\n      value:", "  - rel4:"),
            "8: `rel4` must hold keys; write its value as `value: …`",
        ),
        (
            good.replace("      value", "    value"),
            "9: `value` stands beside its field; indent it below the field's name",
        ),
        (good.clone() + "      value: b\n", "9: is no YAML: object.fields[0].rel4: duplicate entry"),
        ("a: [1".to_owned(), "2: is no YAML:"),
        ("just a note".to_owned(), "1: holds no automate object"),
    ];
    for (text, expected) in cases {
        let error = acme().file(&in_vc("e.yaml"), &text).error();
        let expected = format!("Acme/…/VC.class/e.yaml:{expected}");
        assert!(error.starts_with(&expected), "{error}\n  not {expected}");
    }
}

#[test]
fn two_instances_of_one_name_are_an_error_naming_both() {
    let error = acme().instance("VC", "E", &[]).file(&in_vc("x.yaml"), &instance("e", &[])).error();
    assert!(
        error.starts_with("Acme/…/VC.class/x.yaml:6: `name` e is Acme/…/VC.class/E.yaml:6's already"),
        "{error}"
    );
}

#[test]
fn a_class_without_its_file_takes_the_lower_domains_schema_or_says_what_is_missing() {
    assert!(acme().instance("VC", "VmPoweredOnEvent", &[("REL9", REFRESH)]).try_load().is_ok());
    let error = acme().instance("AWESOMECLOUD", "x", &[]).error();
    assert!(
        error.starts_with(
            "Acme/…/AWESOMECLOUD.class:1: has no __class__.yaml, and no lower domain has a class …/AWESOMECLOUD to take \
             the fields from; did you mean `…/AWESOME_CLOUD`?"
        ),
        "{error}"
    );
}

#[test]
fn a_wrong_schema_is_told_with_its_line() {
    let text = class("VC").replace("aetype: assertion", "aetype: asertion");
    let line = 1 + text.lines().position(|line| line.contains("asertion")).unwrap();
    let error = acme().file(&in_vc("__class__.yaml"), &text).error();
    let expected =
        format!("__class__.yaml:{line}: `aetype` of guard is no asertion; did you mean `assertion`?");
    assert!(error.contains(&expected), "{error}");
}

#[test]
fn invalid_utf_8_is_told_with_its_line() {
    let domains = acme();
    write(&domains.folder("Acme").join(in_vc("e.yaml")), b"object_type: instance\n# caf\xe9\n");
    assert!(
        domains.error().starts_with("Acme/…/VC.class/e.yaml:2: is no UTF-8 text here"),
        "{}",
        domains.error()
    );
}

#[test]
fn what_catchall_does_not_do_is_a_warning_with_file_and_line() {
    let event = "VmPoweredOnEvent";
    let cases = [
        (vec![("meth4", "update_vm_import_status")], "meth4: the method update_vm_import_status is not run"),
        (vec![("rel1", "/System/event_handlers/*")], "rel1: is passed over: an address cannot end in `*`"),
        (
            vec![("rel1", "/System/event_handlers/refesh")],
            "rel1: is passed over: no domain has /System/event_handlers/refesh; did you mean `/System/event_handlers/refresh`?",
        ),
        (
            vec![("rel1", "/System/event_handlers/a b")],
            "rel1: ends the run of its event: ` ` cannot stand in an address; write it as %20",
        ),
        (
            vec![("rel1", "/X/Y/${/#event_stream.vm_name}")],
            "rel1: is passed over: ${/#event_stream.vm_name} is not known to the switchboard",
        ),
        (vec![("rel1", "/X/Y/${/#vm}")], "rel1: is passed over: ${/#vm} is not known"),
        (
            vec![("rel1", "/X/Y/${nosuch#x}")],
            "rel1: ends the run of its event: no domain has a class `nosuch`",
        ),
        (
            vec![("rel1", "/X/Y/${STATE_VAR#x}")],
            "rel1: is passed over: ${STATE_VAR#x} looks up what Catchall does not have",
        ),
        (
            vec![("rel1", "/X/Y/${#x.system}")],
            "rel1: is passed over: ${#x.system} is not known to the switchboard",
        ),
        (vec![("rel1", "method:/X/Y/go")], "rel1: the method go is not run"),
        (
            vec![("rel1", "/System/event_handlers/event_action_policy?target=src_vm&policy_event=vm_start")],
            "rel1: fails: event_action_policy needs `param`; write `param=`, even if empty",
        ),
        (
            vec![("rel1", "/System/event_handlers/refresh?VmOrTemplate::vm=5")],
            "rel1: `vmortemplate::vm` loads no record here",
        ),
        (
            vec![("guard", "$evm.root['vm'].nil?")],
            "guard: the guard always fails here, and nothing else of its instance runs",
        ),
        (
            vec![("rel1", "/System/event_handlers/event_action_refresh?target=vmm")],
            "rel1: ends the run of its event: there is no target `vmm`",
        ),
    ];
    for (fields, expected) in cases {
        let warnings = acme().instance("VC", event, &fields).warnings();
        let expected = format!("Acme/…/VC.class/{event}.yaml:9: {expected}");
        assert!(
            matches!(&warnings[..], [one] if one.starts_with(&expected)),
            "{warnings:#?}\n  not {expected}"
        );
    }
    let with_collect = instance(event, &[("rel1", REFRESH)]) + "      collect: a = b\n";
    let warnings = acme().file(&in_vc("e.yaml"), &with_collect).warnings();
    assert!(matches!(&warnings[..], [one] if one.contains("rel1: `collect` has no effect")), "{warnings:?}");
}

#[test]
fn states_methods_and_stray_files_are_warnings() {
    let with_state =
        class("VC").replace("aetype: relationship\n      name: rel1", "aetype: state\n      name: rel1");
    let warnings = acme()
        .file(&in_vc("__class__.yaml"), &with_state)
        .file(&in_vc("__methods__/go.rb"), "$evm.log(:info, 'hello')")
        .file(&in_vc("README.md"), "A note: for people")
        .file(&in_vc("e.yaml"), &instance("VmPoweredOnEvent", &[("rel1", "/A/B/C")]))
        .file(&in_vc(".missing.yaml"), &instance(".missing", &[("rel2", REFRESH)]))
        .file(&in_vc("e.yaml.bak"), &instance("VmPoweredOnEvent", &[]))
        .file(&format!("{EMS_EVENT}/VC/e.yaml"), &instance("E", &[]))
        .warnings();
    assert_eq!(
        warnings,
        [
            "Acme/…/VC.class/.missing.yaml:1: is not read, as in ManageIQ, since its name begins with a dot; call it _missing.yaml",
            "Acme/…/VC.class/README.md:1: is no instance and is passed over",
            "Acme/…/VC.class/__methods__/go.rb:1: is not run: Catchall runs no methods of domains, only its own handlers",
            "Acme/…/VC.class/e.yaml:9: rel1: is not run: Catchall has no state machines of domains",
            "Acme/…/VC.class/e.yaml.bak:1: is passed over, since it ends in no .yaml and is not called VmPoweredOnEvent like \
             the instance in it",
            "Acme/…/VC/e.yaml:1: is not read, since its folder is no class; instances lie in a folder like …/VC.class",
        ]
    );
}

#[test]
fn a_source_that_no_provider_has_is_a_warning_with_the_nearest() {
    let path = format!("{EMS_EVENT}/AWESOMECLOUD.class/__class__.yaml");
    let warnings = acme().file(&path, &class("AWESOMECLOUD")).instance("AWESOMECLOUD", "x", &[]).warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0].contains(
            "no provider in this build has events of the source AWESOMECLOUD; did you mean `awesome_cloud`?"
        ),
        "{warnings:?}"
    );
}

#[test]
fn loading_again_sees_what_was_added_overridden_and_emptied() {
    let domains = acme();
    let calls = |event_type: &str| domains.load().0.evaluate("AWESOME_CLOUD", event_type).len();
    let name = "com.awesome-cloud.vm.create";
    let path = domains.folder("Acme").join(format!("{EMS_EVENT}/AWESOME_CLOUD.class/{name}.yaml"));
    assert_eq!((calls(name), calls("com.awesome-cloud.login")), (1, 0));
    write(&path, instance(name, &[("rel1", REFRESH), ("rel2", REFRESH)]).as_bytes());
    write(
        &path.with_file_name("login.yaml"),
        instance("com.awesome-cloud.login", &[("rel1", REFRESH)]).as_bytes(),
    );
    assert_eq!((calls(name), calls("com.awesome-cloud.login")), (2, 1));
    write(&path, instance(name, &[]).as_bytes());
    assert_eq!(calls(name), 0);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(calls(name), 1);
}

#[test]
fn what_events_cannot_reach_is_not_looked_through_and_what_they_can_is() {
    let process = "object_type: class\nobject:\n  attributes: {name: Process}\n  schema:\n  \
                   - field: {name: meth1, aetype: method}\n  - field: {name: rel5, aetype: relationship}\n  instances:\n    \
                   Event: {rel5: '/System/Event/${/#event_stream.event_namespace}/${/#event_stream.source}/${/#event_type}'}\n    \
                   automation: {meth1: parse_automation_request}\n    category: {meth1: parse_provider_category}\n";
    let custom = "object_type: class\nobject:\n  attributes: {name: Thing}\n  schema: ems_event\n  instances:\n    \
                  Go: {meth1: go}\n    Stay: {meth1: stay}\n";
    let domains =
        acme().file("System/Process.class.yaml", process).file("Custom/Thing.class.yaml", custom).instance(
            "VC",
            "VmPoweredOnEvent",
            &[("rel1", "/System/Process/category"), ("rel2", "/Custom/Thing/Go"), ("rel3", REFRESH)],
        );
    assert_eq!(
        domains.warnings(),
        [
            "Acme/Custom/Thing.class.yaml:6: meth1: the method go is not run: Catchall runs its own handlers alone, through \
             /System/event_handlers",
            "Acme/System/Process.class.yaml:10: meth1: the method parse_provider_category is not run: Catchall runs its own \
             handlers alone, through /System/event_handlers",
        ]
    );
    assert_eq!(domains.load().0.evaluate("VC", "VmPoweredOnEvent").len(), 1, "the siblings go on");
}
