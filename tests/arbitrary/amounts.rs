//! Much of something: what is answered at once however large it is, and what is refused for its size. Each of these once
//! took minutes, gigabytes or the stack.

use crate::trials::{automate, events, rules, settings};
use catchall::provider::NativeEvent;
use catchall::rules::Verdict;
use std::fmt::Write;
use std::time::{Duration, Instant};

/// In a debug build on a busy machine.
const SOON: Duration = Duration::from_secs(10);

fn soon<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let done = work();
    let took = begun.elapsed();
    assert!(took < SOON, "{what} took {took:?}");
    done
}

fn amazon() -> &'static dyn catchall::provider::Provider {
    catchall::providers::find("amazon").unwrap()
}

#[test]
fn an_api_call_about_tens_of_thousands_of_instances_is_read_at_once() {
    let items: Vec<String> = (0..30_000).map(|at| format!(r#"{{"instanceId":"i-{at}"}}"#)).collect();
    let call = format!(
        r#"{{"id":"a","time":"2026-11-24T10:00:00Z","detail":{{"eventType":"AwsApiCall","eventName":"RunInstances","responseElements":{{"instancesSet":{{"items":[{}]}}}}}}}}"#,
        items.join(",")
    );
    let caught = soon("the call", || events::catch(amazon(), &NativeEvent::new(call)));
    assert_eq!(caught.events.len(), 1);
}

#[test]
fn a_message_id_is_not_multiplied_by_the_events_of_its_message() {
    let alarms = vec![r#"{"AlarmName":"a","StateChangeTime":"2026-11-24T10:00:00Z"}"#; 2_000].join(",");
    let body = serde_json::Value::from(format!("[{alarms}]"));
    let message = format!(r#"{{"MessageId":"{}","ReceiptHandle":"r","Body":{body}}}"#, "m".repeat(100_000));
    let caught = soon("the message", || events::catch(amazon(), &NativeEvent::new(message)));
    assert_eq!(caught.events.len(), 2_000);
}

#[test]
fn endless_nesting_reaches_no_stack() {
    for (open, close) in
        [("[", "]"), ("{\"a\":", "}"), ("(", ")"), ("!", ""), ("-", ""), ("a?a:", ""), ("[1].map(x,", ")")]
    {
        for depth in [50, 500, 100_000] {
            let text = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            for provider in 0..4 {
                events::hold(&[&[provider, 0], text.as_bytes()].concat());
            }
            soon(open, || rules::hold(text.as_bytes()));
            soon(open, || rules::hold(format!("size(event.full_data) > 0\0{text}").as_bytes()));
        }
    }
    for operator in [" + 1", " || true", ".a", "[0]", " == 1", " ? 1 : 1", ", 1"] {
        soon(operator, || {
            rules::hold(format!("event{}", operator.repeat(4_000 / operator.len())).as_bytes())
        });
    }
}

#[test]
fn a_file_without_end_is_not_read_into_a_setting() {
    let Some(endless) = settings::endless() else { return };
    let text = format!("http:\n  token: ${{file:{}}}\n", endless.display());
    soon("the endless file", || settings::hold(text.as_bytes()));
}

#[test]
fn settings_with_a_hundred_errors_are_answered() {
    let mut text = String::from("ems_refresh:\n");
    for at in 0..100 {
        writeln!(text, "  nosuch{at}: {{refresh_interval: never}}").unwrap();
    }
    soon("a hundred errors", || settings::hold(text.as_bytes()));
}

#[test]
fn relations_that_fan_out_are_bounded() {
    let mut files = Vec::new();
    for level in 0..45 {
        let next = format!("/System/Event/EmsEvent/CLOUD/l{}", level + 1);
        let name = if level == 0 { "vm.start".to_owned() } else { format!("l{level}") };
        files.push(format!(
            "System/Event/EmsEvent/CLOUD.class/{name}.yaml\nobject_type: instance\nversion: 1.0\nobject:\n  attributes: {{name: {name}}}\n  fields:\n  - rel1: {{value: {next}}}\n  - rel2: {{value: {next}}}\n"
        ));
    }
    soon("the fan", || automate::hold(files.join("\0").as_bytes()));
}

/// A native event of about 250 kB with a list, a long text, and a condition that goes through both.
fn verdict(condition: &str, items: usize) -> Option<Verdict> {
    let full_data = serde_json::json!({"list": vec![1; items], "long": "ab".repeat(80_000)}).to_string();
    soon(condition, || rules::verdict(condition, &rules::facts(&full_data)))
}

#[test]
fn no_condition_takes_long_whatever_the_event_holds() {
    for items in [300, 20_000] {
        for condition in [
            "event.full_data.list.exists(x, event.full_data.list.exists(y, x + y > 2))",
            "event.full_data.list.map(x, event.full_data.list.map(y, event.full_data.long + 'a')).size() > 1",
            "event.full_data.list.all(x, event.full_data.long.contains('abc'))",
            "event.full_data.list.map(x, event.full_data.long + 'a').size() > 1",
            "event.full_data.list.all(x, event.full_data.long.matches('(a|b|ab)*c'))",
            "event.full_data.list.map(x, event.full_data.list).size() > 1",
            "event.full_data.list.map(x, event.full_data.list + [x]).size() > 1",
            "event.full_data.list.map(x, string(event.full_data.list)).size() > 1",
        ] {
            assert!(verdict(condition, items).is_some(), "{condition}");
        }
    }
    for refused in ["[1].all(x, 'a'.matches('(\\\\w{20}){20}'))", "[1].all(x, 'a'.matches(vm.name))"] {
        assert_eq!(verdict(refused, 1), None, "its expression is compiled for every item");
    }
    let doubled = vec!["event.full_data.long"; 40].join(" + ");
    assert!(verdict(&format!("size({doubled}) > 1"), 1).is_some());
    let alternatives: Vec<String> = (0..80).map(|at| format!("event.event_type == 'vm.{at}'")).collect();
    assert!(verdict(&alternatives.join(" || "), 1).is_some(), "alternatives are balanced, and none too deep");
    let loops = vec!["[1, 2].map(x, event.full_data.long + 'a')"; 30].join(" + ");
    assert!(verdict(&format!("size({loops}) > 1"), 1).is_some());
}
