//! The ParserActor: native events → what the event handler commits. Runs off the streams' threads.
//!
//! Everything that can fail on content fails here, one event at a time, and becomes a dead letter. The functions are
//! pure; the actor only carries them.

use super::Child;
use super::flood_control::{self, FloodControl};
use super::messages::{ParseEvents, ParsedBatch};
use super::prepare::{Outcome, Preparation, dead_letter_of, parse_native, prepare};
use super::stream::StreamExit;
use crate::actor::{Exit, ExitNotice};
use crate::automate::SharedAutomation;
use crate::clock;
use crate::observe::{ActorFigures, EmsFigures};
use crate::provider::{NativeEvent, ParseError, Parsed, ParsedEvent, Provider};
use crate::settings::{EventNameFilter, RefreshSettings};
use actix::{Actor, Addr, AsyncContext, Context, Handler};
use actix_rt::ArbiterHandle;
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// What events of one EMS are measured against.
#[derive(Clone)]
pub struct ParserSettings {
    /// `blacklisted_event_names`.
    pub filter: EventNameFilter,
    /// `ems_refresh`.
    pub refresh: RefreshSettings,
    /// `event_streams.history.keep_events`: what is older is counted, not stored.
    pub keep_events: Duration,
    /// The EMS's name.
    pub ems_name: String,
    /// Shared, so that a reload needs no restart.
    pub automation: SharedAutomation,
}

/// Parses the batches of one EMS.
pub struct ParserActor {
    pub(super) provider: &'static dyn Provider,
    pub(super) settings: ParserSettings,
    pub(super) figures: Arc<ActorFigures>,
    pub(super) ems: Arc<EmsFigures>,
    pub(super) flood: Option<FloodControl>,
    pub(super) notice: ExitNotice<Child, StreamExit>,
}

impl ParserActor {
    pub(super) fn spawn(arbiter: &ArbiterHandle, make: impl FnOnce() -> Self + Send + 'static) -> Addr<Self> {
        Self::start_in_arbiter(arbiter, |_| make())
    }
}

impl Actor for ParserActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        if self.flood.is_some() {
            ctx.run_interval(flood_control::LOOK, |parser, _| {
                if let Some(flood) = &mut parser.flood {
                    flood.look();
                }
            });
        }
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        // While a panic unwinds the notice stays unreported here, and its drop tells of the panic.
        if !std::thread::panicking() {
            self.notice.report(Exit::Ended(StreamExit::Stopped));
        }
    }
}

impl Handler<ParseEvents> for ParserActor {
    type Result = actix::MessageResult<ParseEvents>;

    fn handle(&mut self, message: ParseEvents, _: &mut Self::Context) -> Self::Result {
        self.figures.mailbox_wait.record(message.sent.elapsed());
        self.figures.in_flight.store(message.events.len() as i64, Relaxed);
        fail::fail_point!("parser.begin");
        let mut batch = parse_batch(self.provider, &self.settings, &self.ems, &message.events);
        if let Some(flood) = &mut self.flood {
            flood.mark(self.provider, &mut batch.events);
        }
        fail::fail_point!("parser.end");
        self.figures.in_flight.store(0, Relaxed);
        self.figures.handled.fetch_add(message.events.len() as u64, Relaxed);
        self.figures.failed.fetch_add(batch.dead_letters.len() as u64, Relaxed);
        actix::MessageResult(batch)
    }
}

/// Parse, filter, evaluate. Whatever fails is a dead letter of its own.
pub fn parse_batch(
    provider: &dyn Provider,
    settings: &ParserSettings,
    ems: &EmsFigures,
    natives: &[NativeEvent],
) -> ParsedBatch {
    let automation = settings.automation.get();
    let preparation = Preparation {
        provider,
        ems: &settings.ems_name,
        automation: &automation,
        refresh: &settings.refresh,
    };
    let oldest = oldest_kept(clock::now(), settings.keep_events);
    let mut batch = ParsedBatch::default();
    for native in natives {
        match parse_native(provider, native) {
            Ok(Parsed::Filtered(reason)) => ems.filtered(reason.0, 1),
            Ok(Parsed::Events(events)) => {
                for parsed in events {
                    if let Some(reason) = filtered(settings, &parsed, oldest) {
                        ems.filtered(reason, 1);
                        continue;
                    }
                    match prepare(parsed, &preparation) {
                        Ok((ready, outcomes)) => {
                            count(ems, &outcomes);
                            batch.events.push(ready);
                        }
                        Err(error) => bury(&mut batch, native, &error),
                    }
                }
            }
            Err(error) => bury(&mut batch, native, &error),
        }
    }
    batch
}

/// Events before this are counted, not stored. Who keeps events for longer than there is a calendar keeps them all.
fn oldest_kept(now: DateTime<Utc>, keep_events: Duration) -> DateTime<Utc> {
    let kept = TimeDelta::from_std(keep_events).ok();
    kept.and_then(|kept| now.checked_sub_signed(kept)).unwrap_or(DateTime::<Utc>::MIN_UTC)
}

fn filtered(settings: &ParserSettings, parsed: &ParsedEvent, oldest: DateTime<Utc>) -> Option<&'static str> {
    if settings.filter.matches(&parsed.event.event_type) {
        return Some("blacklisted_event_names");
    }
    (parsed.event.timestamp < oldest).then_some("older_than_keep_events")
}

fn bury(batch: &mut ParsedBatch, native: &NativeEvent, error: &ParseError) {
    batch.dead_letters.push(dead_letter_of(native, &error.0));
}

/// Counts what the switchboard asked for and did not get.
pub(crate) fn count(ems: &EmsFigures, outcomes: &[Outcome]) {
    for outcome in outcomes {
        match outcome {
            Outcome::RefreshWithoutWork => {
                ems.refresh_calls_without_work.fetch_add(1, Relaxed);
            }
        }
    }
}
