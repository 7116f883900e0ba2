//! Calls → work: what the handlers of `/System/event_handlers` want done for an event. Pure.
//!
//! The refresh handlers are here. The others are known by name and counted, never silently dropped.

use crate::provider::{EmsEvent, ParseError, Provider, Target};
use crate::settings::RefreshSettings;
use crate::switchboard::{Call, Handler, is_target_name};
use crate::vmdb::event_commit::Work;

/// Who asks, and for what.
#[derive(Clone, Copy)]
pub struct HandlerContext<'a> {
    /// Of the event's EMS.
    pub provider: &'a dyn Provider,
    /// Of the event's EMS.
    pub refresh: &'a RefreshSettings,
    /// The event.
    pub event: &'a EmsEvent,
}

/// What a call came to besides work; counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A refresh call that makes no work: refresh is off, or the provider has no collector.
    RefreshWithoutWork,
    /// A call of a handler that Catchall does not have yet; its name. Also a refresh of a `target` that nothing is called
    /// (`event_action_refresh?target=…`), which ends the event's calls, as in ManageIQ.
    Unhandled(String),
}

/// What all calls of an event come to.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The refresh: one of everything covers every other, targets are joined.
    pub work: Work,
    /// The calls that need the VMDB, in order, for the automate worker.
    pub calls: Vec<Call>,
    /// What there is to count.
    pub outcomes: Vec<Outcome>,
}

/// What all calls come to together.
///
/// # Errors
/// When the provider's event target parser cannot read the event.
pub fn plan(calls: &[Call], context: &HandlerContext<'_>) -> Result<Plan, ParseError> {
    let mut total = Work::None;
    let mut outcomes = Vec::new();
    for call in calls {
        let (class, name) = call.uri.rsplit_once('/').unwrap_or(("", &call.uri));
        match Handler::of_path(class, name) {
            Some(Handler::Refresh) => total = join(total, refresh(context, &mut outcomes)?),
            Some(Handler::RefreshTarget) => {
                let target = call.params.get("target").map_or("", |target| target.trim());
                if !target.is_empty() && !is_target_name(target) {
                    outcomes
                        .push(Outcome::Unhandled(format!("{}?target={target}", name.to_ascii_lowercase())));
                    break;
                }
                total = join(total, refresh_target(target, context, &mut outcomes)?);
            }
            _ => outcomes.push(Outcome::Unhandled(name.to_ascii_lowercase())),
        }
    }
    Ok(Plan { work: total, calls: Vec::new(), outcomes })
}

fn makes_no_work(context: &HandlerContext<'_>, outcomes: &mut Vec<Outcome>) -> bool {
    let no_work = !context.refresh.enabled || !context.provider.has_collector();
    if no_work {
        outcomes.push(Outcome::RefreshWithoutWork);
    }
    no_work
}

fn refresh(context: &HandlerContext<'_>, outcomes: &mut Vec<Outcome>) -> Result<Work, ParseError> {
    if makes_no_work(context, outcomes) {
        return Ok(Work::None);
    }
    if !context.refresh.allow_targeted_refresh {
        return Ok(Work::FullRefresh);
    }
    let targets = context.provider.event_target_parser().parse(context.event)?;
    Ok(if targets.is_empty() { Work::None } else { Work::Refresh(targets) })
}

/// A named target is what the event is about, so that the provider's own targets stand for it; without any, all is
/// refreshed, as ManageIQ does when the record that the name means is not there.
fn refresh_target(
    target: &str,
    context: &HandlerContext<'_>,
    outcomes: &mut Vec<Outcome>,
) -> Result<Work, ParseError> {
    if target.is_empty() {
        return Ok(Work::None);
    }
    let is_whole = matches!(
        target.strip_prefix("first_chained_").unwrap_or(target),
        "ems" | "ems_cluster" | "src_ems_cluster"
    );
    if makes_no_work(context, outcomes) {
        return Ok(Work::None);
    }
    if is_whole || !context.refresh.allow_targeted_refresh {
        return Ok(Work::FullRefresh);
    }
    let targets = context.provider.event_target_parser().parse(context.event)?;
    Ok(if targets.is_empty() { Work::FullRefresh } else { Work::Refresh(targets) })
}

fn join(one: Work, other: Work) -> Work {
    match (one, other) {
        (Work::FullRefresh, _) | (_, Work::FullRefresh) => Work::FullRefresh,
        (Work::None, work) | (work, Work::None) => work,
        (Work::Refresh(mut targets), Work::Refresh(more)) => {
            let new: Vec<Target> = more.into_iter().filter(|target| !targets.contains(target)).collect();
            targets.extend(new);
            Work::Refresh(targets)
        }
    }
}
