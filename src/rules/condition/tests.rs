use super::super::{Facts, Scene};
use super::*;
use serde_json::json;

fn scene(facts: serde_json::Value, full_data: &str) -> Scene {
    let section = |name: &str| facts[name].as_object().cloned().unwrap_or_default();
    Scene::new(&Facts {
        event: section("event"),
        full_data: full_data.to_owned(),
        ems: section("ems"),
        vm: section("vm"),
        host: section("host"),
        ..Facts::default()
    })
}

fn ask(condition: &str, scene: &Scene) -> Verdict {
    Condition::new(condition).unwrap_or_else(|error| panic!("{condition}: {error}")).ask(scene)
}

#[test]
fn a_condition_sees_event_ems_vm_and_native_event() {
    let scene = scene(
        json!({"event": {"event_type": "vm.stop", "timestamp": "2026-11-24T03:00:00Z", "is_task": true, "chain_id": 7},
               "ems": {"name": "demo"}, "vm": {"name": "prod-1", "template": false}}),
        r#"{"reason": "crash", "tags": [{"key": "team", "value": "db"}], "load": 1.5, "big": 18446744073709551615}"#,
    );
    for met in [
        "vm.name.startsWith('prod-') && event.full_data.reason != 'planned'",
        "event.timestamp.getHours() < 6 && event.timestamp < timestamp('2027-01-01T00:00:00Z')",
        "event.full_data.tags.exists(tag, tag.key == 'team' && tag.value in ['db', 'web'])",
        "!has(host.name) && has(vm.name) && !has(event.full_data.nothing)",
        "event.chain_id == 7 && event.is_task && event.full_data.load > 1",
        "event.event_type.matches('^vm[.]') && size(event.full_data.tags) == 1",
        "ems.name == 'demo' && string(event.chain_id) == '7' && type(vm.name) == string",
    ] {
        assert_eq!(ask(met, &scene), Verdict::Met, "{met}");
    }
    assert_eq!(ask("vm.template", &scene), Verdict::NotMet);
    assert_eq!(ask("host.name == 'a'", &scene), Verdict::Cannot("there is no name".to_owned()));
    assert!(matches!(ask("vm.name", &scene), Verdict::Cannot(why) if why.contains("neither true nor false")));
    assert!(matches!(ask("event.chain_id.startsWith('7')", &scene), Verdict::Cannot(_)));
}

#[test]
fn what_cannot_be_a_condition_is_told_with_its_place() {
    let error = |text: &str| Condition::new(text).unwrap_err();
    assert_eq!(
        error("vm.name == 'a' && vm.nam.size() > 1"),
        "there is no vm.nam; did you mean vm.name?\n| vm.name == 'a' && vm.nam.size() > 1\n| ....................^"
    );
    assert!(error("evnt.event_type == 'a'").contains("nothing is called evnt; did you mean event?"));
    assert!(
        error("vm.name.startWith('a')").contains("no function is called startWith; did you mean startsWith?")
    );
    assert!(error("vm.name.matches('(')").contains("no regular expression: unclosed group"));
    let drawn = error("vm.name == ");
    assert!(drawn.contains("\n| vm.name == \n| ") && drawn.contains('^'), "{drawn}");
    assert!(error("").contains("nothing was found"));
    assert!(error(&format!("true{}", " ".repeat(4_096))).contains("4100 bytes"));
    let nested = "[1].exists(a, [a].exists(b, [b].exists(c, c == 1)))";
    assert!(error(nested).contains("nested 3 deep"), "{}", error(nested));
    assert!(Condition::new("[1].filter(a, a > 0).map(b, b).exists(c, [c].exists(d, d == 1))").is_ok());
}

#[test]
fn what_is_too_large_is_not_looked_at_and_says_so() {
    let long = format!("[{}1]", "1,".repeat(400));
    let square = "event.full_data.exists(a, event.full_data.exists(b, a + b == 3))";
    assert!(
        matches!(ask(square, &scene(json!({}), &long)), Verdict::Cannot(why) if why.contains("list of 401"))
    );
    assert_eq!(ask("event.full_data.exists(a, a == 2)", &scene(json!({}), &long)), Verdict::NotMet);
    let deep = format!("{}{}", "[".repeat(60), "]".repeat(60));
    let many = format!("[{}1]", "1,".repeat(30_000));
    let huge = format!("\"{}\"", "x".repeat(300_000));
    for (data, why) in
        [(deep, "nested more than 32"), (many, "more than 20000 values"), (huge, "300002 bytes")]
    {
        let scene = scene(json!({"event": {"message": "a"}}), &data);
        let said = ask("event.full_data.x == 1", &scene);
        assert!(matches!(&said, Verdict::Cannot(reason) if reason.contains(why)), "{said:?}");
        assert_eq!(ask("event.message == 'a'", &scene), Verdict::Met);
    }
}
