//! The identity of an event (`event_streams.event_uid`): what every provider's rule has in common.
//!
//! A provider says which of its own ids identifies an event. Here is only what is left then: an id too long for the
//! column is hashed, and a native event that nothing identifies is identified by its content. The rules never change
//! between versions, since an event that is read again under another uid would be stored twice.

use super::NativeEvent;
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// The longest uid that is stored as it is, in bytes.
pub const MAX_BYTES: usize = 255;

/// `uid` itself, or `sha256:` and its hash when it is longer than [`MAX_BYTES`].
pub fn bounded(uid: impl Into<String>) -> String {
    let uid = uid.into();
    if uid.len() > MAX_BYTES { sha256(uid.as_bytes()) } else { uid }
}

/// `sha256:` over the RFC 8785 form of a native event, so that spaces and the order of keys make no other event. A text
/// that is no JSON is hashed as it stands.
pub fn of_content(native: &NativeEvent) -> String {
    let canonical = serde_json::from_str::<serde_json::Value>(&native.text)
        .and_then(|value| serde_json_canonicalizer::to_vec(&value));
    canonical.map_or_else(|_| sha256(native.text.as_bytes()), |bytes| sha256(&bytes))
}

fn sha256(bytes: &[u8]) -> String {
    let mut uid = String::from("sha256:");
    for byte in Sha256::digest(bytes) {
        // invariant: writing to a String cannot fail.
        let _ = write!(uid, "{byte:02x}");
    }
    uid
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_and_the_order_of_keys_make_no_other_event() {
        let one = of_content(&NativeEvent::new(r#"{"b": 1.0, "a": [true, "é"]}"#));
        let same = of_content(&NativeEvent::new("{\"a\":[true,\"\\u00e9\"],\n\"b\":1}"));
        let other = of_content(&NativeEvent::new(r#"{"a":[true,"e"],"b":1}"#));
        assert_eq!(one, same);
        assert_ne!(one, other);
        assert_eq!(one.len(), "sha256:".len() + 64);
    }

    #[test]
    fn the_hash_of_a_content_never_changes() {
        // printf '{"a":1}' | sha256sum
        assert_eq!(
            of_content(&NativeEvent::new(r#"{ "a": 1 }"#)),
            "sha256:015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"
        );
    }

    #[test]
    fn a_text_that_is_no_json_is_hashed_as_it_stands() {
        assert_ne!(of_content(&NativeEvent::new("not json")), of_content(&NativeEvent::new("not  json")));
    }

    #[test]
    fn a_uid_of_255_bytes_stays_and_a_longer_one_is_hashed() {
        let longest = "x".repeat(255);
        assert_eq!(bounded(longest.clone()), longest);
        assert!(bounded("x".repeat(256)).starts_with("sha256:"));
        assert!(bounded("é".repeat(128)).starts_with("sha256:"), "bytes count, not characters");
    }
}
