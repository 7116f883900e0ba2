//! Recorded JSON, mangled: fields dropped, replaced, copied elsewhere, nested, and texts that are JSON and yet hold what no
//! database does.

use proptest::prelude::*;
use serde_json::Value;
use std::path::Path;

/// Stands for a piece of [`ODD`] until the value is text.
const MARK: &str = "\u{E000}";

/// Pieces of JSON that people forget.
const ODD: &[&str] = &[
    "null",
    "true",
    "{}",
    "[]",
    r#""""#,
    r#"" ""#,
    r#""\u0000""#,
    r#""\ud800""#,
    r#""\udc00\ud800""#,
    r#""\ud83d\ude00""#,
    r#""\\u0000""#,
    "1e999",
    "-1e-999",
    "-0",
    "1.0",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775809",
    "123456789012345678901234567890.5",
    r#"{"id":"a","id":"b"}"#,
    r#""9999-12-31T23:59:59-23:59""#,
    r#""0000-01-01T00:00:00Z""#,
    r#""0001-01-01T00:00:00+23:59""#,
    r#""2016-12-31T23:59:60.5Z""#,
    r#""+275760-09-13T00:00:00Z""#,
    r#""2026-11-24T10:00:00.000+0000""#,
    r#""com.awesome-cloud.host.resume""#,
    r#""AwsApiCall""#,
    r#""4ae6cc29-5b3a-41f4-b3d8-964b38dc9568""#,
    r#"["com.awesome-cloud.vm.create"]"#,
];

/// One change of a value.
#[derive(Clone, Debug)]
enum Change {
    Drop,
    Odd(usize),
    Long(usize),
    Nest(usize),
    Twice,
    CopyFrom(usize),
    Text(String),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        3 => Just(Change::Drop),
        6 => (0..ODD.len()).prop_map(Change::Odd),
        1 => (200_usize..70_000).prop_map(Change::Long),
        1 => (1_usize..140).prop_map(Change::Nest),
        1 => Just(Change::Twice),
        3 => any::<usize>().prop_map(Change::CopyFrom),
        2 => "\\PC{0,12}|[\\x00-\\x20]{1,4}".prop_map(Change::Text),
    ]
}

/// Recorded lines of every provider of the registry, with the byte that chooses it.
pub fn recorded() -> Vec<(u8, String)> {
    let folder = |provider: &dyn catchall::provider::Provider| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/providers");
        root.join(provider.ems_type()).join("fixtures/events.jsonl")
    };
    let mut lines = Vec::new();
    for (at, provider) in catchall::providers::PROVIDERS.iter().enumerate() {
        let text = std::fs::read_to_string(folder(*provider)).expect("every provider has fixtures");
        lines.extend(text.lines().map(|line| (u8::try_from(at).unwrap(), line.to_owned())));
    }
    lines
}

/// A recorded event with a few changes, and the byte that chooses its provider.
pub fn event() -> impl Strategy<Value = (u8, String)> {
    let changes = prop::collection::vec((any::<usize>(), change()), 0..5);
    (prop::sample::select(recorded()), changes, prop::option::weighted(0.1, (any::<usize>(), any::<char>())))
        .prop_map(|((provider, line), changes, slip)| {
            let mut value: Value = serde_json::from_str(&line).expect("recorded JSON");
            for (place, change) in changes {
                apply(&mut value, place, &change);
            }
            (provider, slipped(text(&value), slip))
        })
}

/// A character somewhere replaced, so that it is mostly no JSON any more.
fn slipped(text: String, slip: Option<(usize, char)>) -> String {
    let Some((place, character)) = slip else { return text };
    let mut characters: Vec<char> = text.chars().collect();
    let place = place % characters.len();
    characters[place] = character;
    characters.into_iter().collect()
}

/// JSON text, with the odd pieces in their places.
fn text(value: &Value) -> String {
    let mut text = value.to_string();
    for (at, odd) in ODD.iter().enumerate() {
        text = text.replace(&format!("\"{MARK}{at}\""), odd);
    }
    text
}

fn apply(root: &mut Value, place: usize, change: &Change) {
    let count = count(root);
    let other = match change {
        Change::CopyFrom(other) => nth(root, &mut (other % count)).map(|found| found.clone()),
        _ => None,
    };
    if matches!(change, Change::Drop) {
        drop_nth(root, &mut (place % count));
    } else if let Some(value) = nth(root, &mut (place % count)) {
        *value = changed(value, change, other);
    }
}

fn changed(value: &Value, change: &Change, other: Option<Value>) -> Value {
    match change {
        Change::Drop => Value::Null,
        Change::Odd(at) => Value::from(format!("{MARK}{at}")),
        Change::Long(length) => Value::from("é".repeat(length / 2)),
        Change::Nest(depth) => (0..*depth).fold(value.clone(), |inner, _| Value::from(vec![inner])),
        Change::Twice => Value::from(vec![value.clone(), value.clone()]),
        Change::CopyFrom(_) => other.unwrap_or_default(),
        Change::Text(text) => Value::from(text.as_str()),
    }
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(entries) => entries.values().map(count).sum(),
        _ => 0,
    }
}

/// The value so many steps further, in the order of the text.
fn nth<'a>(value: &'a mut Value, steps: &mut usize) -> Option<&'a mut Value> {
    if *steps == 0 {
        return Some(value);
    }
    *steps -= 1;
    match value {
        Value::Array(items) => items.iter_mut().find_map(|item| nth(item, steps)),
        Value::Object(entries) => entries.values_mut().find_map(|entry| nth(entry, steps)),
        _ => None,
    }
}

fn drop_nth(value: &mut Value, steps: &mut usize) {
    if let Value::Object(entries) = value {
        for name in entries.keys().cloned().collect::<Vec<_>>() {
            *steps = steps.wrapping_sub(1);
            if *steps == 0 {
                entries.remove(&name);
                return;
            }
            if let Some(entry) = entries.get_mut(&name) {
                drop_nth(entry, steps);
            }
        }
    }
}
