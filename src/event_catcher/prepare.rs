//! Native event → what the commit takes, or the reason of a dead letter. Pure, and everything that can fail on an event's
//! content fails here, one event at a time, panics of a provider's parser included.
//!
//! It filters nothing: blacklists and ages are the parser actor's.

use super::storable;
use crate::automate::Automation;
use crate::automate::handlers::{self, HandlerContext};
use crate::provider::{NativeEvent, ParseError, Parsed, ParsedEvent, Provider, Target};
use crate::settings::RefreshSettings;
use crate::vmdb::{AutomateRequest, DeadLetter, ReadyEvent};
use sha2::{Digest, Sha256};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

pub use crate::automate::handlers::Outcome;

/// What an event is prepared with.
#[derive(Clone, Copy)]
pub struct Preparation<'a> {
    /// Of the event's EMS.
    pub provider: &'a dyn Provider,
    /// Its EMS's name.
    pub ems: &'a str,
    /// What follows from events.
    pub automation: &'a Automation,
    /// `ems_refresh` of the event's EMS.
    pub refresh: &'a RefreshSettings,
}

/// Has the provider's parser read `native`.
///
/// # Errors
/// A defect that was found before, what the parser says, or its panic.
pub fn parse_native(provider: &dyn Provider, native: &NativeEvent) -> Result<Parsed, ParseError> {
    if let Some(defect) = &native.defect {
        return Err(ParseError::new(defect));
    }
    guarded("event parser", || provider.event_parser().parse(native))
}

/// Has the provider's event target parser read `parsed`.
///
/// # Errors
/// What it says, or its panic.
pub fn targets(provider: &dyn Provider, parsed: &ParsedEvent) -> Result<Vec<Target>, ParseError> {
    guarded("event target parser", || provider.event_target_parser().parse(&parsed.event))
}

/// Whether the VMDB can hold `parsed`.
///
/// # Errors
/// Names the column that it cannot, and why.
pub fn check(parsed: &ParsedEvent) -> Result<(), ParseError> {
    storable::check(parsed)
}

/// Checks the event, asks the switchboard, and works out what follows.
///
/// # Errors
/// When the VMDB cannot hold the event or its targets cannot be read: it becomes a dead letter.
pub fn prepare(
    parsed: ParsedEvent,
    preparation: &Preparation<'_>,
) -> Result<(ReadyEvent, Vec<Outcome>), ParseError> {
    let Preparation { provider, ems, automation, refresh } = *preparation;
    let (ready, outcomes) = guarded("preparation of the event (switchboard, event target parser)", || {
        check(&parsed)?;
        let event = &parsed.event;
        let calls = automation.switchboard.calls("EmsEvent", &event.source, &event.event_type);
        let plan = handlers::plan(&calls, &HandlerContext { provider, refresh, event })?;
        let automate = AutomateRequest {
            calls: plan.calls,
            rules: automation.rules.candidates(ems, event),
            chain: event.chain_id.is_some() && automation.is_of_chain(&event.event_type),
        };
        Ok(((plan.work, automate), plan.outcomes))
    })?;
    let (work, automate) = ready;
    Ok((ReadyEvent { automate, ..ReadyEvent::new(parsed, work) }, outcomes))
}

/// A dead letter of this native event. Messages of the same text may be events of their own, told apart only by the
/// transport's id; so it belongs to the uid, and is kept for when the letter is tried again.
pub fn dead_letter_of(native: &NativeEvent, reason: &str) -> DeadLetter {
    let mut letter = dead_letter(&native.text, reason);
    if let Some(id) = native.transport_id.as_ref().filter(|id| !id.contains('\0')) {
        letter.event_uid = dead_letter(&format!("{id}\n{}", native.text), "").event_uid;
        letter.transport_id = Some(id.clone());
    }
    letter
}

/// A dead letter of this native text. What no database can hold in a text (NUL) is replaced; the uid is of the text as it was.
pub fn dead_letter(native_text: &str, reason: &str) -> DeadLetter {
    let digest = Sha256::digest(native_text.as_bytes());
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let without_nul = |text: &str| text.replace('\0', "\u{FFFD}");
    DeadLetter {
        event_uid: format!("sha256:{hex}"),
        transport_id: None,
        native: without_nul(native_text),
        reason: without_nul(reason),
    }
}

pub(super) fn guarded<T>(who: &str, call: impl FnOnce() -> Result<T, ParseError>) -> Result<T, ParseError> {
    // Nothing of ours is changed by the call, so that nothing can be left half done.
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| {
        let message = panic_message(panic.as_ref());
        Err(ParseError::new(format!("the {who} panicked, which is a bug: {message}")))
    })
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message")
}
