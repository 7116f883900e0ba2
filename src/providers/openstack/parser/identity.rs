//! The identity of an OpenStack event (`event_uid`). The rule is for ever: a change would store events twice.
//!
//! 1. What the stream says, when it knows: of a versioned notification, the `message_id` of its unversioned twin.
//! 2. The notification's `message_id`, which its publisher gives and every delivery repeats.
//! 3. oslo's `_unique_id`; at last the content. Where one message carries several, the position in it is added as `#n`.

use super::super::envelope::{Body, text};
use crate::provider::event_uid;
use std::cell::LazyCell;

/// The uid of `notification`. `told` is the stream's id, `around` the identity of the whole message, worked out once since
/// it is a hash of all of it; `position` counts from 1 where there are several.
pub(super) fn event_uid(
    told: Option<&str>,
    notification: &Body,
    around: &LazyCell<String, impl FnOnce() -> String>,
    position: Option<usize>,
) -> String {
    let told = told.filter(|id| !id.trim().is_empty());
    let own = || text(notification, &["message_id"]).or_else(|| text(notification, &["_unique_id"]));
    let numbered = |uid: &str| match position {
        Some(position) => format!("{uid}#{position}"),
        None => uid.to_owned(),
    };
    event_uid::bounded(match (told, own()) {
        (Some(told), _) => numbered(told),
        (None, Some(own)) => own.to_owned(),
        (None, None) => numbered(around),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::NativeEvent;
    use serde_json::{Value, json};

    fn uid(notification: &Value, told: Option<&str>, position: Option<usize>) -> String {
        let native = NativeEvent::new(notification.to_string());
        let around = LazyCell::new(|| event_uid::of_content(&native));
        event_uid(told, notification.as_object().unwrap(), &around, position)
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
