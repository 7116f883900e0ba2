//! `catchall check` with automate files that are wrong.

use super::automate_files::{EMS_EVENT, REFRESH, instance};
use super::domains::Domains;
use std::process::Command;

/// Exit status and what stands in stderr.
fn check(domains: &Domains) -> (Option<i32>, String) {
    let folder = domains.folder("");
    let settings = folder.join("settings.yml");
    std::fs::write(&settings, "automate:\n  domains: [Acme]\n").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_catchall"))
        .current_dir(folder)
        .arg("check")
        .arg("--settings")
        .arg(settings)
        .output()
        .unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_broken_automate_file_ends_check_with_78_naming_file_and_line() {
    for (path, text, expected) in [
        (
            format!("{EMS_EVENT}/VC.class/e.yaml"),
            instance("VmPoweredOnEvent", &[("rell4", REFRESH)]),
            "e.yaml:8: the class System/Event/EmsEvent/VC has no field `rell4`; did you mean `rel4`?",
        ),
        (
            format!("{EMS_EVENT}/VC.class.yaml"),
            "object_type: class\nobject:\n  attributes: {name: VC}\n  instances:\n    E: [rel4]\n".to_owned(),
            "VC.class.yaml:5: `E` must hold fields with values",
        ),
        (
            "System/__namespace__.yaml".to_owned(),
            "object_type: namespace\nobject:\n  atributes: {}\n".to_owned(),
            "__namespace__.yaml:3: unknown key `atributes`; did you mean `attributes`?",
        ),
    ] {
        let (status, said) = check(&Domains::new().with("Acme").file(&path, &text));
        assert_eq!(status, Some(78), "{said}");
        assert!(said.contains(expected), "{said}\n  not {expected}");
    }
}

#[test]
fn a_slip_is_told_by_check_and_is_no_error() {
    let domains = Domains::new().with("Acme").instance("VC", "VmPoweredOnEvnet", &[("rel4", REFRESH)]);
    let (status, said) = check(&domains);
    assert_eq!(status, Some(0), "{said}");
    let expected = "VmPoweredOnEvnet.yaml:6: no event type `VmPoweredOnEvnet` is known in System/Event/EmsEvent/VC; did you \
                    mean `VmPoweredOnEvent`?";
    assert!(said.contains(expected), "{said}");
}
