//! The recorded notifications through a real RabbitMQ into rows, with everything that may break on the way: each is one event.

use super::process::{Catchall, eventually};
use super::rabbitmq::{Broker, PASSWORD};
use super::support::{Cloud, enveloped};
use super::vmdb_rows::{self, Place};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// Left out by the default blacklist.
const BLACKLISTED: [&str; 1] = ["identity.authenticate"];
/// What Nova sends in one form only.
const ALONE: [&str; 11] = [
    "service.create",
    "service.update",
    "flavor.create",
    "instance.lock",
    "instance.unlock",
    "instance.volume_attach.start",
    "instance.volume_detach.start",
    "instance.interface_attach.start",
    "instance.interface_attach.end",
    "instance.interface_detach.start",
    "instance.interface_detach.end",
];

fn recording() -> Vec<Value> {
    let lines = include_str!("../data/openstack/notifications.jsonl").lines();
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn text<'a>(line: &'a Value, path: &str) -> &'a str {
    line.pointer(path).and_then(Value::as_str).unwrap()
}

/// (all ids that may be rows, those that must be, how many rows there are).
fn expected(lines: &[Value]) -> (BTreeSet<String>, BTreeSet<String>, usize) {
    let wanted = lines.iter().filter(|line| !BLACKLISTED.contains(&text(line, "/message/event_type")));
    let (nova, others): (Vec<_>, Vec<_>) = wanted.partition(|line| text(line, "/exchange") == "nova");
    let alone = |line: &&&Value| ALONE.contains(&text(line, "/message/event_type"));
    let id = |line: &&Value| text(line, "/message/message_id").to_owned();
    let certain: BTreeSet<_> = others.iter().map(id).chain(nova.iter().filter(alone).map(id)).collect();
    let paired = nova.len() - nova.iter().filter(alone).count();
    assert_eq!(paired % 2, 0, "the recording holds whole pairs");
    let rows = certain.len() + paired / 2;
    (nova.iter().chain(&others).map(id).collect(), certain, rows)
}

fn settings(place: &Place, folder: &Path, broker: &Broker, name: &str) {
    let text = format!(
        "vmdb: {{url: \"{}\", schema: {}}}\n\
         http: {{listen: \"127.0.0.1:0\"}}\n\
         event_streams: {{history: {{keep_events: 50.years}}}}\n\
         ext_management_systems:\n\
         \x20 - name: {name}\n\
         \x20   type: openstack\n\
         \x20   endpoints: {{amqp: {{hostname: 127.0.0.1, port: {}}}}}\n\
         \x20   authentications: {{amqp: {{userid: catchall, password: {PASSWORD}}}}}\n",
        place.url, place.schema, broker.port
    );
    std::fs::write(folder.join("settings.yml"), text).unwrap();
}

fn uids(place: &Place) -> Result<Vec<String>, String> {
    vmdb_rows::open(place)?.texts("SELECT event_uid AS value FROM event_streams ORDER BY id")
}

#[test]
fn the_recording_becomes_rows_whatever_breaks_on_the_way() {
    let Some(broker) = Broker::start() else { return };
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let mut places = vec![Place::sqlite(folders[0].path())];
    let postgres = super::postgres::server().map(|server| server.url.clone());
    places.extend(postgres.map(|url| Place { url, schema: "openstack_replay".to_owned() }));
    let lines = recording();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut cloud = runtime.block_on(Cloud::at(&broker, "/"));
    let exchanges: BTreeSet<_> = lines.iter().map(|line| text(line, "/exchange").to_owned()).collect();
    for exchange in &exchanges {
        runtime.block_on(cloud.exchange(exchange, false));
    }
    let mut running = Vec::new();
    for (index, place) in places.iter().enumerate() {
        let folder = folders[index].path();
        settings(place, folder, &broker, &format!("replay {index}"));
        let checked = super::process::catchall(folder).args(["check", "--connect"]).output().unwrap();
        let told =
            String::from_utf8_lossy(&checked.stdout).into_owned() + &String::from_utf8_lossy(&checked.stderr);
        assert!(checked.status.success() && told.contains(&format!("replay {index}: reached")), "{told}");
        let run = Catchall::start(folder, &["run"]);
        run.logs("the event catcher is running");
        running.push(run);
    }
    for (index, line) in lines.iter().enumerate() {
        match index {
            60 => {
                broker.ctl("close_all_connections 'by a test'");
                cloud = runtime.block_on(Cloud::at(&broker, "/"));
            }
            120 => running.iter_mut().for_each(Catchall::kill),
            150 => {
                let again =
                    folders.iter().take(places.len()).map(|folder| Catchall::start(folder.path(), &["run"]));
                running = again.collect();
            }
            _ => {}
        }
        let (exchange, key) = (text(line, "/exchange"), text(line, "/routing_key"));
        runtime.block_on(cloud.publish(exchange, key, enveloped(&line["message"])));
    }
    let (possible, certain, count) = expected(&lines);
    for (place, run) in places.iter().zip(&running) {
        let found = eventually("every notification is a row", || {
            let found = uids(place)?;
            if found.len() >= count {
                Ok(found)
            } else {
                Err(format!("{} of {count}; {}", found.len(), run.log()))
            }
        });
        let found: BTreeSet<_> = found.into_iter().collect();
        assert_eq!(
            found.len(),
            count,
            "no twin is a second row; {:?}",
            found.difference(&certain).collect::<Vec<_>>()
        );
        assert!(found.is_subset(&possible), "{:?}", found.difference(&possible).collect::<Vec<_>>());
        assert!(certain.is_subset(&found), "{:?}", certain.difference(&found).collect::<Vec<_>>());
        let gaps = vmdb_rows::open(place).unwrap().texts("SELECT reason AS value FROM event_gaps").unwrap();
        assert_eq!(gaps, [""; 0], "nothing was lost");
        let letters = vmdb_rows::open(place)
            .unwrap()
            .number("SELECT CAST(count(*) AS TEXT) AS value FROM dead_letters");
        assert_eq!(letters, Ok(0));
    }
}
