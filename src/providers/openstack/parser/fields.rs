//! What a notification is about and who asked for it, as columns of the event.

use super::super::envelope::{Body, at, text};
use crate::provider::EmsEvent;
use serde_json::Value;

/// The one service whose host is a host of the inventory.
pub(in super::super) const COMPUTE_SERVICE: &str = "nova-compute";

/// Fills everything but identity, type, time and `full_data`. Secrets are blanked already.
pub(super) fn fill(event: &mut EmsEvent, notification: &Body) {
    let at = |path: &[&str]| text(notification, path).map(str::to_owned);
    event.message = message(notification.get("payload"));
    event.username = username(notification).map(str::to_owned);
    event.vm_ems_ref = vm_ems_ref(notification).map(str::to_owned);
    if event.vm_ems_ref.is_some() && event.event_type.starts_with("compute.instance") {
        event.vm_name = at(&["payload", "display_name"]);
    }
    // Cinder's `host` names a storage back end, `host@back end#pool`.
    event.host_ems_ref = at(&["payload", "host"]).filter(|host| !host.contains('@'));
    if event.event_type.starts_with("service.")
        && at(&["payload", "binary"]).as_deref() != Some(COMPUTE_SERVICE)
    {
        event.host_ems_ref = None;
    }
    if ["compute", "service"].contains(&event.event_type.split('.').next().unwrap_or_default()) {
        event.host_name.clone_from(&event.host_ems_ref);
    }
    event.availability_zone_ems_ref = at(&["payload", "availability_zone"]);
    event.chain_id = text(notification, &["payload", "reservation_id"]).and_then(chain_id);
}

/// The whole payload as JSON text; a payload that is text stands as it is.
fn message(payload: Option<&Value>) -> Option<String> {
    match payload? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        payload => Some(payload.to_string()),
    }
}

/// The server that the notification is about, by whichever service it was sent.
fn vm_ems_ref(notification: &Body) -> Option<&str> {
    const PATHS: [&[&str]; 3] = [
        &["payload", "instance_id"],
        &["payload", "instance_uuid"],
        &["payload", "request_spec", "instance_properties", "uuid"],
    ];
    PATHS.iter().find_map(|path| text(notification, path)).or_else(|| {
        let owner = text(notification, &["payload", "port", "device_owner"]);
        let device = text(notification, &["payload", "port", "device_id"]);
        device.filter(|_| owner.is_some_and(|owner| owner.starts_with("compute:")))
    })
}

/// Who asked: by name where a name is told, else by id. Never the owner of the thing, who may be another.
fn username(notification: &Body) -> Option<&str> {
    const PATHS: [&[&str]; 8] = [
        &["_context_user_name"],
        // Heat's.
        &["_context_username"],
        // Keystone's audit records.
        &["payload", "initiator", "username"],
        &["payload", "initiator", "name"],
        &["_context_user_id"],
        &["_context_user"],
        &["payload", "initiator", "user_id"],
        // As versioned notifications, kept with an event by another transport, tell it.
        &["payload", "action_initiator_user"],
    ];
    PATHS.iter().find_map(|path| text(notification, path))
}

/// Nova's reservation id as a number, one for each id: the column is a number, and ManageIQ's cast makes 0 of every id.
///
/// `r-` and eight letters and digits, read as a number with base 36 behind a leading 1. What looks otherwise is no chain.
fn chain_id(reservation_id: &str) -> Option<i64> {
    let digits = reservation_id.strip_prefix("r-").filter(|digits| (1..=11).contains(&digits.len()))?;
    if !digits.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()) {
        return None;
    }
    i64::from_str_radix(&format!("1{digits}"), 36).ok()
}

/// The project that owns what the notification is about, or that the one who asked for it was in; as ManageIQ looks for
/// it, and then where raw notifications hold it.
pub(in super::super) fn project<'a>(payload: &'a Body, event_type: &str) -> Option<&'a str> {
    const PATHS: [&[&str]; 5] = [
        &["tenant_id"],
        &["project_id"],
        &["initiator", "project_id"],
        &["request_spec", "instance_properties", "project_id"],
        &["request_spec", "project_id"],
    ];
    PATHS.iter().find_map(|path| text(payload, path)).or_else(|| {
        // Neutron nests the object under its name.
        let object = at(payload, &[event_type.split('.').next()?])?.as_object()?;
        text(object, &["tenant_id"]).or_else(|| text(object, &["project_id"]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_reservation_is_a_chain_of_its_own() {
        assert_eq!(chain_id("r-1"), Some(37));
        assert_eq!(chain_id("r-qswuekyq"), i64::from_str_radix("1qswuekyq", 36).ok());
        assert_ne!(chain_id("r-0abc"), chain_id("r-abc"));
        assert!(chain_id("r-zzzzzzzzzzz").is_some());
        for other in ["", "r-", "x-1", "r-A", "r-+1", "r-zzzzzzzzzzzz", "r-ä"] {
            assert_eq!(chain_id(other), None, "{other}");
        }
    }

    #[test]
    fn the_name_of_who_asked_comes_before_the_id() {
        let who = |notification: Value| username(notification.as_object().unwrap()).map(str::to_owned);
        assert_eq!(who(json!({"_context_user_name": "ada", "_context_user_id": "1"})), Some("ada".into()));
        assert_eq!(who(json!({"_context_user_name": null, "_context_user_id": "1"})), Some("1".into()));
        let audit = json!({"payload": {"initiator": {"user_id": "1", "username": "ada"}}});
        assert_eq!(who(audit), Some("ada".into()));
        assert_eq!(who(json!({"payload": {"user_id": "owner"}})), None);
    }

    #[test]
    fn a_port_of_a_server_is_about_that_server_and_a_routers_is_not() {
        let vm = |port: Value| {
            vm_ems_ref(json!({"payload": {"port": port}}).as_object().unwrap()).map(str::to_owned)
        };
        assert_eq!(vm(json!({"device_owner": "compute:nova", "device_id": "i"})), Some("i".into()));
        assert_eq!(vm(json!({"device_owner": "network:router_interface", "device_id": "r"})), None);
        assert_eq!(vm(json!({"device_owner": "compute:nova", "device_id": ""})), None);
    }
}
