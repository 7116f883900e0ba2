//! A provider that fails on purpose: its stream panics some polls, its parser panics on some events.

use async_trait::async_trait;
use catchall::provider::{
    Collector, Cursor, Ems, EmsEvent, EventBatch, EventParser, EventTargetParser, NativeEvent, ParseError,
    Parsed, Provider, ProviderError, Stream, StreamError, Target,
};
use chrono::DateTime;
use std::borrow::Cow;
use std::cell::Cell;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use tokio::time::Instant;

thread_local! {
    /// When the latest poll panicked. Each test's streams have a thread of their own.
    static PANICKED: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// See the module.
pub struct Fragile {
    /// How many polls panic before the first that does not.
    pub panics: AtomicU32,
    /// When each stream after the first was made, and since when there was none: the panic of the one before.
    pub waits: Mutex<Vec<(Instant, Instant)>>,
}

impl Fragile {
    /// One whose first `panics` polls panic.
    pub const fn new(panics: u32) -> Self {
        Self { panics: AtomicU32::new(panics), waits: Mutex::new(Vec::new()) }
    }
}

struct FragileStream {
    panics: bool,
    served: bool,
}

#[async_trait]
impl Stream for FragileStream {
    async fn start(&mut self, resume_from: Option<Cursor>) -> Result<(), StreamError> {
        self.served = resume_from.is_some();
        Ok(())
    }

    async fn poll(&mut self) -> Result<EventBatch, StreamError> {
        if self.panics {
            PANICKED.set(Some(Instant::now()));
            panic!("this poll panics on purpose");
        }
        if std::mem::replace(&mut self.served, true) {
            return Ok(EventBatch::default());
        }
        let events = ["one", "two", "panic", "three"].into_iter().map(NativeEvent::new).collect();
        let cursor = Cursor { source: "fragile".into(), position: serde_json::json!(4) };
        Ok(EventBatch { events, cursor: Some(cursor), ..EventBatch::default() })
    }
}

pub struct Parser;

impl EventParser for Parser {
    fn parse(&self, native: &NativeEvent) -> Result<Parsed, ParseError> {
        assert!(native.text != "panic", "this event panics on purpose");
        let event = EmsEvent {
            event_type: format!("fragile.{}", native.text),
            source: "FRAGILE".to_owned(),
            timestamp: DateTime::from_timestamp(1_795_000_000, 0)
                .ok_or_else(|| ParseError::new("no time"))?,
            ..EmsEvent::default()
        };
        Ok(Parsed::one(&*native.text, event))
    }
}

impl EventTargetParser for Parser {
    fn parse(&self, _: &EmsEvent) -> Result<Vec<Target>, ParseError> {
        Ok(Vec::new())
    }
}

impl Provider for Fragile {
    fn ems_type(&self) -> &'static str {
        "fragile"
    }

    fn class_name(&self) -> &'static str {
        "ManageIQ::Providers::Fragile::CloudManager"
    }

    fn event_source(&self) -> &'static str {
        "FRAGILE"
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
        if let Some(panicked) = PANICKED.take() {
            self.waits.lock().unwrap().push((panicked, Instant::now()));
        }
        let panics = self.panics.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok();
        Ok(Box::new(FragileStream { panics, served: false }))
    }

    fn collector(&self, _: &Ems) -> Result<Option<Box<dyn Collector>>, ProviderError> {
        Ok(None)
    }

    fn has_collector(&self) -> bool {
        false
    }
}
