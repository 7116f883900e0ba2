//! A broker is told that a message is done after its commit, and not a moment before. Against a real broker.

use super::moto::Moto;
use super::process::{Catchall, eventually};
use super::vmdb_rows::Place;
use super::{count, doomed, rows_are};
use serde_json::json;
use std::path::Path;
use std::time::Duration;
use tokio::runtime::Runtime;

fn write_settings(folder: &Path, queue: &str) -> Place {
    let place = Place::sqlite(folder);
    let text = format!(
        "vmdb: {{url: \"{}\"}}\nhttp: {{listen: \"127.0.0.1:0\"}}\next_management_systems:\n\
         \x20 - name: aws\n    type: amazon\n    provider_region: us-east-1\n    endpoints: {{sqs: {{url: \"{queue}\"}}}}\n\
         \x20   authentications: {{default: {{userid: testing, password: testing}}}}\n",
        place.url
    );
    std::fs::write(folder.join("settings.yml"), text).unwrap();
    place
}

fn stops(number: usize) -> String {
    json!({"version": "0", "id": format!("event-{number}"), "source": "aws.ec2", "account": "111122223333",
           "detail-type": "EC2 Instance State-change Notification", "time": "2026-11-24T10:00:01Z",
           "region": "us-east-1", "resources": [], "detail": {"instance-id": format!("i-{number}"), "state": "stopped"}})
    .to_string()
}

fn left(runtime: &Runtime, moto: &Moto, queue: &str) -> u32 {
    let (waiting, hidden) = runtime.block_on(moto.counts(queue));
    waiting + hidden
}

/// Dies at `kill_at`, when so many rows and no fewer messages than these must be there; the next process does the rest.
fn dies_and_goes_on(name: &str, kill_at: &str, (rows, messages): (i64, u32)) {
    let Some(moto) = Moto::get() else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let queue = runtime.block_on(moto.queue(name, 2));
    let place = write_settings(folder.path(), &queue);
    for number in 0..3 {
        runtime.block_on(moto.send(&queue, &stops(number)));
    }
    let mut catchall = doomed(folder.path(), &["run"], kill_at);
    let status = catchall.wait(Duration::from_secs(30));
    assert_eq!(status.code(), None, "it was to be killed; {}", catchall.log());
    let found = count(&place, "event_streams").unwrap();
    assert!(if rows == 0 { found == 0 } else { found >= rows }, "{found} rows");
    assert_eq!(left(&runtime, &moto, &queue), messages, "messages in the queue, with {found} rows");
    let _again = Catchall::start(folder.path(), &["run"]);
    rows_are(&place, "event_streams", 3);
    eventually("the queue is empty", || match left(&runtime, &moto, &queue) {
        0 => Ok(()),
        count => Err(count.to_string()),
    });
    rows_are(&place, "event_streams", 3);
}

#[test]
fn a_message_is_kept_by_the_broker_until_its_event_is_committed() {
    dies_and_goes_on("delivery-before-commit", "commit.end", (0, 3));
}

#[test]
fn a_message_whose_acknowledgement_was_lost_comes_again_and_is_no_second_row() {
    dies_and_goes_on("delivery-before-ack", "stream.before-ack", (1, 3));
}
