//! The outline reader of pages (`provider::json_text`), judged by a whole JSON parser.
//!
//! What must hold: whatever a parser takes, the reader cuts into the same parts; what it cuts is all there; and what
//! `check` lets pass, the VMDB can hold.

use catchall::provider::json_text;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Any bytes: the body of an answer.
pub fn hold(body: &[u8]) {
    elements(body);
    members(body);
    if let Ok(text) = std::str::from_utf8(body) {
        checked(text);
    }
}

fn elements(body: &[u8]) {
    let cut = json_text::elements(body);
    if let Some(parts) = &cut {
        let joined = [&b"["[..], &parts.join(&b","[..]), b"]"].concat();
        assert_eq!(json_text::elements(&joined).as_ref(), Some(parts), "what was cut can be cut again");
    }
    if let Ok(whole) = serde_json::from_slice::<Vec<&RawValue>>(body) {
        let whole: Vec<&[u8]> = whole.iter().map(|part| part.get().as_bytes()).collect();
        assert_eq!(cut.as_ref(), Some(&whole), "as a parser reads it");
    }
}

fn members(body: &[u8]) {
    let cut = json_text::members(body);
    for (_, value) in cut.iter().flatten() {
        assert!(!value.is_empty() && value.len() < body.len());
    }
    if body.trim_ascii_start().starts_with(b"{")
        && let Ok(whole) = serde_json::from_slice::<BTreeMap<String, &RawValue>>(body)
    {
        let cut: BTreeMap<String, &[u8]> = cut.expect("an object has members").into_iter().collect();
        let whole: BTreeMap<String, &[u8]> =
            whole.iter().map(|(name, value)| (name.clone(), value.get().as_bytes())).collect();
        assert_eq!(cut, whole, "as a parser reads it");
    }
}

fn checked(text: &str) {
    match (json_text::check(text), serde_json::from_str::<Value>(text)) {
        (Ok(()), Ok(value)) => assert!(!holds_nul(&value), "NUL passed"),
        (Ok(()), Err(error)) => {
            // Numbers of any size are kept as text, and one more level may be nested than we read into a tree.
            let error = error.to_string();
            let is_fine =
                ["number out of range", "recursion limit exceeded"].iter().any(|why| error.contains(why));
            assert!(is_fine, "{error}");
        }
        (Err(error), Ok(value)) => assert!(holds_nul(&value), "refused without need: {error}"),
        (Err(_), Err(_)) => {}
    }
}

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(entries) => entries.iter().any(|(name, value)| name.contains('\0') || holds_nul(value)),
        _ => false,
    }
}
