//! A cloud that publishes as OpenStack does, and the stream of an EMS that listens to it.

use super::rabbitmq::{Broker, PASSWORD};
use catchall::provider::{
    Authentication, ByteBudget, CatcherSettings, Cursor, Ems, EmsId, Endpoint, EventBatch, Gap, Provider,
    Secret, Stream, StreamError,
};
use catchall::providers::openstack::Openstack;
use lapin::options::{BasicPublishOptions, ExchangeDeclareOptions, QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, ExchangeKind};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The services of a cloud.
pub struct Cloud {
    connection: Connection,
    channel: Channel,
}

impl Cloud {
    pub async fn at(broker: &Broker, vhost: &str) -> Self {
        let connection =
            Connection::connect(&broker.url(vhost), ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        Self { connection, channel }
    }

    /// As oslo.messaging declares it: topic, not durable unless `amqp_durable_queues` is set.
    pub async fn exchange(&self, name: &str, durable: bool) {
        let options = ExchangeDeclareOptions { durable, ..ExchangeDeclareOptions::default() };
        let table = FieldTable::default();
        self.channel.exchange_declare(name.into(), ExchangeKind::Topic, options, table).await.unwrap();
    }

    pub async fn publish(&self, exchange: &str, key: &str, body: impl AsRef<[u8]>) {
        let properties = BasicProperties::default()
            .with_delivery_mode(2)
            .with_content_type("application/json".into())
            .with_content_encoding("utf-8".into());
        let options = BasicPublishOptions::default();
        let sent =
            self.channel.basic_publish(exchange.into(), key.into(), options, body.as_ref(), properties);
        sent.await.unwrap().await.unwrap();
    }

    /// Notification `number` of a service.
    pub async fn notify(&self, exchange: &str, number: u32) {
        self.publish(exchange, "notifications.info", body(number)).await;
    }

    /// Waits until the broker has all that was published.
    pub async fn has_sent(&self) {
        let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        // The answer to a question that comes after; on a channel of its own, since this queue is not there.
        let channel = self.connection.create_channel().await.unwrap();
        let _ = channel.queue_declare("none".into(), options, FieldTable::default()).await;
        let again = ExchangeDeclareOptions { passive: true, ..ExchangeDeclareOptions::default() };
        let asked = self.channel.exchange_declare(
            "amq.topic".into(),
            ExchangeKind::Topic,
            again,
            FieldTable::default(),
        );
        asked.await.unwrap();
    }

    /// Messages that wait in a queue, if it is there.
    pub async fn waiting(&self, queue: &str) -> Option<u32> {
        let channel = self.connection.create_channel().await.unwrap();
        let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let asked = channel.queue_declare(queue.into(), options, FieldTable::default()).await;
        asked.ok().map(|queue| queue.message_count())
    }

    pub async fn delete_queue(&self, queue: &str) {
        self.channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await.unwrap();
    }

    /// A queue of somebody else's.
    pub async fn foreign_queue(&self, queue: &str) {
        let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        self.channel.queue_declare(queue.into(), options, FieldTable::default()).await.unwrap();
    }
}

/// When notification `number` was sent.
pub fn second(number: u32) -> chrono::DateTime<chrono::Utc> {
    chrono::DateTime::from_timestamp(1_790_000_000 + i64::from(number), 0).unwrap()
}

/// A notification in an envelope.
pub fn body(number: u32) -> String {
    enveloped(&json!({
        "message_id": format!("33ad4382-0931-4d43-af0b-{number:012}"),
        "publisher_id": "network.host", "event_type": "network.create.end", "priority": "INFO",
        "timestamp": second(number).format("%Y-%m-%d %H:%M:%S%.6f").to_string(),
        "payload": {"network": {"id": format!("net-{number}")}}}))
}

pub fn enveloped(inner: &Value) -> String {
    json!({"oslo.version": "2.0", "oslo.message": inner.to_string()}).to_string()
}

/// An EMS called `name` that listens to the exchange `t-NAME`.
pub fn ems(name: &str, broker: &Broker) -> Ems {
    let endpoint = Endpoint {
        hostname: Some("127.0.0.1".to_owned()),
        port: Some(broker.port),
        verify_ssl: true,
        options: BTreeMap::from([
            ("topics".to_owned(), json!({exchange(name): ["notifications.*", "versioned_notifications.*"]})),
            ("queue".to_owned(), json!(queue(name))),
        ]),
        ..Endpoint::default()
    };
    Ems {
        id: EmsId(1),
        name: name.to_owned(),
        provider_region: None,
        endpoints: BTreeMap::from([("amqp".to_owned(), endpoint)]),
        authentications: BTreeMap::from([("amqp".to_owned(), user("catchall"))]),
        catcher: CatcherSettings::default(),
        budget: ByteBudget::default(),
    }
}

pub fn exchange(name: &str) -> String {
    format!("t-{name}")
}

pub fn queue(name: &str) -> String {
    format!("catchall.{name}")
}

pub fn user(name: &str) -> Authentication {
    let password = Some(Secret::new(PASSWORD));
    Authentication { userid: Some(name.to_owned()), password, ..Authentication::default() }
}

pub fn endpoint(ems: &mut Ems) -> &mut Endpoint {
    ems.endpoints.get_mut("amqp").unwrap()
}

pub async fn started(ems: &Ems, cursor: Option<Cursor>) -> Box<dyn Stream> {
    let mut stream = Openstack.stream(ems).unwrap();
    stream.start(cursor).await.unwrap();
    stream
}

pub async fn refused(ems: &Ems) -> StreamError {
    Openstack.stream(ems).unwrap().start(None).await.unwrap_err()
}

/// What polls brought: as the catcher sees it.
#[derive(Default)]
pub struct Seen {
    pub texts: Vec<String>,
    pub known: Vec<String>,
    pub cursor: Option<Cursor>,
    pub gaps: Vec<Gap>,
}

impl Seen {
    pub fn take(&mut self, batch: &mut EventBatch) {
        for event in batch.events.drain(..) {
            self.texts.push(event.text);
        }
        self.known.append(&mut batch.known);
        self.cursor = batch.cursor.take().or_else(|| self.cursor.take());
        self.gaps.extend(batch.gap.take());
    }

    pub fn reasons(&self) -> Vec<&str> {
        self.gaps.iter().map(|gap| gap.reason.as_str()).collect()
    }
}

/// Polls and acknowledges until `count` events are there.
pub async fn read(stream: &mut dyn Stream, count: usize) -> Seen {
    until(stream, |seen| seen.texts.len() >= count).await
}

/// Polls and acknowledges until it is enough.
pub async fn until(stream: &mut dyn Stream, enough: impl Fn(&Seen) -> bool) -> Seen {
    let mut seen = Seen::default();
    let end = Instant::now() + Duration::from_secs(60);
    while !enough(&seen) {
        assert!(Instant::now() < end, "{} events, gaps {:?}", seen.texts.len(), seen.gaps);
        let mut batch = tokio::time::timeout(Duration::from_secs(30), stream.poll()).await.unwrap().unwrap();
        seen.take(&mut batch);
        if let Some(ack) = batch.ack {
            stream.ack(ack).await.unwrap();
        }
    }
    seen
}

/// The first poll, which gives a new EMS its cursor.
pub async fn begun(stream: &mut dyn Stream) -> Seen {
    until(stream, |seen| seen.cursor.is_some()).await
}

/// Polls until it fails.
pub async fn failure(stream: &mut dyn Stream) -> StreamError {
    loop {
        if let Err(error) = tokio::time::timeout(Duration::from_secs(60), stream.poll()).await.unwrap() {
            return error;
        }
    }
}
