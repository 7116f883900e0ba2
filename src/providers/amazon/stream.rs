//! Reads the queue: long polls, deletes after the commit, extends visibility while a batch waits for it.
//!
//! What is not deleted comes back after the queue's visibility timeout, so a dropped poll, a failed acknowledgement and a
//! crash lose nothing. The cursor only notices what is lost at the queue ([`super::last_read`]). The queue and its
//! subscriptions are the operator's; nothing is created here.

use super::client::client;
use super::clock::QueueClock;
use super::errors::{Asked, stream_error};
use super::last_read::{LastRead, Queue};
use super::queue::{QueueAddress, QueueSettings};
use super::receipts::{Connection, Receipts};
use crate::provider::{Ack, ByteBudget, BytePermit, Cursor, EventBatch, NativeEvent, Stream, StreamError};
use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{Message, QueueAttributeName};
use chrono::TimeDelta;
use std::time::Duration;
use tokio::time::Instant;

/// The longest that SQS lets a request wait for a message.
const LONG_POLL: Duration = Duration::from_secs(20);
/// The most messages that SQS gives to one request.
const RECEIVE: usize = 10;
/// A batch of many receives ends here.
const BATCH_BYTES: usize = 4 << 20;
/// SQS's own default, for queues whose visibility timeout is zero.
const DEFAULT_VISIBILITY: Duration = Duration::from_secs(30);

/// The queue of one EMS. Ruby: `EventCatcher::Stream`.
#[derive(Debug)]
pub(super) struct SqsStream {
    settings: QueueSettings,
    budget: ByteBudget,
    reading: Option<Reading>,
}

/// A queue that answered, and when it was read last.
#[derive(Debug)]
struct Reading {
    connection: Connection,
    last: LastRead,
}

impl SqsStream {
    /// Opens no connection yet.
    pub(super) fn new(settings: QueueSettings, budget: ByteBudget) -> Self {
        Self { settings, budget, reading: None }
    }

    fn connection(&self) -> Result<&Connection, StreamError> {
        self.reading.as_ref().map(|reading| &reading.connection).ok_or_else(|| not_connected(&self.settings))
    }
}

#[async_trait]
impl Stream for SqsStream {
    async fn start(&mut self, resume_from: Option<Cursor>) -> Result<(), StreamError> {
        self.settings.check_owner()?;
        let clock = QueueClock::default();
        let client = client(&self.settings, clock.clone()).await?;
        let queue_url = match &self.settings.address {
            QueueAddress::Url(url) => url.clone(),
            QueueAddress::Name(name) => queue_url(&self.settings, &client, name).await?,
        };
        let (queue, visibility) = attributes(&self.settings, &client, &queue_url).await?;
        log::info!("{}: reading {queue_url}, visibility timeout {visibility:?}", self.settings.ems);
        let last = LastRead::resume(queue, resume_from, clock.now());
        let (ems, region) = (self.settings.ems.clone(), self.settings.region.clone());
        let connection = Connection { client, queue_url, ems, region, clock, visibility };
        self.reading = Some(Reading { connection, last });
        Ok(())
    }

    async fn poll(&mut self) -> Result<EventBatch, StreamError> {
        let Some(Reading { connection, last }) = &mut self.reading else {
            return Err(not_connected(&self.settings));
        };
        let began = Instant::now();
        let urgent = last.is_urgent();
        let wait = if urgent { Duration::ZERO } else { LONG_POLL };
        let messages = gather(connection, self.settings.batch_size, wait).await?;
        let (cursor, gap) = last.read(connection.clock.now(), !messages.is_empty());
        if messages.is_empty() {
            // The long poll was the wait. Should the queue answer at once, the catcher waits instead.
            let more = urgent || began.elapsed() > Duration::from_secs(1);
            return Ok(EventBatch { more, cursor, gap, ..EventBatch::default() });
        }
        let bytes = messages.iter().map(size).sum();
        let mut receipts = Receipts::default();
        let mut events = Vec::with_capacity(messages.len());
        for message in messages {
            receipts.handles.extend(message.receipt_handle);
            events.push(NativeEvent {
                text: message.body.unwrap_or_default(),
                transport_id: message.message_id,
                defect: None,
            });
        }
        let permit = admit(connection, &self.budget, bytes, &receipts).await;
        Ok(EventBatch {
            events,
            cursor,
            gap,
            ack: Some(Box::new(receipts)),
            more: true,
            permit: Some(permit),
            ..EventBatch::default()
        })
    }

    async fn ack(&mut self, ack: Ack) -> Result<(), StreamError> {
        match ack.downcast_ref::<Receipts>() {
            Some(receipts) => self.connection()?.delete(receipts).await,
            None => Ok(()), // of no connection of ours: its messages come back
        }
    }

    fn hold_every(&self) -> Option<Duration> {
        self.reading.as_ref().map(|reading| reading.connection.hold_every())
    }

    async fn hold(&mut self, ack: &Ack) -> Result<(), StreamError> {
        match ack.downcast_ref::<Receipts>() {
            Some(receipts) => self.connection()?.extend_visibility(receipts).await,
            None => Ok(()),
        }
    }
}

async fn queue_url(settings: &QueueSettings, client: &Client, name: &str) -> Result<String, StreamError> {
    let asked = Asked { what: "cannot find the queue", queue: name, region: &settings.region };
    let answer = client.get_queue_url().queue_name(name).send().await;
    let answer = answer.map_err(|error| stream_error(asked, &error))?;
    answer.queue_url.ok_or_else(|| StreamError::Unreachable(format!("SQS named no URL of the queue {name}")))
}

/// Asks which queue it is and for its visibility timeout, which also shows that the queue is there and the credentials are
/// good.
async fn attributes(
    settings: &QueueSettings,
    client: &Client,
    queue_url: &str,
) -> Result<(Queue, Duration), StreamError> {
    use QueueAttributeName::{CreatedTimestamp, MessageRetentionPeriod, QueueArn, VisibilityTimeout};
    let asked = Asked { what: "cannot read the attributes of", queue: queue_url, region: &settings.region };
    let mut request = client.get_queue_attributes().queue_url(queue_url);
    for name in [VisibilityTimeout, QueueArn, CreatedTimestamp, MessageRetentionPeriod] {
        request = request.attribute_names(name);
    }
    let answer = request.send().await.map_err(|error| stream_error(asked, &error))?;
    let mut found = answer.attributes.unwrap_or_default();
    // An answer without it is a broken one; to take it for another queue would make a gap.
    let arn = found.remove(&QueueArn).filter(|arn| !arn.is_empty()).ok_or_else(|| {
        StreamError::Unreachable(format!(
            "cannot read the attributes of {queue_url}: there is no QueueArn among them"
        ))
    })?;
    // Some that speak SQS's protocol tell fractions of a second.
    let whole = |text: &String| text.split('.').next().and_then(|text| text.parse::<i64>().ok());
    let number = |name| found.get(&name).and_then(whole).filter(|number| *number > 0);
    let retention = number(MessageRetentionPeriod).and_then(TimeDelta::try_seconds);
    let visibility = number(VisibilityTimeout).and_then(|seconds| u64::try_from(seconds).ok());
    let queue = Queue { arn, created: number(CreatedTimestamp), retention };
    Ok((queue, visibility.map_or(DEFAULT_VISIBILITY, Duration::from_secs)))
}

fn not_connected(settings: &QueueSettings) -> StreamError {
    StreamError::Unreachable(format!("{} is not connected yet", settings.address.shown()))
}

/// Waits up to `wait` for the first messages; as long as receives come back full, takes more without waiting. It ends well before
/// the first ones become visible again.
async fn gather(
    connection: &Connection,
    batch_size: usize,
    wait: Duration,
) -> Result<Vec<Message>, StreamError> {
    let mut messages = connection.receive(wait, RECEIVE).await?;
    let end = Instant::now() + connection.hold_every();
    let mut full = messages.len() == RECEIVE;
    let mut bytes: usize = messages.iter().map(size).sum();
    while full && messages.len() < batch_size && bytes < BATCH_BYTES && Instant::now() < end {
        let wanted = RECEIVE.min(batch_size - messages.len());
        match connection.receive(Duration::ZERO, wanted).await {
            Ok(more) => {
                full = more.len() == wanted;
                bytes += more.iter().map(size).sum::<usize>();
                messages.extend(more);
            }
            Err(error) => {
                log::debug!("{}: {error}; going on with what is here", connection.ems);
                break;
            }
        }
    }
    Ok(messages)
}

/// Waits for room in the process, and keeps the messages hidden meanwhile.
async fn admit(
    connection: &Connection,
    budget: &ByteBudget,
    bytes: usize,
    receipts: &Receipts,
) -> BytePermit {
    let admitted = budget.admit(bytes);
    tokio::pin!(admitted);
    loop {
        tokio::select! {
            permit = &mut admitted => return permit,
            () = tokio::time::sleep(connection.hold_every()) => {
                if let Err(error) = connection.extend_visibility(receipts).await {
                    log::warn!("{}: {error}", connection.ems);
                }
            }
        }
    }
}

fn size(message: &Message) -> usize {
    message.body.as_ref().map_or(0, String::len)
}
