//! The queue's clock: the `Date` of its answers. A cursor never holds a time of ours.

use aws_sdk_sqs::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_sqs::config::{ConfigBag, Intercept, RuntimeComponents};
use chrono::{DateTime, Utc};
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

/// Reads the `Date` of each good answer of a client. Clones are the same clock.
#[derive(Clone, Debug, Default)]
pub(super) struct QueueClock(Arc<AtomicI64>);

impl QueueClock {
    /// What the latest answer said; `None` when none has said anything.
    pub(super) fn now(&self) -> Option<DateTime<Utc>> {
        match self.0.load(Relaxed) {
            0 => None,
            seconds => DateTime::from_timestamp(seconds, 0),
        }
    }
}

impl Intercept for QueueClock {
    fn name(&self) -> &'static str {
        "QueueClock"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        let response = context.response();
        let date = response.headers().get("date").filter(|_| response.status().is_success());
        if let Some(date) = date.and_then(|date| DateTime::parse_from_rfc2822(date).ok()) {
            self.0.store(date.timestamp(), Relaxed);
        }
        Ok(())
    }
}
