//! The outline reader of pages (`provider::json_text`), judged by a whole JSON parser.
//!
//! What must hold: whatever a parser takes, the reader cuts into the same parts; what it cuts is all there; and what
//! `check` lets pass, the VMDB can hold.

use catchall::provider::json_text;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fmt;

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
    match (json_text::check(text), serde_json::from_str::<HoldsNul>(text)) {
        (Ok(()), Ok(HoldsNul(nul))) => assert!(!nul, "NUL passed"),
        (Ok(()), Err(error)) => {
            // Numbers of any size are kept as text, and one more level may be nested than we read into a tree.
            let error = error.to_string();
            let is_fine =
                ["number out of range", "recursion limit exceeded"].iter().any(|why| error.contains(why));
            assert!(is_fine, "{error}");
        }
        (Err(error), Ok(HoldsNul(nul))) => assert!(nul, "refused without need: {error}"),
        (Err(_), Err(_)) => {}
    }
}

/// Whether a name or a text holds NUL. Entries whose name comes again count too: the VMDB gets the text as it is, and no
/// tree would hold them.
struct HoldsNul(bool);

impl<'de> Deserialize<'de> for HoldsNul {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Look).map(Self)
    }
}

struct Look;

impl<'de> Visitor<'de> for Look {
    type Value = bool;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON")
    }

    fn visit_str<E>(self, text: &str) -> Result<bool, E> {
        Ok(text.contains('\0'))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<bool, A::Error> {
        let mut nul = false;
        while let Some(HoldsNul(of_item)) = items.next_element()? {
            nul |= of_item;
        }
        Ok(nul)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<bool, A::Error> {
        let mut nul = false;
        while let Some((HoldsNul(of_name), HoldsNul(of_value))) = entries.next_entry()? {
            nul |= of_name | of_value;
        }
        Ok(nul)
    }

    fn visit_bool<E>(self, _: bool) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_i64<E>(self, _: i64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_u64<E>(self, _: u64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_f64<E>(self, _: f64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }
}
