//! What is wrong with an EMS, in words, and what to do about it. Pure: from its status to sentences.

use super::status::EmsStatus;
use crate::clock;
use chrono::{DateTime, TimeDelta, Utc};

/// How much it wants somebody; the higher the worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Severity {
    /// Not caught from, on purpose.
    Off,
    /// Nothing is wrong.
    Well,
    /// Something was wrong, and can be looked into at leisure.
    Past,
    /// Something is late or unusual.
    Late,
    /// Events are not caught.
    Down,
}

impl Severity {
    /// Of its badge.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Off | Self::Past => "detail",
            Self::Well => "good",
            Self::Late => "wait",
            Self::Down => "bad",
        }
    }

    /// On its badge, so that the colour is not all there is.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Well => "well",
            Self::Past => "note",
            Self::Late => "late",
            Self::Down => "down",
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) severity: Severity,
    /// What is wrong; names and errors of providers may stand in it.
    pub(super) what: String,
    /// What to do; commands stand in backticks.
    pub(super) advice: String,
}

/// A provider that was last heard of so long ago does not answer, whatever its event catcher believes.
const NO_ANSWER: TimeDelta = TimeDelta::minutes(5);
/// Events that come so late are told.
const LATE_SECONDS: f64 = 60.0;
/// A silence is told when so many events would usually have come meanwhile, and not before it is this long.
const UNUSUAL_SILENCE: f64 = 10.0;
const SILENCE: TimeDelta = TimeDelta::minutes(10);
/// So much waiting work means that refreshing does not keep up.
const MUCH_WORK: i64 = 50;

/// The worst of it.
pub(super) fn severity(ems: &EmsStatus, troubles: &[Trouble]) -> Severity {
    let is_off = matches!(&*ems.state, "paused" | "not_enabled" | "elsewhere");
    let least = if is_off { Severity::Off } else { Severity::Well };
    troubles.iter().map(|trouble| trouble.severity).max().unwrap_or(least)
}

/// All that is wrong, the worst first.
pub(super) fn troubles(ems: &EmsStatus, now: DateTime<Utc>) -> Vec<Trouble> {
    let found = [catching(ems), answering(ems, now), silence(ems, now), lag(ems), refreshing(ems), work(ems)];
    let past = [dead_letters(ems), gaps(ems, now), restarts(ems)];
    let mut troubles: Vec<_> = found.into_iter().chain(past).flatten().collect();
    troubles.sort_by_key(|trouble| std::cmp::Reverse(trouble.severity));
    troubles
}

fn trouble(severity: Severity, what: impl Into<String>, advice: impl Into<String>) -> Option<Trouble> {
    Some(Trouble { severity, what: what.into(), advice: advice.into() })
}

fn catching(ems: &EmsStatus) -> Option<Trouble> {
    let why = ems.error.clone();
    let or = |else_: &str| why.clone().unwrap_or_else(|| else_.to_owned());
    match &*ems.state {
        "backing_off" => trouble(
            Severity::Down,
            or("The event catcher failed."),
            "It is tried again by itself. `catchall check --connect` says how far a connection comes.",
        ),
        "refused" => trouble(
            Severity::Down,
            or("The provider refuses the credentials."),
            "Set them right in the settings and send SIGHUP; it is tried again by itself too.",
        ),
        "throttled" => trouble(
            Severity::Late,
            or("The provider asks to wait."),
            "It goes on by itself. If that stays so, raise `poll` in the settings.",
        ),
        "waiting_for_vmdb" => trouble(
            Severity::Down,
            or("It waits for the VMDB."),
            "Nothing is acknowledged and nothing is lost. Bring the VMDB back; `/readyz?vmdb` tells what it says.",
        ),
        "stopped" => trouble(
            Severity::Down,
            "The event catcher is stopped.",
            format!("`catchall ems restart {}` starts it.", quoted(&ems.name)),
        ),
        "starting" => trouble(
            Severity::Late,
            "It has not connected and read yet.",
            "If that stays so, `catchall check --connect` says how far a connection comes.",
        ),
        _ => None,
    }
}

fn answering(ems: &EmsStatus, now: DateTime<Utc>) -> Option<Trouble> {
    let silent = now - ems.last_poll_on?;
    if ems.state != "running" || silent < NO_ANSWER {
        return None;
    }
    trouble(
        Severity::Down,
        format!("The provider has not answered for {}.", clock::in_words(silent)),
        format!("`catchall ems restart {}` begins anew.", quoted(&ems.name)),
    )
}

fn silence(ems: &EmsStatus, now: DateTime<Utc>) -> Option<Trouble> {
    let (expected, silent) = (ems.silence_ratio?, now - ems.last_event_on?);
    if ems.state != "running" || expected < UNUSUAL_SILENCE || silent < SILENCE {
        return None;
    }
    trouble(
        Severity::Late,
        format!(
            "No event for {}; at these hours it usually sends {expected:.0} in that time.",
            clock::in_words(silent)
        ),
        "Look whether the provider still sends: its rules, topics, trails or permissions may have changed.",
    )
}

fn lag(ems: &EmsStatus) -> Option<Trouble> {
    let lag = ems.lag_seconds.filter(|lag| *lag > LATE_SECONDS)?;
    let lag = TimeDelta::milliseconds((lag * 1000.0) as i64);
    trouble(
        Severity::Late,
        format!("The latest event was {} old when it was stored.", clock::in_words(lag)),
        "After an outage this is what was missed and goes away; else the provider tells late.",
    )
}

fn refreshing(ems: &EmsStatus) -> Option<Trouble> {
    let error = ems.last_refresh_error.as_ref()?;
    trouble(
        Severity::Late,
        format!("The last refresh failed: {error}"),
        format!(
            "It is tried again by itself. `catchall queue list --ems {}` shows what waits.",
            quoted(&ems.name)
        ),
    )
}

fn work(ems: &EmsStatus) -> Option<Trouble> {
    if ems.waiting_work < MUCH_WORK {
        return None;
    }
    trouble(
        Severity::Late,
        format!("{} pieces of work wait for the refresh.", ems.waiting_work),
        format!("`catchall refresh {}` brings everything up to date at once.", quoted(&ems.name)),
    )
}

fn dead_letters(ems: &EmsStatus) -> Option<Trouble> {
    let count = ems.dead_letters;
    let name = quoted(&ems.name);
    let what = if count == 1 {
        "1 native event could not be read.".to_owned()
    } else {
        format!("{count} native events could not be read.")
    };
    let advice = format!("`catchall events --dead --ems {name}` shows what and why; `--retry` parses again.");
    if count > 0 { trouble(Severity::Past, what, advice) } else { None }
}

fn gaps(ems: &EmsStatus, now: DateTime<Utc>) -> Option<Trouble> {
    let last = ems.last_gap.as_ref()?;
    let times = if ems.gaps == 1 { "Once".to_owned() } else { format!("{} times", ems.gaps) };
    trouble(
        Severity::Past,
        format!(
            "{times} events were lost at the provider, last noticed {} ago: {}.",
            clock::in_words(now - last.noticed_on),
            last.reason
        ),
        "Each gap was answered by a full refresh, so the inventory is right; the events in between are gone.",
    )
}

fn restarts(ems: &EmsStatus) -> Option<Trouble> {
    let times = match ems.restarts {
        0 => return None,
        1 => "once".to_owned(),
        times => format!("{times} times"),
    };
    trouble(
        Severity::Past,
        format!("What catches from it was replaced {times} since the process started."),
        "After each panic or failure a fresh one goes on from the stored cursor; the log says why.",
    )
}

/// A name as a shell takes it.
fn quoted(name: &str) -> String {
    format!("'{}'", name.replace('\'', r"'\''"))
}

#[cfg(test)]
#[path = "trouble_tests.rs"]
mod tests;
