//! What the broker carried: a plain consumer with a queue of its own, on the same exchanges as the product's, and sharing no
//! code with it. It must miss nothing that the product could get, so it binds as fast as it can.

use futures_util::StreamExt;
use lapin::options::{
    BasicConsumeOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::FieldTable;
use lapin::{Connection, ConnectionProperties, ExchangeKind};
use serde_json::Value;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Those that a default OpenStack has; Cinder's is called `openstack`.
pub const EXCHANGES: [&str; 6] = ["nova", "neutron", "glance", "keystone", "openstack", "heat"];

/// One notification, as it was carried.
#[derive(Clone, Debug)]
pub struct Carried {
    pub at: Instant,
    pub exchange: String,
    pub id: String,
    pub event_type: String,
    pub versioned: bool,
    /// The API request that caused it, and the thing that it is about.
    pub cause: String,
}

pub struct Ledger {
    carried: Arc<Mutex<Vec<Carried>>>,
    /// Exchanges that are bound now.
    bound: Arc<Mutex<Vec<&'static str>>>,
    uri: String,
    _thread: std::thread::JoinHandle<()>,
}

impl Ledger {
    /// Begins to listen; versioned notifications too, if asked to.
    pub fn start(port: u16, versioned: bool) -> Self {
        let uri = format!("amqp://guest:guest@127.0.0.1:{port}/%2f");
        let (carried, bound) = (Arc::default(), Arc::default());
        let (into, state, address) = (Arc::clone(&carried), Arc::clone(&bound), uri.clone());
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                loop {
                    // It ends when the broker does; then it begins again.
                    let ended: Result<(), lapin::Error> = listen(&address, versioned, &into, &state).await;
                    let was_bound = !std::mem::take(&mut *state.lock().unwrap()).is_empty();
                    // What comes meanwhile is missed: a row of it would look like one that nobody carried.
                    if was_bound {
                        println!("the ledger begins anew: {ended:?}");
                    }
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            });
        });
        Self { carried, bound, uri, _thread: thread }
    }

    /// Everything so far, in the order of coming.
    pub fn carried(&self) -> Vec<Carried> {
        self.carried.lock().unwrap().clone()
    }

    /// Begins anew.
    pub fn forget(&self) {
        self.carried.lock().unwrap().clear();
    }

    pub fn is_bound_to(&self, exchanges: &[&str]) -> bool {
        let bound = self.bound.lock().unwrap();
        exchanges.iter().all(|exchange| bound.contains(exchange))
    }

    /// Removes a queue that nobody needs any more.
    pub fn delete_queue(&self, name: &str) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let deleted: Result<(), lapin::Error> = runtime.block_on(async {
            let connection = Connection::connect(&self.uri, ConnectionProperties::default()).await?;
            let channel = connection.create_channel().await?;
            channel.queue_delete(name.into(), QueueDeleteOptions::default()).await?;
            Ok(())
        });
        if let Err(error) = deleted {
            println!("the queue {name} is left behind: {error}");
        }
    }
}

async fn listen(
    uri: &str,
    versioned: bool,
    carried: &Mutex<Vec<Carried>>,
    bound: &Mutex<Vec<&'static str>>,
) -> Result<(), lapin::Error> {
    let connection = Connection::connect(uri, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    let options =
        QueueDeclareOptions { exclusive: true, auto_delete: true, ..QueueDeclareOptions::default() };
    let queue = channel.queue_declare("".into(), options, FieldTable::default()).await?;
    let name = queue.name().clone();
    // Without acknowledgement: what the broker carried is what came.
    let options = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
    let mut consumer = channel.basic_consume(name.clone(), "".into(), options, FieldTable::default()).await?;
    let keys: &[&str] =
        if versioned { &["notifications.*", "versioned_notifications.*"] } else { &["notifications.*"] };
    let bind = async {
        let mut asking = Connection::connect(uri, ConnectionProperties::default()).await?;
        while bound.lock().unwrap().len() < EXCHANGES.len() {
            for exchange in EXCHANGES {
                if bound.lock().unwrap().contains(&exchange) {
                    continue;
                }
                // One that is not there closes the channel that asks for it, and a connection has but 2,047 of them.
                let Ok(probe) = asking.create_channel().await else {
                    asking = Connection::connect(uri, ConnectionProperties::default()).await?;
                    continue;
                };
                let passive = ExchangeDeclareOptions { passive: true, ..ExchangeDeclareOptions::default() };
                let there = probe.exchange_declare(
                    exchange.into(),
                    ExchangeKind::Topic,
                    passive,
                    FieldTable::default(),
                );
                if there.await.is_err() {
                    continue;
                }
                for key in keys {
                    let options = QueueBindOptions::default();
                    channel
                        .queue_bind(
                            name.clone(),
                            exchange.into(),
                            (*key).into(),
                            options,
                            FieldTable::default(),
                        )
                        .await?;
                }
                bound.lock().unwrap().push(exchange);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        std::future::pending::<Result<(), lapin::Error>>().await
    };
    let consume = async {
        while let Some(delivery) = consumer.next().await {
            let delivery = delivery?;
            let entry = read(delivery.exchange.as_str(), delivery.routing_key.as_str(), &delivery.data);
            carried.lock().unwrap().push(entry);
        }
        Ok(())
    };
    tokio::select! {
        ended = bind => ended,
        ended = consume => ended,
    }
}

fn read(exchange: &str, routing_key: &str, body: &[u8]) -> Carried {
    let outer: Value = serde_json::from_slice(body).expect("a notification is JSON");
    let inner =
        outer["oslo.message"].as_str().expect("an envelope of oslo.messaging holds its message as text");
    let message: Value = serde_json::from_str(inner).expect("the message is JSON");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let payload = &message["payload"];
    let data = &payload["nova_object.data"];
    let thing = [&payload["instance_id"], &data["uuid"], &payload["key_name"], &data["name"]];
    let thing = thing.into_iter().find_map(Value::as_str).unwrap_or_default();
    // Keystone and Glance name no request, and have no versioned notifications: each is a cause of its own.
    let request = message["_context_request_id"].as_str().or(message["message_id"].as_str());
    Carried {
        at: Instant::now(),
        exchange: exchange.to_owned(),
        id: text(&message["message_id"]),
        event_type: text(&message["event_type"]),
        versioned: routing_key.starts_with("versioned"),
        cause: format!("{} {thing}", request.unwrap_or_default()),
    }
}
