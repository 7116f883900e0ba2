//! Calls → work: what the handlers of `/System/event_handlers` want done for an event. Pure.
//!
//! Refreshes become work at once, where the event's own references suffice. All that needs the VMDB is passed on to the
//! automate worker, in order; so is a call that nothing answers, for which the worker keeps the reason.

use super::awaiting;
use super::handler_name::HandlerName;
use super::named_refresh::{References, refresh_target};
use crate::provider::{EmsEvent, ParseError, Provider, Target};
use crate::settings::RefreshSettings;
use crate::switchboard::Call;
use crate::vmdb::event_commit::Work;
use std::cell::OnceCell;

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

/// What all calls come to together. A refresh of a `target` that nothing is called ends the event's calls, as in ManageIQ.
///
/// # Errors
/// When the provider's event target parser cannot read the event.
pub fn plan(calls: &[Call], context: &HandlerContext<'_>) -> Result<Plan, ParseError> {
    let mut plan = Plan { work: Work::None, calls: Vec::new(), outcomes: Vec::new() };
    let targets = Targets { context, parsed: OnceCell::new() };
    for call in calls {
        let step = match HandlerName::of(&call.uri) {
            Some(HandlerName::Refresh) => refresh(&targets, &mut plan.outcomes).map(Step::Work),
            Some(HandlerName::RefreshSync) => {
                refresh(&targets, &mut plan.outcomes).map(|work| Step::followed(work, call))
            }
            Some(HandlerName::RefreshTarget) => refresh_named(call, &targets, &mut plan.outcomes),
            Some(HandlerName::RefreshTargetSync) => {
                refresh_named(call, &targets, &mut plan.outcomes).map(|step| match step {
                    Step::Work(work) => Step::followed(work, call),
                    other => other,
                })
            }
            Some(HandlerName::StateMachineRefresh) if makes_no_work(context, &mut plan.outcomes) => {
                Ok(Step::Call(awaiting::policy_call(call)))
            }
            _ => Ok(Step::Call(call.clone())),
        }?;
        match step {
            Step::Work(work) => plan.work = join(plan.work, work),
            Step::Followed(work, call) => {
                plan.work = join(plan.work, work);
                plan.calls.push(call);
            }
            Step::Call(call) => plan.calls.push(call),
            Step::Last(call) => {
                plan.calls.push(call);
                break;
            }
        }
    }
    Ok(plan)
}

/// What one call comes to.
enum Step {
    Work(Work),
    /// Work, and a call that follows it.
    Followed(Work, Call),
    Call(Call),
    /// A call after which no other is made.
    Last(Call),
}

impl Step {
    /// Somebody follows the refresh: the worker makes its task.
    fn followed(work: Work, call: &Call) -> Self {
        if work == Work::None { Self::Work(work) } else { Self::Followed(work, call.clone()) }
    }
}

/// The provider's own targets of the event, parsed at most once.
struct Targets<'a> {
    context: &'a HandlerContext<'a>,
    parsed: OnceCell<Vec<Target>>,
}

impl Targets<'_> {
    fn get(&self) -> Result<&[Target], ParseError> {
        if let Some(targets) = self.parsed.get() {
            return Ok(targets);
        }
        let targets = self.context.provider.event_target_parser().parse(self.context.event)?;
        Ok(self.parsed.get_or_init(|| targets))
    }
}

fn makes_no_work(context: &HandlerContext<'_>, outcomes: &mut Vec<Outcome>) -> bool {
    let no_work = !context.refresh.enabled || !context.provider.has_collector();
    if no_work {
        outcomes.push(Outcome::RefreshWithoutWork);
    }
    no_work
}

fn refresh(targets: &Targets<'_>, outcomes: &mut Vec<Outcome>) -> Result<Work, ParseError> {
    if makes_no_work(targets.context, outcomes) {
        return Ok(Work::None);
    }
    if !targets.context.refresh.allow_targeted_refresh {
        return Ok(Work::FullRefresh);
    }
    let found = targets.get()?;
    Ok(if found.is_empty() { Work::None } else { Work::Refresh(found.to_vec()) })
}

/// The reference that the name means. The provider's own target of the same thing goes before it, since it may hold what the
/// event told about it. Where the event has no such reference, what the provider says that the event is about stands for
/// it, and without that everything is refreshed, as ManageIQ does when the record is not there.
fn refresh_named(
    call: &Call,
    targets: &Targets<'_>,
    outcomes: &mut Vec<Outcome>,
) -> Result<Step, ParseError> {
    let name = call.params.get("target").map_or("", |target| target.trim());
    if name.is_empty() {
        return Ok(Step::Work(Work::None));
    }
    let Some(meaning) = refresh_target(name) else {
        return Ok(Step::Last(call.clone()));
    };
    let context = targets.context;
    if makes_no_work(context, outcomes) {
        return Ok(Step::Work(Work::None));
    }
    if meaning.is_whole() || !context.refresh.allow_targeted_refresh {
        return Ok(Step::Work(Work::FullRefresh));
    }
    if meaning.first_chained && context.event.chain_id.is_some() {
        return Ok(Step::Call(call.clone()));
    }
    let found = targets.get()?;
    let work = match meaning.of(&References::from(context.event)) {
        Some(target) => {
            let same = |known: &&Target| {
                known.association == target.association && known.manager_ref == target.manager_ref
            };
            Work::Refresh(vec![found.iter().find(same).cloned().unwrap_or(target)])
        }
        None if found.is_empty() => Work::FullRefresh,
        None => Work::Refresh(found.to_vec()),
    };
    Ok(Step::Work(work))
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
