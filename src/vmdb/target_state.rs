//! What handlers write to the records that an event is about: power states, templates, snapshots, custom attributes, and the
//! scans that nothing here can do.

use super::dialect::Connection;
use super::state_changes::{self, NewChange};
use super::{Fields, VmdbError};
use crate::clock;
use crate::provider::EmsId;
use chrono::{DateTime, Utc};

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It has what was asked for.
    Done,
    /// It is not there.
    NoRecord,
    /// It is known to have changed after the event.
    Newer,
}

/// Gives the VM this `raw_power_state` and what it means as `power_state`, unless it changed after the event, which is
/// given by its id and time.
///
/// # Errors
/// See [`VmdbError`].
pub fn set_vm_state(
    connection: &mut Connection,
    id: i64,
    raw_power_state: &str,
    (event_id, changed_on): (i64, DateTime<Utc>),
) -> Result<Change, VmdbError> {
    let sql = "SELECT power_state, state_changed_on, coalesce(ems_id, archived_ems_id) FROM vms WHERE id = ?";
    let rows = connection.rows(sql, &[id.into()])?;
    let Some(row) = rows.first() else { return Ok(Change::NoRecord) };
    if row.time(1).is_some_and(|known| known > changed_on) {
        return Ok(Change::Newer);
    }
    let (before, after) = (row.string(0), power_state(raw_power_state));
    let now = clock::now();
    if before.as_deref() == Some(after) {
        let sql = "UPDATE vms SET raw_power_state = ?, updated_on = ? WHERE id = ?";
        connection.execute(sql, &[raw_power_state.into(), now.into(), id.into()])?;
        return Ok(Change::Done);
    }
    let sql = "UPDATE vms SET raw_power_state = ?, power_state = ?, previous_state = ?, state_changed_on = ?, \
               updated_on = ? WHERE id = ?";
    let values =
        [raw_power_state.into(), after.into(), (&before).into(), changed_on.into(), now.into(), id.into()];
    connection.execute(sql, &values)?;
    let told = ("power_state", before.as_deref(), Some(after));
    keep(connection, (row.integer(2), "VmOrTemplate", id), told, event_id)?;
    Ok(Change::Done)
}

/// What a handler changed is told as what a refresh changes; of a record that no EMS has or had, nobody asks.
fn keep(
    connection: &mut Connection,
    (ems_id, class, id): (Option<i64>, &'static str, i64),
    (attribute, before, after): (&'static str, Option<&str>, Option<&str>),
    event_id: i64,
) -> Result<(), VmdbError> {
    let (Some(ems_id), true) = (ems_id, before != after) else { return Ok(()) };
    let change = NewChange::of(EmsId(ems_id), class, id).saying(before, after);
    let change = NewChange { attribute, changed_on: clock::now(), event_id: Some(event_id), ..change };
    state_changes::keep(connection, &[change])
}

/// ManageIQ's `power_state` of a `raw_power_state`; `unknown` when nobody told what it means.
fn power_state(raw: &str) -> &'static str {
    match raw.to_ascii_lowercase().as_str() {
        "poweredon" | "on" | "up" | "running" | "active" => "on",
        "poweredoff" | "off" | "down" | "stopped" => "off",
        "suspended" => "suspended",
        "paused" => "paused",
        "never" => "never",
        _ => "unknown",
    }
}

/// Gives the host this state, because of this event; ManageIQ's `state` of a host is the column `power_state`.
///
/// # Errors
/// See [`VmdbError`].
pub fn set_host_state(
    connection: &mut Connection,
    id: i64,
    state: &str,
    event_id: i64,
) -> Result<Change, VmdbError> {
    let sql = "SELECT power_state, coalesce(ems_id, archived_ems_id) FROM hosts WHERE id = ?";
    let rows = connection.rows(sql, &[id.into()])?;
    let Some(row) = rows.first() else { return Ok(Change::NoRecord) };
    let sql = "UPDATE hosts SET power_state = ?, updated_on = ? WHERE id = ?";
    connection.execute(sql, &[state.into(), clock::now().into(), id.into()])?;
    let before = row.text(0).filter(|before| !before.is_empty());
    keep(connection, (row.integer(1), "Host", id), ("power_state", before, Some(state)), event_id)?;
    Ok(Change::Done)
}

/// Makes the VM a template, or the template a VM, because of this event: its class, its state and where it lies go with that.
///
/// # Errors
/// See [`VmdbError`].
pub fn set_template(
    connection: &mut Connection,
    id: i64,
    template: bool,
    event_id: i64,
) -> Result<Change, VmdbError> {
    let sql = "SELECT template, type, location, raw_power_state, power_state, coalesce(ems_id, archived_ems_id) \
               FROM vms WHERE id = ?";
    let rows = connection.rows(sql, &[id.into()])?;
    let Some(row) = rows.first() else { return Ok(Change::NoRecord) };
    if row.boolean(0).unwrap_or_default() == template {
        return Ok(Change::Done);
    }
    let class = row.string(1).map(|class| swap_end(&class, template, ("::Vm", "::Template")));
    let location = row.string(2).map(|location| swap_end(&location, template, (".vmx", ".vmtx")));
    let (raw, state) = state_as(row, template);
    let sql = "UPDATE vms SET template = ?, type = ?, location = ?, raw_power_state = ?, power_state = ?, \
               previous_state = ?, updated_on = ? WHERE id = ?";
    let values = [
        template.into(),
        (&class).into(),
        (&location).into(),
        (&raw).into(),
        (&state).into(),
        row.text(4).into(),
        clock::now().into(),
        id.into(),
    ];
    connection.execute(sql, &values)?;
    let (before, after) = (row.boolean(0).unwrap_or_default().to_string(), template.to_string());
    let told = ("template", Some(before.as_str()), Some(after.as_str()));
    keep(connection, (row.integer(5), "VmOrTemplate", id), told, event_id)?;
    Ok(Change::Done)
}

/// A template never runs; of a template that becomes a VM nobody knows yet whether it does.
fn state_as(row: &Fields, template: bool) -> (Option<String>, Option<String>) {
    let never = |index| row.text(index).is_none_or(|state| state == "never");
    match (template, never(3)) {
        (true, _) => (Some("never".to_owned()), Some("never".to_owned())),
        (false, true) => (Some("unknown".to_owned()), Some("unknown".to_owned())),
        (false, false) => (row.string(3), row.string(4)),
    }
}

fn swap_end(text: &str, template: bool, (vm, of_template): (&str, &str)) -> String {
    let (from, to) = if template { (vm, of_template) } else { (of_template, vm) };
    text.strip_suffix(from).map_or_else(|| text.to_owned(), |start| format!("{start}{to}"))
}

/// Deletes the records of the VM's snapshots; how many there were.
///
/// # Errors
/// See [`VmdbError`].
pub fn delete_snapshots(connection: &mut Connection, vm_id: i64) -> Result<usize, VmdbError> {
    connection.execute("DELETE FROM snapshots WHERE vm_or_template_id = ?", &[vm_id.into()])
}

/// Sets a custom attribute of the VM, as ManageIQ's `miq_custom_set` does (source `EVM`). Returns whether there is such a VM.
///
/// # Errors
/// See [`VmdbError`].
pub fn set_custom_attribute(
    connection: &mut Connection,
    vm_id: i64,
    name: &str,
    value: &str,
) -> Result<bool, VmdbError> {
    if connection.rows("SELECT id FROM vms WHERE id = ?", &[vm_id.into()])?.is_empty() {
        return Ok(false);
    }
    let sql = "UPDATE custom_attributes SET value = ? WHERE resource_type = 'VmOrTemplate' AND resource_id = ? \
               AND name = ? AND source = 'EVM'";
    if connection.execute(sql, &[value.into(), vm_id.into(), name.into()])? == 0 {
        let sql = "INSERT INTO custom_attributes (resource_type, resource_id, name, value, source) \
                   VALUES ('VmOrTemplate', ?, ?, ?, 'EVM')";
        connection.execute(sql, &[vm_id.into(), name.into(), value.into()])?;
    }
    Ok(true)
}

/// A scan that was asked for, as ManageIQ queues it, in a state in which nothing takes it: there is no scanner here. One row for
/// each record, however often it is asked for. Returns its `miq_queue.id`.
///
/// # Errors
/// See [`VmdbError`].
pub fn keep_unsupported_scan(
    connection: &mut Connection,
    class_name: &str,
    instance_id: i64,
) -> Result<i64, VmdbError> {
    let now = clock::now();
    let sql = "UPDATE miq_queue SET updated_on = ? WHERE queue_name = 'generic' AND state = 'unsupported' \
               AND class_name = ? AND instance_id = ? AND method_name = 'scan' RETURNING id";
    let known = connection.rows(sql, &[now.into(), class_name.into(), instance_id.into()])?;
    if let Some(row) = known.first() {
        return row.id(0);
    }
    let sql = "INSERT INTO miq_queue (queue_name, class_name, instance_id, method_name, role, state, priority, \
               created_on, updated_on) VALUES ('generic', ?, ?, 'scan', 'smartstate', 'unsupported', 100, ?, ?) \
               RETURNING id";
    let values = [class_name.into(), instance_id.into(), now.into(), now.into()];
    let rows = connection.rows(sql, &values)?;
    rows.first().ok_or_else(|| VmdbError::Bug("an insert returned no id".to_owned()))?.id(0)
}
