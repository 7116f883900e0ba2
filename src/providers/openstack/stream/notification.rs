//! The few things that the stream reads of a notification: when it was sent, and what tells its twin. Pure.
//!
//! What is no notification has none of them; that is for the parser to say.

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::Deserialize;
use std::borrow::Cow;

/// A body with the notification as a text inside, as `driver = messagingv2` sends it.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, rename = "oslo.message")]
    message: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Sent<'a> {
    #[serde(borrow)]
    timestamp: Option<Cow<'a, str>>,
}

/// When the notification in `body` was sent, by its sender's clock.
pub(super) fn sent_at(body: &str) -> Option<DateTime<Utc>> {
    let sent = |text: &str| {
        let sent = serde_json::from_str::<Sent<'_>>(text).ok()?;
        time(&sent.timestamp?)
    };
    match serde_json::from_str::<Envelope<'_>>(body).ok()?.message {
        Some(message) => sent(&message),
        None => sent(body),
    }
}

/// `2026-11-22 10:56:24.962305`, UTC without a zone; forms with `T` and with a zone occur too.
fn time(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.to_utc());
    }
    let form = if text.contains('T') { "%Y-%m-%dT%H:%M:%S%.f" } else { "%Y-%m-%d %H:%M:%S%.f" };
    NaiveDateTime::parse_from_str(text, form).ok().map(|time| time.and_utc())
}

/// What makes a notification of Nova's the twin of another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Likeness {
    /// oslo.messaging's id of the message.
    pub(super) id: uuid::Uuid,
    /// Of what happened: twins have the same.
    pub(super) key: u64,
    pub(super) versioned: bool,
    /// Whole seconds since 1970.
    pub(super) second: u32,
}

#[derive(Deserialize)]
struct Notification<'a> {
    #[serde(borrow)]
    message_id: Cow<'a, str>,
    #[serde(borrow)]
    event_type: Cow<'a, str>,
    #[serde(borrow)]
    timestamp: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "_context_request_id")]
    request_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    payload: Payload<'a>,
}

#[derive(Deserialize)]
struct Payload<'a> {
    #[serde(borrow)]
    instance_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    old_state: Option<Cow<'a, str>>,
    #[serde(borrow)]
    state: Option<Cow<'a, str>>,
    #[serde(borrow)]
    old_task_state: Option<Cow<'a, str>>,
    #[serde(borrow)]
    new_task_state: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "nova_object.data")]
    data: Option<Data<'a>>,
}

/// The payload proper of a versioned notification.
#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    uuid: Option<Cow<'a, str>>,
    #[serde(borrow)]
    instance_uuid: Option<Cow<'a, str>>,
    #[serde(borrow)]
    state_update: Option<StateUpdate<'a>>,
    /// Of an exception: the unversioned twin is called like the function that failed.
    #[serde(borrow)]
    function_name: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct StateUpdate<'a> {
    #[serde(borrow, rename = "nova_object.data")]
    data: States<'a>,
}

/// Of an update: two updates of one request look alike without them.
#[derive(Default, Deserialize)]
struct States<'a> {
    #[serde(borrow)]
    old_state: Option<Cow<'a, str>>,
    #[serde(borrow)]
    state: Option<Cow<'a, str>>,
    #[serde(borrow)]
    old_task_state: Option<Cow<'a, str>>,
    #[serde(borrow)]
    new_task_state: Option<Cow<'a, str>>,
}

impl Likeness {
    /// Of the notification in `body`. `None` of one that can have no twin: it has no id that is a UUID, no time, or nothing that
    /// says of what request or instance it tells.
    pub(super) fn of(body: &str) -> Option<Self> {
        match serde_json::from_str::<Envelope<'_>>(body).ok()?.message {
            Some(message) => Self::of_notification(&message),
            None => Self::of_notification(body),
        }
    }

    fn of_notification(text: &str) -> Option<Self> {
        let Notification { message_id, event_type, timestamp, request_id, payload } =
            serde_json::from_str(text).ok()?;
        let versioned = payload.data.is_some();
        let failed = payload.data.as_ref().and_then(|data| data.function_name.clone());
        let event_type = failed.filter(|_| event_type == "compute.exception").unwrap_or(event_type);
        let (instance, states) = match payload.data {
            Some(data) => (
                data.uuid.or(data.instance_uuid),
                data.state_update.map(|update| update.data).unwrap_or_default(),
            ),
            None => {
                let Payload { old_state, state, old_task_state, new_task_state, .. } = payload;
                (payload.instance_id, States { old_state, state, old_task_state, new_task_state })
            }
        };
        let kind = kind(&event_type, versioned);
        // Things without an instance, such as key pairs, are told by their request: one call of the API, one thing.
        let instance = instance.filter(|_| kind.starts_with("instance"));
        if request_id.is_none() && instance.is_none() {
            return None;
        }
        let States { old_state, state, old_task_state, new_task_state } = match kind.as_str() {
            "instanceupdate" => states,
            _ => States::default(),
        };
        let facts = [request_id, instance, old_state, state, old_task_state, new_task_state];
        let facts = facts.iter().map(|fact| fact.as_deref().unwrap_or_default());
        Some(Self {
            id: uuid::Uuid::try_parse(&message_id).ok()?,
            key: key(std::iter::once(kind.as_str()).chain(facts)),
            versioned,
            second: u32::try_from(time(&timestamp?)?.timestamp()).ok()?,
        })
    }
}

/// What the event types of twins have in common: `compute.instance.resize.prep.start` and `instance.resize_prep.start`.
fn kind(event_type: &str, versioned: bool) -> String {
    let letters = event_type.chars().filter(char::is_ascii_alphanumeric);
    let letters: String = match event_type.strip_prefix("compute.") {
        Some(_) if !versioned => letters.skip("compute".len()).collect(),
        _ => letters.collect(),
    };
    // Where Nova turned the words around, or tells both ends of what it told once.
    match (versioned, letters.as_str()) {
        (false, "instancefinishresizestart") => "instanceresizefinishstart".to_owned(),
        (false, "instancefinishresizeend") => "instanceresizefinishend".to_owned(),
        (false, "instancefinishresizeerror") => "instanceresizefinisherror".to_owned(),
        (false, "libvirterror") => "libvirtconnecterror".to_owned(),
        (true, "instancevolumeattachend") => "instancevolumeattach".to_owned(),
        (true, "instancevolumedetachend") => "instancevolumedetach".to_owned(),
        (false, task) if task.starts_with("computetask") && !task.ends_with("error") => {
            format!("{task}error")
        }
        _ => letters,
    }
}

/// FNV-1a, which is the same in every version: keys are kept in the cursor.
fn key<'a>(parts: impl Iterator<Item = &'a str>) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for part in parts {
        for byte in part.bytes().chain(std::iter::once(0xff)) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn envelope(inner: &Value) -> String {
        json!({"oslo.version": "2.0", "oslo.message": inner.to_string()}).to_string()
    }

    fn unversioned(event_type: &str, payload: Value) -> Value {
        json!({"message_id": "33ad4382-0931-4d43-af0b-c13d5d8f74ed", "event_type": event_type, "payload": payload,
            "timestamp": "2026-11-22 11:25:32.510776", "_context_request_id": "req-1"})
    }

    fn versioned(event_type: &str, data: Value) -> Value {
        let payload = json!({"nova_object.name": "P", "nova_object.data": data});
        json!({"message_id": "ac2211ff-ca61-47f6-89df-ce9a897ac589", "event_type": event_type, "payload": payload,
            "timestamp": "2026-11-22 11:25:32.517716", "_context_request_id": "req-1"})
    }

    fn key_of(inner: &Value) -> u64 {
        Likeness::of(&envelope(inner)).unwrap().key
    }

    #[test]
    fn the_time_is_found_in_every_form() {
        let expected = DateTime::parse_from_rfc3339("2026-11-22T10:56:24.962305Z").unwrap();
        for text in
            ["2026-11-22 10:56:24.962305", "2026-11-22T10:56:24.962305", "2026-11-22T11:56:24.962305+01:00"]
        {
            let inner = json!({"timestamp": text, "payload": ["anything"]});
            assert_eq!(sent_at(&envelope(&inner)), Some(expected.to_utc()), "{text}");
            assert_eq!(sent_at(&inner.to_string()), Some(expected.to_utc()), "plain: {text}");
        }
        for none in ["no JSON", "[]", "{}", r#"{"timestamp": "soon"}"#, r#"{"oslo.message": "no JSON"}"#] {
            assert_eq!(sent_at(none), None, "{none}");
        }
    }

    #[test]
    fn twins_have_the_same_key_whatever_nova_calls_them() {
        for (old, new) in [
            ("compute.instance.create.start", "instance.create.start"),
            ("compute.instance.resize.prep.end", "instance.resize_prep.end"),
            ("compute.instance.finish_resize.end", "instance.resize_finish.end"),
            ("compute.instance.live_migration._post.start", "instance.live_migration_post.start"),
            ("compute.instance.live_migration.post.dest.end", "instance.live_migration_post_dest.end"),
            ("compute.instance.volume.attach", "instance.volume_attach.end"),
            ("compute.instance.rebuild.scheduled", "instance.rebuild_scheduled"),
            ("compute_task.build_instances", "compute_task.build_instances.error"),
            ("servergroup.create", "server_group.create"),
            ("aggregate.addhost.start", "aggregate.add_host.start"),
            ("scheduler.select_destinations.end", "scheduler.select_destinations.end"),
            ("compute.metrics.update", "metrics.update"),
            ("compute.libvirt.error", "libvirt.connect.error"),
            ("get_host_uptime", "compute.exception"),
        ] {
            let one = key_of(&unversioned(old, json!({"instance_id": "i", "state": "active"})));
            assert_eq!(
                one,
                key_of(&versioned(new, json!({"uuid": "i", "function_name": "get_host_uptime"}))),
                "{old} {new}"
            );
        }
    }

    #[test]
    fn another_instance_request_or_state_is_no_twin() {
        let update = |instance: &str, task: Value| {
            key_of(&unversioned(
                "compute.instance.update",
                json!({"instance_id": instance, "state": "building",
                "old_state": "building", "old_task_state": null, "new_task_state": task}),
            ))
        };
        let states = json!({"old_state": "building", "state": "building", "old_task_state": null, "new_task_state": "networking"});
        let data = json!({"uuid": "i", "state_update": {"nova_object.data": states}});
        let twin = key_of(&versioned("instance.update", data.clone()));
        assert_eq!(twin, update("i", json!("networking")));
        assert_ne!(twin, update("i", json!("spawning")));
        assert_ne!(twin, update("other", json!("networking")));
        let mut other = versioned("instance.update", data);
        other["_context_request_id"] = json!("req-2");
        assert_ne!(twin, key_of(&other));
        let start = versioned("instance.volume_attach.start", json!({"uuid": "i"}));
        let attach = unversioned("compute.instance.volume.attach", json!({"instance_id": "i"}));
        assert_ne!(key_of(&start), key_of(&attach));
    }

    #[test]
    fn what_says_too_little_has_no_twin() {
        let mut no_uuid = unversioned("compute.instance.exists", json!({"instance_id": "i"}));
        no_uuid["message_id"] = json!("1");
        let mut no_request = unversioned("keypair.create.start", json!({"key_name": "k"}));
        no_request.as_object_mut().unwrap().remove("_context_request_id");
        for inner in [no_uuid, no_request, json!({"payload": "text"}), json!([])] {
            assert_eq!(Likeness::of(&envelope(&inner)), None, "{inner}");
        }
    }
}
