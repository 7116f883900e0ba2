//! Notifications a second from a local RabbitMQ to the VMDB: the real `catchall run` with one EMS, whose queue was filled before with
//! recorded notifications in both of Nova's forms, until all are rows; beside a bare consumer that only acknowledges.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark may fail")]

#[path = "support/circumstances.rs"]
mod circumstances;
#[path = "support/places.rs"]
mod places;
#[path = "../tests/support/rabbitmq.rs"]
#[allow(dead_code, reason = "shared with the tests of OpenStack")]
mod rabbitmq;
#[path = "support/rates.rs"]
mod rates;
#[path = "support/run.rs"]
#[allow(dead_code, reason = "not every benchmark asks for everything")]
mod run;

use catchall::provider::{
    Authentication, ByteBudget, CatcherSettings, Ems, EmsId, Endpoint, Provider, Secret,
};
use catchall::providers::openstack::Openstack;
use catchall::vmdb::{Access, Vmdb};
use futures_util::StreamExt;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ExchangeDeclareOptions,
    QueueDeclareOptions, QueuePurgeOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, ExchangeKind};
use places::{Database, Place};
use rabbitmq::{Broker, PASSWORD};
use rates::Rates;
use run::Run;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// Notifications a second.
const LIMIT: f64 = 5_000.0;
const PAGE: u16 = 1_000;
const QUEUE: &str = "catchall.bench";

fn main() {
    let (times, rounds) = if circumstances::in_earnest() { (300, 3) } else { (5, 1) };
    let Some(broker) = Broker::start() else { return };
    let notifications = notifications(times);
    let bytes = notifications.iter().map(|sent| sent.body.len()).sum::<usize>() / notifications.len();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let cloud = runtime.block_on(Cloud::at(&broker, &notifications));
    circumstances::print_circumstances(&format!(
        "RabbitMQ to the VMDB, {rounds} rounds of {} notifications of {bytes} bytes, batches of {PAGE}",
        notifications.len()
    ));
    let mut alone = Rates::of("bare consumer, acknowledging each 1,000");
    let mut runs: Vec<_> = Database::all()
        .into_iter()
        .map(|database| (database, Rates::of(format!("catchall run on {}", database.name()))))
        .collect();
    for _ in 0..rounds {
        runtime.block_on(cloud.fill(&notifications));
        alone.add(notifications.len(), runtime.block_on(cloud.consume(notifications.len())));
        for (database, rates) in &mut runs {
            runtime.block_on(cloud.fill(&notifications));
            let place = runtime.block_on(database.fresh());
            let took = runtime.block_on(catch(&place, &broker, &cloud, events(&notifications)));
            rates.add(notifications.len(), took);
            runtime.block_on(place.remove());
        }
    }
    println!("  notifications/s: median (least-most), then its ratio to the bare consumer");
    alone.print(&[&alone]);
    for (database, rates) in &runs {
        rates.print(&[&alone]);
        let reached = if rates.median() >= LIMIT { "is reached" } else { "is MISSED" };
        println!("    {LIMIT} a second {reached} on {}", database.name());
    }
}

struct Sent {
    exchange: String,
    key: String,
    id: String,
    event_type: String,
    body: Vec<u8>,
}

/// The recording, so many times, each time with ids and requests of its own.
fn notifications(times: usize) -> Vec<Sent> {
    let recording: Vec<Value> = include_str!("../tests/data/openstack/notifications.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &Value| line["message"]["event_type"] != "identity.authenticate") // blacklisted
        .collect();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let sent = |(time, line): (usize, &Value)| {
        let mut message = line["message"].clone();
        let id = format!("{time:08x}{}", &text(&message["message_id"])[8..]);
        message["message_id"] = json!(id);
        if let Some(request) = message["_context_request_id"].as_str() {
            message["_context_request_id"] = json!(format!("{request}-{time}"));
        }
        let event_type = text(&message["event_type"]);
        let body =
            json!({"oslo.version": "2.0", "oslo.message": message.to_string()}).to_string().into_bytes();
        Sent { exchange: text(&line["exchange"]), key: text(&line["routing_key"]), id, event_type, body }
    };
    (0..times).flat_map(|time| recording.iter().map(move |line| (time, line))).map(sent).collect()
}

/// How many rows they are: of each pair of twins one.
fn events(notifications: &[Sent]) -> usize {
    let alone = ["service.create", "service.update", "flavor.create", "instance.lock", "instance.unlock"];
    let versioned = notifications.iter().filter(|sent| sent.key.starts_with("versioned"));
    let is_alone = |kind: &str| {
        alone.contains(&kind)
            || kind.starts_with("instance.interface_")
            || (kind.starts_with("instance.volume_") && kind.ends_with(".start"))
    };
    let twins = versioned.filter(|sent| !is_alone(&sent.event_type)).count();
    let ids: BTreeSet<_> = notifications.iter().map(|sent| &sent.id).collect();
    assert_eq!(ids.len(), notifications.len(), "ids are unique");
    notifications.len() - twins
}

struct Cloud {
    _connection: Connection,
    channel: Channel,
    url: String,
}

impl Cloud {
    /// Makes the exchanges, and Catchall's queue as Catchall does.
    async fn at(broker: &Broker, notifications: &[Sent]) -> Self {
        let url = broker.url("/");
        let connection = Connection::connect(&url, ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        for exchange in notifications.iter().map(|sent| &sent.exchange).collect::<BTreeSet<_>>() {
            let (options, table) = (ExchangeDeclareOptions::default(), FieldTable::default());
            channel
                .exchange_declare(exchange.as_str().into(), ExchangeKind::Topic, options, table)
                .await
                .unwrap();
        }
        let mut stream = Openstack.stream(&ems(broker)).unwrap();
        stream.start(None).await.unwrap();
        stream.poll().await.unwrap();
        Self { _connection: connection, channel, url }
    }

    /// Puts them all into the queue, persistent as the services send them.
    async fn fill(&self, notifications: &[Sent]) {
        self.channel.queue_purge(QUEUE.into(), QueuePurgeOptions::default()).await.unwrap();
        for sent in notifications {
            let properties = BasicProperties::default().with_delivery_mode(2);
            let (exchange, key) = (sent.exchange.as_str().into(), sent.key.as_str().into());
            let options = BasicPublishOptions::default();
            let sent = self.channel.basic_publish(exchange, key, options, &sent.body, properties);
            sent.await.unwrap().await.unwrap();
        }
        while self.waiting().await < notifications.len() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn waiting(&self) -> usize {
        let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let queue = self.channel.queue_declare(QUEUE.into(), options, FieldTable::default()).await.unwrap();
        queue.message_count() as usize
    }

    /// What the broker gives at most.
    async fn consume(&self, count: usize) -> Duration {
        let began = Instant::now();
        let connection = Connection::connect(&self.url, ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        channel.basic_qos(2 * PAGE, BasicQosOptions::default()).await.unwrap();
        let options = BasicConsumeOptions::default();
        let mut consumer =
            channel.basic_consume(QUEUE.into(), "bare".into(), options, FieldTable::default()).await.unwrap();
        for number in 1..=count {
            let delivery = consumer.next().await.unwrap().unwrap();
            if number % usize::from(PAGE) == 0 || number == count {
                delivery.ack(BasicAckOptions { multiple: true }).await.unwrap();
            }
        }
        let took = began.elapsed();
        connection.close(200, "done".into()).await.unwrap();
        took
    }
}

/// From the start of the process until all are rows and acknowledged.
async fn catch(place: &Place, broker: &Broker, cloud: &Cloud, events: usize) -> Duration {
    let vmdb = Vmdb::open(&place.settings, Access::Read).await.unwrap();
    let began = Instant::now();
    let run = Run::start(place, &settings(place, broker));
    let (deadline, events) = (began + Duration::from_secs(300), i64::try_from(events).unwrap());
    while vmdb
        .read(|connection| connection.rows("SELECT count(*) FROM event_streams", &[])?[0].id(0))
        .await
        .unwrap()
        < events
    {
        assert!(Instant::now() < deadline, "not all events arrived; see {}", run.log());
        // Counting is work for the database, too.
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let took = began.elapsed();
    vmdb.close().await;
    assert_eq!(cloud.waiting().await, 0);
    took
}

fn ems(broker: &Broker) -> Ems {
    let endpoint = Endpoint {
        hostname: Some("127.0.0.1".to_owned()),
        port: Some(broker.port),
        options: [("queue".to_owned(), json!(QUEUE))].into(),
        ..Endpoint::default()
    };
    let authentication = Authentication {
        userid: Some("catchall".to_owned()),
        password: Some(Secret::new(PASSWORD)),
        ..Authentication::default()
    };
    Ems {
        id: EmsId(1),
        name: "bench".to_owned(),
        provider_region: None,
        endpoints: [("amqp".to_owned(), endpoint)].into(),
        authentications: [("amqp".to_owned(), authentication)].into(),
        catcher: CatcherSettings::default(),
        budget: ByteBudget::default(),
    }
}

fn settings(place: &Place, broker: &Broker) -> String {
    format!(
        "vmdb: {{url: \"{}\", schema: {}}}\n\
         http: {{listen: \"127.0.0.1:0\"}}\n\
         event_streams: {{history: {{keep_events: 50.years}}}}\n\
         workers: {{worker_base: {{event_catcher: {{event_catcher_openstack: {{ems_event_page_size: {PAGE}}}}}}}}}\n\
         ext_management_systems:\n\
         \x20 - name: bench\n\
         \x20   type: openstack\n\
         \x20   endpoints: {{amqp: {{hostname: 127.0.0.1, port: {}, queue: {QUEUE}}}}}\n\
         \x20   authentications: {{amqp: {{userid: catchall, password: {PASSWORD}}}}}\n",
        place.settings.url.expose(),
        place.settings.schema,
        broker.port
    )
}
