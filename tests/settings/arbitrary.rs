//! Whatever is in the file, loading answers and never panics.

use super::Desk;
use catchall::cli::check;
use proptest::prelude::*;

/// Words that lead deep into the settings, so that arbitrary trees meet real checks.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "vmdb",
            "url",
            "schema",
            "http",
            "listen",
            "token",
            "ext_management_systems",
            "name",
            "type",
            "endpoints",
            "default",
            "authentications",
            "password",
            "settings",
            "ems",
            ":ems:",
            "ems_awesome_cloud",
            "event_handling",
            "event_groups",
            "critical",
            "/[/",
            "ems_refresh",
            "awesome_cloud",
            "workers",
            "worker_base",
            "event_catcher",
            "defaults",
            "poll",
            "automate",
            "domains",
            "${X}",
            "${",
            "$${",
            "<<",
            "1.seconds",
            "off",
            "all",
            "~",
            ":",
            "!ruby/symbol x",
            "&a",
            "*a",
            "'",
            "\"",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,8}",
    ]
}

fn tree() -> impl Strategy<Value = String> {
    word().prop_recursive(6, 48, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(", "))),
            prop::collection::vec((word(), inner), 0..4).prop_map(|entries| {
                let entries: Vec<String> =
                    entries.into_iter().map(|(key, value)| format!("{key}: {value}")).collect();
                format!("{{{}}}", entries.join(", "))
            }),
        ]
    })
}

fn answers(text: &str) {
    match Desk::with(text).load() {
        Ok(loaded) => {
            let printed = check::print(&loaded.merged);
            let read = serde_yaml::from_str::<serde_yaml::Value>(&printed);
            assert!(read.is_ok(), "what is printed is YAML: {printed}");
        }
        Err(errors) => assert!(!errors.0.is_empty() && !errors.to_string().is_empty()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_text_is_answered(text in "\\PC{0,200}") {
        answers(&text);
    }

    #[test]
    fn arbitrary_trees_are_answered(sections in prop::collection::vec((word(), tree()), 0..5)) {
        let text: String = sections.iter().map(|(key, value)| format!("{key}: {value}\n")).collect();
        answers(&text);
    }
}

#[test]
fn deep_nesting_is_an_error() {
    let errors = Desk::with(&format!("a: {}{}", "[".repeat(20_000), "]".repeat(20_000))).errors();
    assert!(errors.contains("cannot be read as YAML"), "{errors}");
}

#[test]
fn many_aliases_of_a_long_list_are_an_error() {
    let text = format!("a: &a [{}]\nb: [{}]\n", "x, ".repeat(2_000), "*a, ".repeat(2_000));
    let errors = Desk::with(&text).errors();
    assert!(errors.starts_with("settings.yml:1: b[") && errors.contains("]: too many values"), "{errors}");
}
