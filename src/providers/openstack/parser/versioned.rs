//! Nova's versioned notifications (`nova_object.*` payloads) in the words of the unversioned ones.
//!
//! Whatever has an unversioned twin gets exactly its event type; what Nova sends only versioned keeps its own action behind
//! the prefix of its kind (`instance.lock` → `compute.instance.lock`). Facts: Nova's `NotificationAction` and its list of
//! legacy event types.

use super::super::envelope::{Body, at, text};
use serde_json::{Map, Value, json};
use std::borrow::Cow;

const DATA: &str = "nova_object.data";

/// Versioned action of an instance → unversioned, where they differ by more than the prefix.
const INSTANCE_ACTIONS: &[(&str, &str)] = &[
    ("live_migration_abort", "live.migration.abort"),
    ("live_migration_force_complete", "live.migration.force.complete"),
    ("live_migration_post", "live_migration._post"),
    ("live_migration_post_dest", "live_migration.post.dest"),
    ("live_migration_pre", "live_migration.pre"),
    ("live_migration_rollback", "live_migration._rollback"),
    ("live_migration_rollback_dest", "live_migration.rollback.dest"),
    ("rebuild_scheduled", "rebuild.scheduled"),
    ("resize_confirm", "resize.confirm"),
    ("resize_finish", "finish_resize"),
    ("resize_prep", "resize.prep"),
    ("resize_revert", "resize.revert"),
];

/// Versioned event type → unversioned, for everything but instances.
const OTHERS: &[(&str, &str)] = &[
    ("aggregate.add_host.", "aggregate.addhost."),
    ("aggregate.remove_host.", "aggregate.removehost."),
    ("aggregate.update_metadata.", "aggregate.updatemetadata."),
    ("aggregate.update_prop.", "aggregate.updateprop."),
    ("server_group.add_member", "servergroup.addmember"),
    ("server_group.", "servergroup."),
    ("metrics.update", "compute.metrics.update"),
    ("libvirt.connect.error", "compute.libvirt.error"),
];

/// Whether this payload is a versioned one.
pub(in super::super) fn is_versioned(payload: &Body) -> bool {
    payload.contains_key("nova_object.name") && payload.get(DATA).is_some_and(Value::is_object)
}

/// The event type that the unversioned twin has, or would have.
pub(in super::super) fn unversioned_type<'a>(event_type: &'a str, payload: &'a Body) -> Cow<'a, str> {
    if let Some(rest) = event_type.strip_prefix("instance.") {
        return Cow::Owned(format!("compute.instance.{}", instance_action(rest)));
    }
    // The twin is called like the function that failed.
    if event_type == "compute.exception" {
        return Cow::Borrowed(text(payload, &[DATA, "function_name"]).unwrap_or(event_type));
    }
    if let (true, Some(task)) = (event_type.starts_with("compute_task."), event_type.strip_suffix(".error")) {
        return Cow::Borrowed(task);
    }
    for (versioned, unversioned) in OTHERS {
        if let Some(rest) = event_type.strip_prefix(versioned) {
            return Cow::Owned(format!("{unversioned}{rest}"));
        }
    }
    Cow::Borrowed(event_type)
}

fn instance_action(rest: &str) -> Cow<'_, str> {
    match rest {
        // Unversioned, a volume is told of only once, when it is there or gone.
        "volume_attach.end" => return Cow::Borrowed("volume.attach"),
        "volume_detach.end" => return Cow::Borrowed("volume.detach"),
        _ => {}
    }
    let (action, phase) = rest.split_once('.').map_or((rest, None), |(action, phase)| (action, Some(phase)));
    match (INSTANCE_ACTIONS.iter().find(|(versioned, _)| *versioned == action), phase) {
        (Some((_, unversioned)), Some(phase)) => Cow::Owned(format!("{unversioned}.{phase}")),
        (Some((_, unversioned)), None) => Cow::Borrowed(unversioned),
        (None, _) => Cow::Borrowed(rest),
    }
}

/// Takes the objects of the payload out of their wrappings, and says beside their own fields what an unversioned payload
/// of that event type says, so that references and rules find the same fields in both.
pub(super) fn flatten(notification: &mut Body, unversioned_type: &str) {
    let Some(Value::Object(mut wrapped)) = notification.remove("payload") else { return };
    let mut payload = match wrapped.remove(DATA).map(unwrapped) {
        Some(Value::Object(data)) => data,
        _ => Map::new(),
    };
    let kind = unversioned_type.split('.').next().unwrap_or_default();
    for (from, to) in copies(kind, unversioned_type) {
        let value = at(&payload, from).cloned();
        if let (Some(value), false) = (value, payload.contains_key(*to)) {
            payload.insert((*to).to_owned(), value);
        }
    }
    if unversioned_type.starts_with("compute.instance.") {
        add_addresses(&mut payload);
    }
    // Whose key pair it is stands only in the context.
    if let ("keypair", Some(project)) = (kind, notification.get("_context_project_id")) {
        payload.insert("tenant_id".to_owned(), project.clone());
    }
    payload.append(&mut wrapped);
    notification.insert("payload".to_owned(), Value::Object(payload));
}

/// `value` without the wrapping of objects, at any depth.
fn unwrapped(value: Value) -> Value {
    match value {
        Value::Object(mut object) => match object.remove(DATA) {
            Some(data @ Value::Object(_)) if object.contains_key("nova_object.name") => unwrapped(data),
            Some(data) => {
                object.insert(DATA.to_owned(), data);
                Value::Object(object)
            }
            None => Value::Object(object.into_iter().map(|(key, value)| (key, unwrapped(value))).collect()),
        },
        Value::Array(items) => Value::Array(items.into_iter().map(unwrapped).collect()),
        value => value,
    }
}

/// Where a versioned payload says what an unversioned one says under another name.
fn copies(kind: &str, unversioned_type: &str) -> &'static [(&'static [&'static str], &'static str)] {
    match kind {
        "compute" if unversioned_type.starts_with("compute.instance.") => &[
            (&["uuid"], "instance_id"),
            (&["host_name"], "hostname"),
            (&["flavor", "name"], "instance_type"),
            (&["flavor", "flavorid"], "instance_flavor_id"),
            (&["flavor", "memory_mb"], "memory_mb"),
            (&["flavor", "vcpus"], "vcpus"),
            (&["flavor", "root_gb"], "root_gb"),
            (&["flavor", "ephemeral_gb"], "ephemeral_gb"),
            (&["task_state"], "state_description"),
            (&["state_update", "old_state"], "old_state"),
            (&["state_update", "old_task_state"], "old_task_state"),
            (&["state_update", "new_task_state"], "new_task_state"),
            (&["audit_period", "audit_period_beginning"], "audit_period_beginning"),
            (&["audit_period", "audit_period_ending"], "audit_period_ending"),
            (&["fault", "exception_message"], "message"),
            (&["fault", "exception"], "exception"),
        ],
        "compute_task" | "volume" => &[(&["instance_uuid"], "instance_id")],
        "keypair" => &[(&["name"], "key_name")],
        "aggregate" => &[(&["id"], "aggregate_id"), (&["metadata"], "meta_data")],
        "servergroup" => &[(&["uuid"], "server_group_id")],
        _ => &[],
    }
}

fn add_addresses(payload: &mut Body) {
    let Some(addresses) = payload.get("ip_addresses").and_then(Value::as_array) else { return };
    let fixed_ips = addresses.iter().map(|ip| {
        json!({"label": ip["label"], "vif_mac": ip["mac"], "version": ip["version"],
               "address": ip["address"], "type": "fixed"})
    });
    let fixed_ips = Value::Array(fixed_ips.collect());
    payload.entry("fixed_ips").or_insert(fixed_ips);
}

#[cfg(test)]
mod tests;
