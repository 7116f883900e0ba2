//! Rules in the settings: what is refused, where it stands, and what was probably meant.

use crate::house::{automation, try_settings};

/// The messages for these rules, without their places.
fn errors(rules: &str) -> String {
    try_settings(rules)
        .err()
        .map(|errors| errors.to_string())
        .unwrap_or_else(|| panic!("these are good: {rules}"))
}

#[test]
fn a_condition_that_is_none_is_drawn_at_its_line() {
    let wrong =
        "rules:\n  one:\n    on: {event_types: [X]}\n    when: \"vm.nme == 'a'\"\n    do: [log: seen]\n";
    assert_eq!(
        errors(wrong),
        "rules.yml:4: rules.one.when: there is no vm.nme; did you mean vm.name?\n| vm.nme == 'a'\n| ..^"
    );
}

#[test]
fn every_slip_names_its_line_and_the_nearest_word() {
    let good = "
webhooks: {ops: {url: http://example.com}}
rules:
  one: {on: {groups: [power], levels: [critical], ems: [demo cloud]}, do: [webhook: ops, event_action_policy: {target: vm}]}
";
    assert!(try_settings(good).is_ok(), "{}", errors(good));
    for (from, to, message) in [
        (
            "groups: [power]",
            "groups: [powr]",
            "rules.yml:4: rules.one.on.groups: there is no event group \"powr\"; did you mean power?",
        ),
        ("critical", "critcal", "rules.one.on.levels: there is no level \"critcal\"; did you mean critical?"),
        (
            "[demo cloud]",
            "[demo clod]",
            "rules.one.on.ems: there is no EMS \"demo clod\"; did you mean demo cloud?",
        ),
        (
            "webhook: ops",
            "webhook: opps",
            "rules.one.do.webhook: there is no entry of webhooks called \"opps\"; did you mean ops?",
        ),
        (
            "event_action_policy",
            "event_action_polcy",
            "rules.one.do: there is no action \"event_action_polcy\"; did you mean event_action_policy?",
        ),
        (
            "groups: [power]",
            "event_types: [/(/]",
            "rules.one.on.event_types: \"/(/\" is no regular expression: unclosed group",
        ),
        ("on: {", "onn: {", "rules.one.onn: there is no such key; did you mean on?"),
        (
            "event_action_policy: {target: vm}",
            "event_action_refresh: {target: disk}",
            "there is nothing to refresh called \"disk\"",
        ),
        (
            "webhook: ops",
            "log: {level: loud, message: m}",
            "rules.one.do.log.level: \"loud\" was found; wanted error, warn or info",
        ),
        ("webhook: ops", "webhook", "rules.one.do: webhook was found alone"),
        (
            "{on:",
            "{at_most: 5 a day, on:",
            "rules.one.at_most: \"5 a day\" was found; wanted a number and a duration",
        ),
        (
            "{on:",
            "{at_most: 5 per 1.hours by vm, group_within: 3 by host, on:",
            "rules.one.group_within: at_most counts by something else",
        ),
        ("do: [", "does: [", "rules.one.does: there is no such key"),
        ("url: http://example.com", "secret: a", "webhooks.ops.url: every webhook needs an address"),
        ("http://example.com", "ftp://example.com", "webhooks.ops.url: it is neither http nor https"),
        ("http://example.com", "https://me:s3cret@example.com", "webhooks.ops.url: it holds credentials"),
    ] {
        let wrong = good.replacen(from, to, 1);
        assert_ne!(wrong, good);
        let told = errors(&wrong);
        assert!(told.contains(message), "{to}: {told}");
        assert!(!told.contains("s3cret"), "{told}");
    }
    assert!(errors("rules: {one: {on: {levels: [detail]}}}").contains("a rule needs `do`"));
    assert!(errors("rules: {one: {do: [log: a]}}").contains("a rule needs `on`"));
}

#[test]
fn rules_of_several_layers_merge_by_name_and_keep_their_order() {
    let rules = automation(
        "rules:\n  b: {on: {event_types: x}, do: [log: a]}\n  a: {on: {event_types: [\"*\"]}, do: [log: a]}\n  c: {on: {event_types: x}, do: [log: a], enabled: no}\n",
    )
    .rules;
    assert_eq!(rules.candidates_of("demo cloud", "S", "x"), ["b", "a"]);
    assert_eq!(rules.candidates_of("demo cloud", "S", "y"), ["a"]);
    assert_eq!(
        rules.why_not(rules.get("c").unwrap(), "demo cloud", "S", "x").unwrap(),
        "the rule is not enabled"
    );
    assert_eq!(
        rules.why_not(rules.get("b").unwrap(), "demo cloud", "S", "y").unwrap(),
        "its type is y, not x"
    );
}

#[test]
fn a_hundred_rules_are_asked_fast() {
    let rules: String = (0..100)
        .map(|n| match n % 4 {
            0 => format!("  r{n}: {{on: {{event_types: [type.{n}]}}, do: [log: a]}}\n"),
            1 => format!("  r{n}: {{on: {{event_types: [\"glob.{n}.*\"]}}, do: [log: a]}}\n"),
            2 => format!(
                "  r{n}: {{on: {{event_types: [\"/^expression\\\\.{n}\\\\.[a-z]+$/\"]}}, do: [log: a]}}\n"
            ),
            _ => format!("  r{n}: {{on: {{levels: [warning], sources: [S{n}]}}, do: [log: a]}}\n"),
        })
        .collect();
    let rules = automation(&format!("rules:\n{rules}")).rules;
    assert_eq!(rules.candidates_of("e", "S", "type.4"), ["r4"]);
    assert_eq!(rules.candidates_of("e", "S", "glob.5.x"), ["r5"]);
    assert_eq!(rules.candidates_of("e", "S", "expression.6.x"), ["r6"]);
    let types = ["type.4", "glob.5.x", "com.awesome-cloud.vm.stop", "expression.6.x", "nothing"];
    let start = std::time::Instant::now();
    let mut found = 0;
    for at in 0..100_000 {
        found += rules.candidates_of("e", "S", types[at % types.len()]).len();
    }
    let per_second = 100_000.0 / start.elapsed().as_secs_f64();
    println!("{per_second:.0} evaluations a second, unoptimized");
    assert_eq!(found, 60_000);
    assert!(per_second > 20_000.0, "{per_second:.0} evaluations a second");
}
