//! Amazon against a real broker: a message is deleted after its commit, and only then.

use super::moto::Moto;
use super::process::{Catchall, catchall, eventually};
use super::vmdb_rows::{self, Place};
use serde_json::{Value, json};
use std::path::Path;
use tokio::runtime::Runtime;

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// Settings of one EMS that reads `queue`; `more` is added to the endpoint.
fn write_settings(folder: &Path, queue: &str, more: &str) -> Place {
    let place = Place::sqlite(folder);
    let text = format!(
        "vmdb: {{url: \"{}\"}}\n\
         http: {{listen: \"127.0.0.1:0\"}}\n\
         ext_management_systems:\n\
         \x20 - name: aws\n\
         \x20   type: amazon\n\
         \x20   provider_region: us-east-1\n\
         \x20   endpoints: {{sqs: {{url: \"{queue}\"{more}}}}}\n\
         \x20   authentications: {{default: {{userid: testing, password: testing}}}}\n",
        place.url
    );
    std::fs::write(folder.join("settings.yml"), text).unwrap();
    place
}

/// What EventBridge says of an instance that stops.
fn stops(number: usize) -> Value {
    json!({"version": "0", "id": format!("event-{number}"), "source": "aws.ec2", "account": "111122223333",
           "detail-type": "EC2 Instance State-change Notification", "time": "2026-11-24T10:00:01Z",
           "region": "us-east-1", "resources": [], "detail": {"instance-id": format!("i-{number}"), "state": "stopped"}})
}

fn rows_are(place: &Place, table: &str, count: i64) {
    eventually(&format!("{table} has {count} rows"), || {
        let sql = format!("SELECT CAST(count(*) AS TEXT) AS value FROM {table}");
        let found = vmdb_rows::open(place)?.number(&sql)?;
        if found == count { Ok(()) } else { Err(found.to_string()) }
    });
}

fn queue_is_empty(runtime: &Runtime, moto: &Moto, queue: &str) {
    eventually("the queue is empty", || match runtime.block_on(moto.counts(queue)) {
        (0, 0) => Ok(()),
        counts => Err(format!("(waiting, hidden): {counts:?}")),
    });
}

#[test]
fn ten_instances_that_stop_in_one_second_are_ten_rows_without_work_and_an_empty_queue() {
    let Some(moto) = Moto::get() else { return };
    let (runtime, folder) = (runtime(), tempfile::tempdir().unwrap());
    let queue = runtime.block_on(moto.queue("street-ten", 30));
    let place = write_settings(folder.path(), &queue, "");
    runtime.block_on(moto.rule("catchall.street", "street-ten"));
    for number in 0..10 {
        let detail = &stops(number)["detail"];
        let kind = "EC2 Instance State-change Notification";
        runtime.block_on(moto.put_event("catchall.street", kind, detail));
    }
    let catchall = Catchall::start(folder.path(), &["run"]);
    rows_are(&place, "event_streams", 10);
    rows_are(&place, "miq_queue", 0);
    queue_is_empty(&runtime, &moto, &queue);
    assert!(runtime.block_on(moto.has_queue("street-ten")), "the queue is the operator's and stays");
    let (_, metrics) = super::http::get(&format!("http://{}/metrics", catchall.address()));
    let counted = "catchall_refresh_calls_without_work_total{ems=\"aws\"} 10";
    assert!(metrics.contains(counted), "{metrics}");
}

#[test]
fn messages_in_flight_at_kill_9_come_back_and_are_stored_once() {
    let Some(moto) = Moto::get() else { return };
    let (runtime, folder) = (runtime(), tempfile::tempdir().unwrap());
    let queue = runtime.block_on(moto.queue("street-kill", 2));
    let place = write_settings(folder.path(), &queue, "");
    for round in 0..6 {
        let mut catchall = Catchall::start(folder.path(), &["run"]);
        for number in 0..10 {
            runtime.block_on(moto.send(&queue, &stops(round * 10 + number).to_string()));
        }
        std::thread::sleep(std::time::Duration::from_millis(60 * u64::try_from(round).unwrap()));
        catchall.kill();
    }
    let _last = Catchall::start(folder.path(), &["run"]);
    rows_are(&place, "event_streams", 60);
    queue_is_empty(&runtime, &moto, &queue);
    rows_are(&place, "event_streams", 60);
}

#[test]
fn a_message_that_is_no_json_is_one_dead_letter_and_leaves_the_queue() {
    let Some(moto) = Moto::get() else { return };
    let (runtime, folder) = (runtime(), tempfile::tempdir().unwrap());
    let queue = runtime.block_on(moto.queue("street-poison", 30));
    let place = write_settings(folder.path(), &queue, "");
    runtime.block_on(moto.send(&queue, "no JSON at all"));
    runtime.block_on(moto.send(&queue, &stops(1).to_string()));
    let _catchall = Catchall::start(folder.path(), &["run"]);
    rows_are(&place, "event_streams", 1);
    rows_are(&place, "dead_letters", 1);
    queue_is_empty(&runtime, &moto, &queue);
    let listed = catchall(folder.path()).args(["events", "--dead", "--json"]).output().unwrap();
    let letter: Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!((&letter["native"], &letter["ems"]), (&json!("no JSON at all"), &json!("aws")), "{letter}");
}

#[test]
fn a_queue_of_manageiq_is_refused_says_why_and_is_read_when_taken_over() {
    let Some(moto) = Moto::get() else { return };
    let (runtime, folder) = (runtime(), tempfile::tempdir().unwrap());
    let name = "manageiq-awsconfig-queue-0d3b4f0e-7d55-4a86-9f57-2f6c3a6c7b10";
    let queue = runtime.block_on(moto.queue(name, 30));
    runtime.block_on(moto.send(&queue, &stops(1).to_string()));
    let place = write_settings(folder.path(), &queue, "");
    let catchall = Catchall::start(folder.path(), &["run"]);
    let ready = format!("http://{}/readyz", catchall.address());
    eventually("readyz says why", || match super::http::get(&ready) {
        (503, body) if body.contains("refused") && body.contains("takeover") => Ok(()),
        answer => Err(format!("{answer:?}")),
    });
    assert_eq!(runtime.block_on(moto.counts(&queue)), (1, 0), "untouched");
    write_settings(folder.path(), &queue, ", takeover: true");
    catchall.signal("HUP");
    rows_are(&place, "event_streams", 1);
    queue_is_empty(&runtime, &moto, &queue);
}

#[test]
fn what_aws_config_publishes_to_a_topic_is_an_event() {
    let Some(moto) = Moto::get() else { return };
    let (runtime, folder) = (runtime(), tempfile::tempdir().unwrap());
    let queue = runtime.block_on(moto.queue("street-config", 30));
    let topic = runtime.block_on(moto.topic("street-config", "street-config"));
    let place = write_settings(folder.path(), &queue, "");
    let item = json!({"configurationStateId": 7, "resourceType": "AWS::EC2::Volume", "resourceId": "vol-1",
        "configurationItemCaptureTime": "2026-11-24T10:00:01.000Z", "configurationItemStatus": "ResourceDiscovered",
        "configuration": {"volumeId": "vol-1"}, "relationships": []});
    let message = json!({"messageType": "ConfigurationItemChangeNotification", "configurationItem": item,
        "configurationItemDiff": {"changeType": "CREATE", "changedProperties": {}},
        "notificationCreationTime": "2026-11-24T10:00:02.000Z"});
    runtime.block_on(moto.purge(&queue)); // whatever the subscription itself brought
    runtime.block_on(moto.publish(&topic, &message));
    let _catchall = Catchall::start(folder.path(), &["run"]);
    rows_are(&place, "event_streams", 1);
    let types =
        vmdb_rows::open(&place).unwrap().texts("SELECT event_type AS value FROM event_streams").unwrap();
    assert_eq!(types, ["AWS_EC2_Volume_CREATE"]);
    queue_is_empty(&runtime, &moto, &queue);
}
