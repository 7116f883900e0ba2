//! What is asked of a broker that let us in: our queue, its witnesses, the bindings, the consumer.
//!
//! Questions that may be answered with "not found" close their channel, so they have one of their own, apart from that of the
//! messages. Each question has a deadline, so that a broker which is silent is noticed whatever its heartbeats do.
//!
//! Exchanges of OpenStack are only looked for, never declared: one that we made with another durability than the services
//! expect would keep them from publishing, and worse, from talking to each other.

use super::connect::connect;
use super::errors::{asked_error, is_in_use, is_not_found};
use super::position::WitnessOf;
use super::settings::AmqpSettings;
use crate::provider::StreamError;
use lapin::options::{
    BasicConsumeOptions, BasicQosOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions,
    QueueDeleteOptions,
};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{Channel, Connection, Consumer, Error, ExchangeKind, Queue};
use std::time::Duration;

const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// Seconds that a reader before us may take to leave.
const READER_LEAVES: u32 = 5;

/// A broker that let us in.
pub(super) struct Broker {
    settings: AmqpSettings,
    connection: Connection,
    /// Its address, for messages.
    at: String,
    /// For questions; one that fails closes it.
    asking: Channel,
}

impl std::fmt::Debug for Broker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Broker").field("at", &self.at).finish_non_exhaustive()
    }
}

/// What was found where our queue belongs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    /// It was there.
    pub(super) before: bool,
    /// Messages that wait in it.
    pub(super) ready: u32,
}

fn witness_name(of: WitnessOf, queue: &str, mark: &str) -> String {
    match of {
        WitnessOf::Queue => format!("{queue}.kept.{mark}"),
        WitnessOf::Bindings => format!("{queue}.bound.{mark}"),
    }
}

impl Broker {
    /// Logs in.
    ///
    /// # Errors
    /// See [`connect`].
    pub(super) async fn connect(settings: &AmqpSettings) -> Result<Self, StreamError> {
        let (connection, at) = connect(settings).await?;
        let asking = channel(settings, &connection, &at).await?;
        Ok(Self { settings: settings.clone(), connection, at, asking })
    }

    /// Its address, for messages.
    pub(super) fn at(&self) -> &str {
        &self.at
    }

    /// Finds our queue, or makes it.
    ///
    /// # Errors
    /// See [`asked_error`].
    pub(super) async fn queue(&mut self) -> Result<Found, StreamError> {
        let before = self.ready().await?;
        let mut arguments = FieldTable::default();
        let expiry = i64::try_from(self.settings.queue_expiry.as_millis()).unwrap_or(i64::MAX);
        arguments.insert("x-expires".into(), AMQPValue::LongLongInt(expiry));
        arguments.insert("x-max-length".into(), AMQPValue::LongLongInt(self.settings.queue_length.into()));
        // Never reject-publish: it would disturb the cloud.
        arguments.insert("x-overflow".into(), AMQPValue::LongString("drop-head".into()));
        // As the broker's default may be another.
        arguments.insert("x-queue-type".into(), AMQPValue::LongString("classic".into()));
        let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        let name = short(&self.settings.queue);
        let declared = answer(self.asking.queue_declare(name, options, arguments)).await;
        let what = format!("declare {}", self.settings.shown());
        let declared: Queue = declared.map_err(|error| self.error(&what, error))?;
        Ok(Found { before: before.is_some(), ready: declared.message_count() })
    }

    /// How many messages wait in our queue; `None` when it is not there.
    ///
    /// # Errors
    /// See [`asked_error`].
    pub(super) async fn ready(&mut self) -> Result<Option<u32>, StreamError> {
        let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let name = short(&self.settings.queue);
        let asked = answer(self.asking.queue_declare(name, options, FieldTable::default())).await;
        let what = format!("look for {}", self.settings.shown());
        Ok(self.found(&what, asked).await?.map(|queue| queue.message_count()))
    }

    /// Whether this witness is there.
    ///
    /// # Errors
    /// See [`asked_error`].
    pub(super) async fn has_witness(&mut self, of: WitnessOf, mark: &str) -> Result<bool, StreamError> {
        let name = witness_name(of, &self.settings.queue, mark);
        self.has_exchange(&name).await
    }

    /// Makes a witness with a new mark, which is returned.
    ///
    /// # Errors
    /// See [`asked_error`].
    pub(super) async fn make_witness(&mut self, of: WitnessOf) -> Result<String, StreamError> {
        let mark = uuid::Uuid::new_v4().simple().to_string();
        let name = witness_name(of, &self.settings.queue, &mark);
        // It goes when the queue goes, since that is bound to it.
        let options = ExchangeDeclareOptions {
            durable: of == WitnessOf::Queue,
            auto_delete: true,
            ..ExchangeDeclareOptions::default()
        };
        let made =
            self.asking.exchange_declare(short(&name), ExchangeKind::Fanout, options, FieldTable::default());
        answer(made).await.map_err(|error| self.error(&format!("declare exchange {name}"), error))?;
        self.bind(&name, "").await?;
        Ok(mark)
    }

    /// Binds our queue to `exchange` with all `keys`; `false` when the exchange is not there. Binding again changes nothing.
    ///
    /// # Errors
    /// See [`asked_error`].
    pub(super) async fn listen(&mut self, exchange: &str, keys: &[String]) -> Result<bool, StreamError> {
        if !self.has_exchange(exchange).await? {
            return Ok(false);
        }
        for key in keys {
            self.bind(exchange, key).await?;
        }
        Ok(true)
    }

    /// Begins to receive, on a channel of its own. A reader before us may still be on its way out, so it is asked a few times.
    ///
    /// # Errors
    /// See [`asked_error`].
    pub(super) async fn consume(&self, prefetch: u16) -> Result<Consumer, StreamError> {
        let what = format!("read {}", self.settings.shown());
        let mut tries = 0..READER_LEAVES;
        loop {
            let channel = channel(&self.settings, &self.connection, &self.at).await?;
            answer(channel.basic_qos(prefetch, BasicQosOptions::default()))
                .await
                .map_err(|error| self.error(&what, error))?;
            // Two readers of one queue would steal each other's messages.
            let options = BasicConsumeOptions { exclusive: true, ..BasicConsumeOptions::default() };
            let queue = short(&self.settings.queue);
            let asked = channel.basic_consume(queue, "catchall".into(), options, FieldTable::default());
            match answer(asked).await {
                Ok(consumer) => return Ok(consumer),
                Err(error) if is_in_use(&error) && tries.next().is_some() => {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                Err(error) => return Err(self.error(&what, error)),
            }
        }
    }

    /// Deletes our queue, and with it its witnesses.
    pub(super) async fn delete_queue(&self) {
        let options = QueueDeleteOptions { if_unused: true, ..QueueDeleteOptions::default() };
        if let Err(error) = answer(self.asking.queue_delete(short(&self.settings.queue), options)).await {
            log::warn!("{}: {}", self.settings.ems, self.error("delete the queue again", error));
        }
    }

    /// Says good-bye.
    pub(super) async fn close(&self) {
        // An error says that it is closed already.
        let _ = answer(self.connection.close(200, "stopped".into())).await;
    }

    async fn has_exchange(&mut self, exchange: &str) -> Result<bool, StreamError> {
        let options = ExchangeDeclareOptions { passive: true, ..ExchangeDeclareOptions::default() };
        let kind = ExchangeKind::Topic; // not looked at
        let asked =
            answer(self.asking.exchange_declare(short(exchange), kind, options, FieldTable::default())).await;
        Ok(self.found(&format!("look for exchange {exchange}"), asked).await?.is_some())
    }

    async fn bind(&self, exchange: &str, key: &str) -> Result<(), StreamError> {
        let queue = short(&self.settings.queue);
        let options = QueueBindOptions::default();
        let bound =
            self.asking.queue_bind(queue, short(exchange), short(key), options, FieldTable::default());
        answer(bound).await.map_err(|error| {
            self.error(&format!("bind queue {} to exchange {exchange}", self.settings.queue), error)
        })
    }

    /// `None` when it is not there; then the broker has closed the channel, and there is a new one.
    async fn found<T>(&mut self, what: &str, asked: Result<T, Error>) -> Result<Option<T>, StreamError> {
        match asked {
            Ok(found) => Ok(Some(found)),
            Err(error) if is_not_found(&error) => {
                self.asking = channel(&self.settings, &self.connection, &self.at).await?;
                Ok(None)
            }
            Err(error) => Err(self.error(what, error)),
        }
    }

    fn error(&self, what: &str, error: Error) -> StreamError {
        asked_error(&self.settings, &self.at, what, &error)
    }
}

async fn channel(settings: &AmqpSettings, connection: &Connection, at: &str) -> Result<Channel, StreamError> {
    let made = answer(connection.create_channel()).await;
    made.map_err(|error| asked_error(settings, at, "open a channel", &error))
}

async fn answer<T>(asked: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    tokio::time::timeout(ANSWER_TIMEOUT, asked).await.unwrap_or_else(|_| {
        let text = format!("no answer within {ANSWER_TIMEOUT:?}");
        Err(std::io::Error::new(std::io::ErrorKind::TimedOut, text).into())
    })
}

/// The settings allow no longer ones.
fn short(name: &str) -> ShortString {
    ShortString::try_new(name).unwrap_or_default()
}
