//! A provider that sends by itself: the next batch is read while one is committed, and committed after it.

use super::fragile::Parser;
use async_trait::async_trait;
use catchall::provider::{
    Ack, Collector, Cursor, Ems, EventBatch, EventParser, EventTargetParser, NativeEvent, Provider,
    ProviderError, Stream, StreamError,
};
use std::borrow::Cow;
use std::sync::Mutex;

/// How many batches there are.
pub const BATCHES: u64 = 40;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happened {
    Polled(u64),
    ReadAhead(u64),
    Broke(u64),
    Acknowledged(u64),
}

/// What happened to its streams.
pub static HAPPENED: Mutex<Vec<Happened>> = Mutex::new(Vec::new());

/// The provider.
pub struct Pushing;

struct PushingStream {
    next: u64,
}

fn tell(happened: Happened) {
    HAPPENED.lock().unwrap().push(happened);
}

impl PushingStream {
    fn batch(&mut self) -> EventBatch {
        let number = self.next;
        self.next += 1;
        let events = (0..3).map(|event| NativeEvent::new(format!("{number:02}-{event}"))).collect();
        let cursor = Cursor { source: "pushing".into(), position: self.next.into() };
        EventBatch {
            events,
            cursor: Some(cursor),
            ack: Some(Box::new(number)),
            more: true,
            ..EventBatch::default()
        }
    }
}

#[async_trait]
impl Stream for PushingStream {
    async fn start(&mut self, resume_from: Option<Cursor>) -> Result<(), StreamError> {
        self.next = resume_from.and_then(|cursor| cursor.position.as_u64()).unwrap_or(0);
        Ok(())
    }

    async fn poll(&mut self) -> Result<EventBatch, StreamError> {
        if self.next == BATCHES {
            return std::future::pending().await;
        }
        tell(Happened::Polled(self.next));
        Ok(self.batch())
    }

    async fn read_ahead(&mut self) -> Result<EventBatch, StreamError> {
        if self.next == BATCHES {
            return std::future::pending().await;
        }
        if self.next % 7 == 6 {
            tell(Happened::Broke(self.next));
            return Err(StreamError::Unreachable("it breaks on purpose".to_owned()));
        }
        tell(Happened::ReadAhead(self.next));
        Ok(self.batch())
    }

    async fn ack(&mut self, ack: Ack) -> Result<(), StreamError> {
        tell(Happened::Acknowledged(*ack.downcast_ref::<u64>().unwrap()));
        Ok(())
    }
}

impl Provider for Pushing {
    fn ems_type(&self) -> &'static str {
        "pushing"
    }

    fn class_name(&self) -> &'static str {
        "ManageIQ::Providers::Pushing::CloudManager"
    }

    fn event_source(&self) -> &'static str {
        "PUSHING"
    }

    fn default_settings(&self) -> &'static str {
        "{}"
    }

    fn automate(&self) -> Vec<(String, Cow<'static, [u8]>)> {
        Vec::new()
    }

    fn event_parser(&self) -> &dyn EventParser {
        &Parser
    }

    fn event_target_parser(&self) -> &dyn EventTargetParser {
        &Parser
    }

    fn stream(&self, _: &Ems) -> Result<Box<dyn Stream>, ProviderError> {
        Ok(Box::new(PushingStream { next: 0 }))
    }

    fn collector(&self, _: &Ems) -> Result<Option<Box<dyn Collector>>, ProviderError> {
        Ok(None)
    }

    fn has_collector(&self) -> bool {
        false
    }
}
