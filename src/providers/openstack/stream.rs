//! Reads our queue of notifications: takes what comes in batches, acknowledges each after its commit.
//!
//! What was not acknowledged is delivered again, so a dropped poll, a lost acknowledgement, a broken connection and a crash lose
//! nothing. Received messages wait in the stream object, not in a future. The cursor only notices what is lost at the broker
//! ([`position`]). Connections are not repaired: any error ends the stream, and the next one starts afresh.

mod broker;
mod connect;
mod errors;
mod notification;
mod position;
mod settings;
mod tls;
mod topics;
mod twins;

use crate::provider::{
    Ack, ByteBudget, Cursor, Ems, EventBatch, NativeEvent, ProviderError, Stream, StreamError,
};
use async_trait::async_trait;
use broker::Broker;
use futures_util::{FutureExt, StreamExt};
use lapin::message::Delivery;
use lapin::options::BasicAckOptions;
use lapin::{Acker, Consumer};
use notification::{Likeness, sent_at};
use position::{Position, Progress, Witness, WitnessOf, stored_position};
use settings::AmqpSettings;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

/// A batch ends here.
const BATCH_BYTES: usize = 4 << 20;
/// How often the queue is looked at while nothing comes; also a sign of the broker's life.
const LOOK: Duration = Duration::from_secs(15);
/// How often the queue is bound to all exchanges again, which changes nothing where it is.
const BIND: Duration = Duration::from_secs(60);
/// Exchanges that are not there are looked for after so long, then after twice as long each time, up to [`BIND`]: after a loss
/// they come back as soon as a service connects or sends, and each second counts.
const SOON: Duration = Duration::from_secs(1);
/// An acknowledgement is only written.
const ACK_TIMEOUT: Duration = Duration::from_secs(10);

/// The stream of one EMS. Opens no connection yet.
pub(super) fn stream(ems: &Ems) -> Result<Box<dyn Stream>, ProviderError> {
    let settings = AmqpSettings::new(ems)?;
    Ok(Box::new(AmqpStream { settings, budget: ems.budget.clone(), reading: None }))
}

/// Ruby: `OpenstackRabbitEventMonitor`.
struct AmqpStream {
    settings: AmqpSettings,
    budget: ByteBudget,
    reading: Option<Reading>,
}

/// A broker that let us in, and what we know of our queue there.
struct Reading {
    broker: Broker,
    progress: Progress,
    /// The start made the queue.
    made: bool,
    consumer: Receiving,
    /// Received, and not yet in a batch.
    waiting: VecDeque<Delivery>,
    looked: Instant,
    bound: Instant,
    /// When missing exchanges were looked for, and when they will be.
    searched: Instant,
    search: Duration,
}

/// Receiving begins with the first poll: `catchall check --connect` only starts.
enum Receiving {
    NotYet,
    /// A poll was dropped in the middle of it.
    Beginning,
    From(Consumer),
}

#[async_trait]
impl Stream for AmqpStream {
    async fn start(&mut self, resume_from: Option<Cursor>) -> Result<(), StreamError> {
        let settings = &self.settings;
        let (source, prefetch) = (settings.shown(), settings.prefetch());
        let mut broker = Broker::connect(settings).await?;
        let found = broker.queue().await?;
        let mut progress = match stored_position(&source, resume_from) {
            Ok(None) => Progress::begin(source, None, prefetch),
            Err(reason) => Progress::begin(source, Some(reason), prefetch),
            Ok(Some(position)) => {
                let witness = ask_witnesses(&mut broker, &position).await?;
                Progress::resume(source, position, witness, prefetch)
            }
        };
        progress.filled(found.ready, settings.queue_length, 0);
        let now = Instant::now();
        let mut reading = Reading {
            broker,
            progress,
            made: !found.before,
            consumer: Receiving::NotYet,
            waiting: VecDeque::new(),
            looked: now,
            bound: now,
            searched: now,
            search: SOON,
        };
        reading.look_for_exchanges(settings, |_| true).await?;
        tell_missing(settings, &reading);
        log::info!(
            "{}: reading {} at {}, in which {} messages wait",
            settings.ems,
            settings.shown(),
            reading.broker.at(),
            found.ready
        );
        self.reading = Some(reading);
        Ok(())
    }

    async fn poll(&mut self) -> Result<EventBatch, StreamError> {
        let Some(reading) = &mut self.reading else {
            return Err(StreamError::Unreachable(format!("{} is not connected yet", self.settings.shown())));
        };
        reading.begin(&self.settings).await?;
        reading.look(&self.settings).await?;
        if !reading.progress.is_urgent() || reading.more_is_here()? {
            reading.receive(&self.settings).await?;
        }
        Ok(reading.next_batch(&self.settings, &self.budget).await)
    }

    /// Only what arrives by itself: when it is time to look at the queue, that is for the next poll.
    async fn read_ahead(&mut self) -> Result<EventBatch, StreamError> {
        let Some(reading) = &mut self.reading else { return std::future::pending().await };
        let full = tokio::time::timeout_at(reading.next_look(&self.settings), reading.fill(&self.settings));
        match full.await {
            Ok(filled) => filled?,
            Err(_) => return std::future::pending().await,
        }
        Ok(reading.next_batch(&self.settings, &self.budget).await)
    }

    /// All messages up to the last of the batch: those before it are committed too, as batches are committed in turn.
    async fn ack(&mut self, ack: Ack) -> Result<(), StreamError> {
        let Some(acker) = ack.downcast_ref::<Acker>() else { return Ok(()) };
        // Of a channel that is gone it does nothing: the messages are delivered again.
        let acknowledged = acker.ack(BasicAckOptions { multiple: true });
        match tokio::time::timeout(ACK_TIMEOUT, acknowledged).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(StreamError::Unreachable(error.to_string())),
            Err(_) => Err(StreamError::Unreachable(format!("not written within {ACK_TIMEOUT:?}"))),
        }
    }

    async fn stop(&mut self) {
        let Some(reading) = self.reading.take() else { return };
        if reading.made && matches!(reading.consumer, Receiving::NotYet) {
            // Nobody is going to read it: this was a look at whether all is right.
            reading.broker.delete_queue().await;
        }
        reading.broker.close().await;
    }
}

/// What became of the queue and its bindings since `position`.
async fn ask_witnesses(broker: &mut Broker, position: &Position) -> Result<Witness, StreamError> {
    if !broker.has_witness(WitnessOf::Queue, &position.queue).await? {
        return Ok(Witness::OtherQueue);
    }
    if !broker.has_witness(WitnessOf::Bindings, &position.bindings).await? {
        return Ok(Witness::BindingsLost);
    }
    Ok(Witness::AsBefore)
}

fn tell_missing(settings: &AmqpSettings, reading: &Reading) {
    let missing: Vec<_> = reading.missing(settings).collect();
    let (ems, at) = (&settings.ems, reading.broker.at());
    let again = "looking again; a service makes its exchange when it first sends";
    if missing.len() == settings.topics.exchanges().count() {
        let missing = missing.join(", ");
        log::warn!(
            "{ems}: none of the exchanges {missing} is at {at}, so no event can come: do the services send notifications \
             (oslo_messaging_notifications: driver = messagingv2), and to this vhost, {}? {again}",
            settings.vhost
        );
    } else if !missing.is_empty() {
        log::info!("{ems}: there is no exchange {} at {at}; {again}", missing.join(", "));
    }
}

/// One that arrived, or why none will.
fn delivery(next: Option<Result<Delivery, lapin::Error>>) -> Result<Delivery, StreamError> {
    match next {
        Some(Ok(delivery)) => Ok(delivery),
        Some(Err(error)) => {
            Err(StreamError::Unreachable(format!("the connection to the broker broke: {error}")))
        }
        None => Err(StreamError::Unreachable(
            "the broker ended the reading: the queue was deleted, or its node of the cluster went down"
                .to_owned(),
        )),
    }
}

impl Reading {
    /// Makes the witnesses that are missing, and begins to receive.
    async fn begin(&mut self, settings: &AmqpSettings) -> Result<(), StreamError> {
        match self.consumer {
            Receiving::From(_) => return Ok(()),
            // Its messages would wait for somebody who is gone.
            Receiving::Beginning => {
                return Err(StreamError::Unreachable("interrupted while it began to receive".to_owned()));
            }
            Receiving::NotYet => self.consumer = Receiving::Beginning,
        }
        while let Some(lacking) = self.progress.lacks() {
            let mark = self.broker.make_witness(lacking).await?;
            self.progress.made(lacking, mark);
        }
        self.consumer = Receiving::From(self.broker.consume(settings.prefetch()).await?);
        Ok(())
    }

    /// Looks at queue and exchanges, when it is time.
    async fn look(&mut self, settings: &AmqpSettings) -> Result<(), StreamError> {
        let now = Instant::now();
        if now >= self.looked + LOOK {
            self.looked = now;
            self.look_at_queue(settings).await?;
        }
        if now >= self.bound + BIND {
            (self.bound, self.searched) = (now, now);
            self.look_for_exchanges(settings, |_| true).await?;
        } else if now >= self.searched + self.search && self.missing(settings).next().is_some() {
            (self.searched, self.search) = (now, BIND.min(self.search * 2));
            self.look_for_exchanges(settings, |there| there == Some(false)).await?;
        }
        Ok(())
    }

    /// When [`Reading::look`] has something to do.
    fn next_look(&self, settings: &AmqpSettings) -> Instant {
        let look = (self.looked + LOOK).min(self.bound + BIND);
        if self.missing(settings).next().is_some() { look.min(self.searched + self.search) } else { look }
    }

    async fn look_at_queue(&mut self, settings: &AmqpSettings) -> Result<(), StreamError> {
        let Some(ready) = self.broker.ready().await? else {
            return Err(StreamError::Unreachable(format!("{} was deleted", settings.shown())));
        };
        self.progress.filled(ready, settings.queue_length, u32::from(settings.prefetch()) * 2);
        Ok(())
    }

    /// Binds the queue to the exchanges of which `which` wants what was known of them.
    async fn look_for_exchanges(
        &mut self,
        settings: &AmqpSettings,
        which: impl Fn(Option<bool>) -> bool,
    ) -> Result<(), StreamError> {
        for (exchange, keys) in settings.topics.iter() {
            let before = self.progress.knew(exchange);
            if !which(before) {
                continue;
            }
            let is_there = self.broker.listen(exchange, keys).await?;
            self.progress.looked(exchange, is_there);
            match (before, is_there) {
                (Some(true), false) => {
                    log::warn!("{}: exchange {exchange} is gone; it is looked for", settings.ems);
                    self.search = SOON;
                }
                (Some(false), true) => {
                    log::info!("{}: exchange {exchange} is there now", settings.ems);
                    self.search = SOON; // others may follow
                }
                (None | Some(false), false) | (None | Some(true), true) => {}
            }
        }
        Ok(())
    }

    fn missing<'a>(&'a self, settings: &'a AmqpSettings) -> impl Iterator<Item = &'a str> {
        settings.topics.exchanges().filter(|exchange| self.progress.knew(exchange) == Some(false))
    }

    /// Takes what is here without waiting; whether there is anything.
    fn more_is_here(&mut self) -> Result<bool, StreamError> {
        if self.waiting.is_empty()
            && let Receiving::From(consumer) = &mut self.consumer
            && let Some(next) = consumer.next().now_or_never()
        {
            self.waiting.push_back(delivery(next)?);
        }
        Ok(!self.waiting.is_empty())
    }

    /// Waits for the first message, at most until it is time to look; takes more as long as they are here.
    async fn receive(&mut self, settings: &AmqpSettings) -> Result<(), StreamError> {
        let until = self.next_look(settings);
        let Receiving::From(consumer) = &mut self.consumer else { return Ok(()) };
        if self.waiting.is_empty() {
            let Ok(next) = tokio::time::timeout_at(until, consumer.next()).await else { return Ok(()) };
            self.waiting.push_back(delivery(next)?);
        }
        while self.waiting.len() < settings.batch_size {
            match consumer.next().now_or_never() {
                Some(next) => self.waiting.push_back(delivery(next)?),
                None => break,
            }
        }
        Ok(())
    }

    /// Receives until a batch is full.
    async fn fill(&mut self, settings: &AmqpSettings) -> Result<(), StreamError> {
        let Receiving::From(consumer) = &mut self.consumer else { return std::future::pending().await };
        while self.waiting.len() < settings.batch_size {
            self.waiting.push_back(delivery(consumer.next().await)?);
        }
        Ok(())
    }

    /// What waits, as a batch.
    async fn next_batch(&mut self, settings: &AmqpSettings, budget: &ByteBudget) -> EventBatch {
        let (count, bytes) = self.batch(settings.batch_size);
        if count == 0 {
            let (cursor, gap) = self.progress.read(false, None, None);
            // The wait was within: the catcher need not wait besides.
            return EventBatch { cursor, gap, more: true, ..EventBatch::default() };
        }
        let permit = budget.admit(bytes).await;
        // From here on nothing waits: what leaves `waiting` is in the batch.
        let last = self.waiting.get(count - 1).map(|delivery| delivery.acker.clone());
        let deliveries: Vec<_> = self.waiting.drain(..count).collect();
        let mut batch = self.events(settings, deliveries);
        batch.ack = last.map(|acker| Box::new(acker) as Ack);
        EventBatch { more: true, permit: Some(permit), ..batch }
    }

    /// How many of the waiting messages make a batch, and their bytes.
    fn batch(&self, most: usize) -> (usize, usize) {
        let mut bytes = 0;
        for (index, delivery) in self.waiting.iter().take(most).enumerate() {
            if index > 0 && bytes + delivery.data.len() > BATCH_BYTES {
                return (index, bytes);
            }
            bytes += delivery.data.len();
        }
        (self.waiting.len().min(most), bytes)
    }

    /// The events of `deliveries`, and where that leads to. Of two twins the later one ends here: the first is committed before it
    /// or with it.
    fn events(&mut self, settings: &AmqpSettings, deliveries: Vec<Delivery>) -> EventBatch {
        let (mut events, mut known) = (Vec::with_capacity(deliveries.len()), Vec::new());
        let sent = |delivery: Option<&Delivery>| {
            delivery.and_then(|delivery| sent_at(std::str::from_utf8(&delivery.data).ok()?))
        };
        let (first, last) = (sent(deliveries.first()), sent(deliveries.last()));
        for delivery in deliveries {
            let (text, defect) = match String::from_utf8(delivery.data) {
                Ok(text) => (text, None),
                Err(error) => (
                    String::from_utf8_lossy(error.as_bytes()).into_owned(),
                    Some("it is no UTF-8".to_owned()),
                ),
            };
            let may_be_twin = settings.topics.has_versioned(delivery.exchange.as_str());
            let like = if may_be_twin { Likeness::of(&text) } else { None };
            match like.and_then(|like| self.progress.twins.twin_of(like, delivery.redelivered)) {
                Some(twin) => known.push(twin.to_string()),
                None => events.push(NativeEvent { text, transport_id: None, defect }),
            }
        }
        let (cursor, gap) = self.progress.read(true, first, last);
        EventBatch { events, known, cursor, gap, ..EventBatch::default() }
    }
}
