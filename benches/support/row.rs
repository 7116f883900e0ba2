//! A row of `event_streams` with the columns that Catchall fills for an event of Awesome Cloud, ready to be written.

use crate::natives::VMS;
use catchall::vmdb::ReadyEvent;
use std::time::{Duration, SystemTime};

/// The columns, in the order of [`Row`]'s fields.
pub const COLUMNS: &str = "ems_id, event_uid, type, event_type, source, timestamp, created_on, full_data, work_id, \
    message, ems_ref, chain_id, username, vm_or_template_id, vm_ems_ref, vm_name";

/// How many.
pub const WIDTH: usize = 16;

pub struct Row {
    pub ems_id: i64,
    pub event_uid: String,
    pub class: &'static str,
    pub event_type: String,
    pub source: String,
    pub timestamp: SystemTime,
    pub created_on: SystemTime,
    /// The two times as text.
    pub timestamp_text: String,
    pub created_on_text: String,
    pub full_data: String,
    pub work_id: i64,
    pub message: Option<String>,
    pub ems_ref: Option<String>,
    pub chain_id: Option<i64>,
    pub username: Option<String>,
    pub vm_or_template_id: i64,
    pub vm_ems_ref: Option<String>,
    pub vm_name: Option<String>,
}

/// The rows of the events of EMS `ems`.
pub fn rows(ems: u64, events: &[ReadyEvent]) -> Vec<Row> {
    let now = catchall::clock::now();
    let row = |(number, ready): (u64, &ReadyEvent)| {
        let event = ready.event.event.clone();
        let text = |time: chrono::DateTime<chrono::Utc>| time.format("%F %T%.6f").to_string();
        let instant = |time: chrono::DateTime<chrono::Utc>| {
            SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(time.timestamp_micros()).unwrap())
        };
        Row {
            ems_id: i64::try_from(ems).unwrap(),
            event_uid: ready.event.event_uid.clone(),
            class: "EmsEvent",
            event_type: event.event_type,
            source: event.source,
            timestamp: instant(event.timestamp),
            created_on: instant(now),
            timestamp_text: text(event.timestamp),
            created_on_text: text(now),
            full_data: event.full_data.text().to_owned(),
            work_id: now.timestamp_micros(),
            message: event.message,
            ems_ref: event.ems_ref,
            chain_id: event.chain_id,
            username: event.username,
            vm_or_template_id: vm_id(ems, number),
            vm_ems_ref: event.vm_ems_ref,
            vm_name: event.vm_name,
        }
    };
    (0..).zip(events).map(row).collect()
}

/// `vms.id` of the VM that event `number` of the EMS names.
fn vm_id(ems: u64, number: u64) -> i64 {
    i64::try_from(ems * 100_000 + number % VMS).unwrap()
}
