//! The requests about messages: receive, delete, keep hidden. Many receipts go out in batches of ten, several at a time.

use super::client::timeouts;
use super::clock::QueueClock;
use super::errors::{Asked, stream_error};
use crate::provider::StreamError;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::Builder;
use aws_sdk_sqs::types::{
    BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, Message,
};
use futures_util::{StreamExt, stream};
use std::time::Duration;

/// SQS's limit.
const BATCH: usize = 10;
/// Batches on their way at a time.
const AT_A_TIME: usize = 4;

/// What acknowledges a batch of events.
#[derive(Debug, Default)]
pub(super) struct Receipts {
    /// SQS's receipt handles.
    pub(super) handles: Vec<String>,
}

/// A queue that answered.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) client: Client,
    pub(super) queue_url: String,
    pub(super) ems: String,
    pub(super) region: String,
    pub(super) clock: QueueClock,
    /// How long a received message stays hidden.
    pub(super) visibility: Duration,
}

impl Connection {
    /// Early enough for two more tries.
    pub(super) fn hold_every(&self) -> Duration {
        self.visibility / 3
    }

    /// Up to `most` messages; waits up to `wait` for the first one.
    ///
    /// # Errors
    /// See [`stream_error`].
    pub(super) async fn receive(&self, wait: Duration, most: usize) -> Result<Vec<Message>, StreamError> {
        let request = self
            .client
            .receive_message()
            .queue_url(&self.queue_url)
            .max_number_of_messages(i32::try_from(most).unwrap_or(10))
            .wait_time_seconds(i32::try_from(wait.as_secs()).unwrap_or(20))
            .visibility_timeout(self.visibility_seconds());
        let patient = Builder::default().timeout_config(timeouts(wait));
        let answer = request.customize().config_override(patient).send().await;
        let answer = answer.map_err(|error| stream_error(self.asked("cannot receive from"), &error))?;
        Ok(answer.messages.unwrap_or_default())
    }

    /// Deletes the messages of a committed batch.
    ///
    /// # Errors
    /// When a whole request fails. Single messages that stay are logged: they come back, and are stored only once.
    pub(super) async fn delete(&self, receipts: &Receipts) -> Result<(), StreamError> {
        let requests = receipts.handles.chunks(BATCH).map(|handles| {
            let entries = entries(handles, |id, handle| {
                DeleteMessageBatchRequestEntry::builder().id(id).receipt_handle(handle).build()
            });
            let request = self.client.delete_message_batch().queue_url(&self.queue_url);
            request.set_entries(Some(entries)).send()
        });
        let answers = a_few_at_a_time(requests.collect()).await;
        let mut failed = Vec::new();
        for answer in answers {
            failed.extend(
                answer.map_err(|error| stream_error(self.asked("cannot delete from"), &error))?.failed,
            );
        }
        self.report(&failed, receipts, "deleted");
        Ok(())
    }

    /// Hides the messages of a waiting batch for another visibility timeout.
    ///
    /// # Errors
    /// As [`Connection::delete`].
    pub(super) async fn extend_visibility(&self, receipts: &Receipts) -> Result<(), StreamError> {
        let requests = receipts.handles.chunks(BATCH).map(|handles| {
            let entries = entries(handles, |id, handle| {
                ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(id)
                    .receipt_handle(handle)
                    .visibility_timeout(self.visibility_seconds())
                    .build()
            });
            let request = self.client.change_message_visibility_batch().queue_url(&self.queue_url);
            request.set_entries(Some(entries)).send()
        });
        let answers = a_few_at_a_time(requests.collect()).await;
        let mut failed = Vec::new();
        for answer in answers {
            failed.extend(answer.map_err(|error| stream_error(self.asked("cannot hold in"), &error))?.failed);
        }
        self.report(&failed, receipts, "held");
        Ok(())
    }

    fn report(&self, failed: &[BatchResultErrorEntry], receipts: &Receipts, what: &str) {
        let Some(first) = failed.first() else { return };
        log::warn!(
            "{}: {} of {} messages could not be {what} in {} ({}: {}); they will be delivered again, and are stored only \
             once",
            self.ems,
            failed.len(),
            receipts.handles.len(),
            self.queue_url,
            first.code,
            first.message.as_deref().unwrap_or("no reason given")
        );
    }

    fn asked<'a>(&'a self, what: &'a str) -> Asked<'a> {
        Asked { what, queue: &self.queue_url, region: &self.region }
    }

    fn visibility_seconds(&self) -> i32 {
        i32::try_from(self.visibility.as_secs()).unwrap_or(i32::MAX)
    }
}

/// Entries need an id that is unique within the request; what is wrong with an entry only its builder knows.
fn entries<T, E: std::fmt::Debug>(
    handles: &[String],
    entry: impl Fn(String, &str) -> Result<T, E>,
) -> Vec<T> {
    let numbered = handles.iter().enumerate();
    numbered.filter_map(|(index, handle)| entry(index.to_string(), handle).ok()).collect()
}

async fn a_few_at_a_time<R: Future>(requests: Vec<R>) -> Vec<R::Output> {
    stream::iter(requests).buffer_unordered(AT_A_TIME).collect().await
}
