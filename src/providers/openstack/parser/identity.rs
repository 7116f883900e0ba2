//! The identity of an OpenStack event (`event_uid`). The rule is for ever: a change would store events twice.
//!
//! 1. What the stream says, when it knows: of a versioned notification, the `message_id` of its unversioned twin.
//! 2. The notification's `message_id`, which its publisher gives and every delivery repeats.
//! 3. oslo's `_unique_id`; at last the content. Where one message carries several, the position in it is added as `#n`.

use super::super::envelope::{Body, text};
use crate::provider::{NativeEvent, event_uid};

/// The uid of `notification` out of `native`; `position` counts from 1 where there are several.
pub(super) fn event_uid(native: &NativeEvent, notification: &Body, position: Option<usize>) -> String {
    let told = native.transport_id.as_deref().filter(|id| !id.trim().is_empty());
    let own = || text(notification, &["message_id"]).or_else(|| text(notification, &["_unique_id"]));
    let numbered = |uid: &str| match position {
        Some(position) => format!("{uid}#{position}"),
        None => uid.to_owned(),
    };
    event_uid::bounded(match (told, own()) {
        (Some(told), _) => numbered(told),
        (None, Some(own)) => own.to_owned(),
        (None, None) => numbered(&event_uid::of_content(native)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn uid(notification: &Value, told: Option<&str>, position: Option<usize>) -> String {
        let native = NativeEvent {
            text: notification.to_string(),
            transport_id: told.map(str::to_owned),
            defect: None,
        };
        event_uid(&native, notification.as_object().unwrap(), position)
    }

    #[test]
    fn the_publishers_message_id_identifies_and_a_twin_takes_the_others() {
        let both = json!({"message_id": "m", "_unique_id": "u"});
        assert_eq!(uid(&both, None, None), "m");
        assert_eq!(uid(&both, Some("twin"), None), "twin");
        assert_eq!(uid(&both, Some(" "), Some(2)), "m", "an id of its own needs no position");
        assert_eq!(uid(&json!({"message_id": " ", "_unique_id": "u"}), None, None), "u");
    }

    #[test]
    fn without_any_id_the_content_identifies() {
        let one = uid(&json!({"event_type": "x", "payload": {"a": 1}}), None, None);
        assert!(one.starts_with("sha256:"));
        assert_eq!(uid(&json!({"payload": {"a": 1.0}, "event_type": "x"}), None, None), one);
        assert_eq!(uid(&json!({"event_type": "x", "payload": {"a": 1}}), None, Some(2)), format!("{one}#2"));
    }

    #[test]
    fn an_id_longer_than_the_column_is_hashed() {
        let uid = uid(&json!({"message_id": "m".repeat(256)}), None, None);
        assert_eq!(uid.len(), "sha256:".len() + 64);
    }
}
