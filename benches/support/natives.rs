//! Events of Awesome Cloud as its API writes them, about 1 KB each, as many as one likes and all different.

use chrono::{DateTime, SecondsFormat, Utc};

/// VMs that the events of one EMS name, in turn.
pub const VMS: u64 = 1_250;

const VERBS: [&str; 5] = ["update", "start", "stop", "migrate", "create"];

/// The reference of the VM of event `number`.
pub fn vm_ref(number: u64) -> String {
    format!("vm-{:05}", number % VMS)
}

/// The text of event `number`.
pub fn native(number: u64, time: DateTime<Utc>) -> String {
    let verb = VERBS[usize::try_from(number % VERBS.len() as u64).unwrap()];
    let vm = vm_ref(number);
    let time = time.to_rfc3339_opts(SecondsFormat::Nanos, true);
    // What the page of the API does not know must survive into full_data; here it is most of the text.
    let changes: Vec<String> = (0..6)
        .map(|index| {
            let value = number.wrapping_mul(6_364_136_223_846_793_005).rotate_left(7 * index);
            format!(
                r#"{{"path":"/spec/attributes/{index}","from":"{value:016x}","to":"{:016x}","by":"api"}}"#,
                !value
            )
        })
        .collect();
    format!(
        r#"{{"id":"ev-{number:09}","event_name":"com.awesome-cloud.vm.{verb}","time":"{time}","vm":{{"id":"{vm}","name":"web server {vm}"}},"host":{{"id":"host-{}","name":"node-{}"}},"chain_id":{},"username":"alice@example.com","message":"{verb} of {vm} was asked for by alice@example.com through the console and is done","region":{{"name":"north","weight":1.5}},"request_id":"{number:032x}","changes":[{}]}}"#,
        number % 40,
        number % 40,
        number / 3,
        changes.join(",")
    )
}
