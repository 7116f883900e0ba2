//! How look-up, overlay and evaluation behave: cases as data, those of ManageIQ's behaviour and others of the same form.

use super::domains::Domains;
use catchall::switchboard::{Call, Switchboard};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Case {
    id: String,
    given: Given,
    expect: Expect,
}

#[derive(Deserialize)]
struct Given {
    domains: Vec<GivenDomain>,
    source: String,
    event_type: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum GivenDomain {
    /// `ManageIQ`, which comes with the binary.
    BuiltIn(String),
    Own {
        name: String,
        priority: i64,
        enabled: bool,
        instances: BTreeMap<String, BTreeMap<String, String>>,
    },
}

#[derive(Deserialize)]
struct Expect {
    domain: Option<String>,
    class: Option<String>,
    instance: Option<String>,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
    actions: Option<Vec<Action>>,
    error: Option<String>,
    run_aborted: Option<bool>,
}

#[derive(Deserialize)]
struct Action {
    uri: String,
    #[serde(default)]
    params: BTreeMap<String, String>,
}

/// The later domain of the settings is the higher one, so that they are listed by their priority.
fn load(given: &Given) -> Switchboard {
    let mut own: Vec<_> =
        given.domains.iter().filter(|domain| matches!(domain, GivenDomain::Own { .. })).collect();
    own.sort_by_key(|domain| match domain {
        GivenDomain::Own { priority, .. } => *priority,
        GivenDomain::BuiltIn(name) => panic!("{name} is the lowest"),
    });
    let mut domains = Domains::new();
    for domain in own {
        let GivenDomain::Own { name, enabled, instances, .. } = domain else { continue };
        let file =
            format!("object_type: domain\nobject:\n  attributes: {{name: {name}, enabled: {enabled}}}\n");
        domains = domains.with(name).file("__domain__.yaml", &file);
        for (path, fields) in instances {
            let (class, instance) = path.split_once('/').unwrap();
            let fields: Vec<_> =
                fields.iter().map(|(field, value)| (field.as_str(), value.as_str())).collect();
            domains = domains.instance(class, instance, &fields);
        }
    }
    domains.load().0
}

fn check(case: &Case) -> Result<(), String> {
    let switchboard = load(&case.given);
    let explanation = switchboard.explain(&case.given.source, &case.given.event_type);
    let calls = switchboard.evaluate(&case.given.source, &case.given.event_type);
    let same = |what: &str, got: &dyn std::fmt::Debug, holds: bool| {
        if holds { Ok(()) } else { Err(format!("{}: {what} is {got:?}\n{explanation:#?}", case.id)) }
    };
    same("evaluate", &calls, calls == explanation.calls)?;
    let resolved = explanation.resolved.as_ref();
    if case.expect.error.is_some() {
        same("what was found", &resolved, resolved.is_none() && explanation.aborted.is_none())?;
    }
    let class = resolved.and_then(|resolved| resolved.class.rsplit('/').next());
    for (what, got, expected) in [
        ("the domain", resolved.map(|resolved| resolved.domain.as_str()), &case.expect.domain),
        ("the class", class, &case.expect.class),
        ("the instance", resolved.map(|resolved| resolved.instance.as_str()), &case.expect.instance),
    ] {
        same(what, &got, expected.is_none() || got == expected.as_deref())?;
    }
    let attributes = resolved.map(|resolved| resolved.attributes.clone()).unwrap_or_default();
    same(
        "attributes",
        &attributes,
        case.expect.attributes.iter().all(|(key, value)| attributes.get(key) == Some(value)),
    )?;
    if let Some(aborted) = case.expect.run_aborted {
        same("the end", &explanation.aborted, explanation.aborted.is_some() == aborted)?;
    }
    let Some(actions) = &case.expect.actions else { return Ok(()) };
    let expected: Vec<Call> = actions
        .iter()
        .map(|action| Call { uri: action.uri.clone(), params: action.params.clone() })
        .collect();
    same("calls", &calls, calls == expected)
}

#[test]
fn look_up_overlay_and_evaluation_behave_as_manageiqs() {
    let cases: Vec<Case> = include_str!("../data/automate/semantics.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")))
        .collect();
    assert!(cases.len() > 25, "only {} cases", cases.len());
    let failures: Vec<String> = cases.iter().filter_map(|case| check(case).err()).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
