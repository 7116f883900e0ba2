//! The identity of an OpenStack event (`event_uid`). The rule is for ever: a change would store events twice.
//!
//! 1. The notification's `message_id`, which its publisher gives and every delivery repeats.
//! 2. oslo's `_unique_id`.
//! 3. The content of the message. Where one carries several notifications, the position in it is added as `#n`.
//!
//! Of a notification and its versioned twin the first one's counts; the other never comes here.

use super::super::envelope::{Body, text};
use crate::provider::event_uid;
use std::cell::LazyCell;

/// The uid of `notification`. `around` is the identity of the whole message, worked out once since it is a hash of all of it;
/// `position` counts from 1 where there are several.
pub(super) fn event_uid(
    notification: &Body,
    around: &LazyCell<String, impl FnOnce() -> String>,
    position: Option<usize>,
) -> String {
    let own = text(notification, &["message_id"]).or_else(|| text(notification, &["_unique_id"]));
    event_uid::bounded(match (own, position) {
        (Some(own), _) => own.to_owned(),
        (None, Some(position)) => format!("{}#{position}", **around),
        (None, None) => (**around).clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::NativeEvent;
    use serde_json::{Value, json};

    fn uid(notification: &Value, position: Option<usize>) -> String {
        let native = NativeEvent::new(notification.to_string());
        let around = LazyCell::new(|| event_uid::of_content(&native));
        event_uid(notification.as_object().unwrap(), &around, position)
    }

    #[test]
    fn the_publishers_message_id_identifies() {
        let both = json!({"message_id": "m", "_unique_id": "u"});
        assert_eq!(uid(&both, None), "m");
        assert_eq!(uid(&both, Some(2)), "m", "an id of its own needs no position");
        assert_eq!(uid(&json!({"message_id": " ", "_unique_id": "u"}), None), "u");
    }

    #[test]
    fn without_any_id_the_content_identifies() {
        let one = uid(&json!({"event_type": "x", "payload": {"a": 1}}), None);
        assert!(one.starts_with("sha256:"));
        assert_eq!(uid(&json!({"payload": {"a": 1.0}, "event_type": "x"}), None), one);
        assert_eq!(uid(&json!({"event_type": "x", "payload": {"a": 1}}), Some(2)), format!("{one}#2"));
    }

    #[test]
    fn an_id_longer_than_the_column_is_hashed() {
        let uid = uid(&json!({"message_id": "m".repeat(256)}), None);
        assert_eq!(uid.len(), "sha256:".len() + 64);
    }
}
