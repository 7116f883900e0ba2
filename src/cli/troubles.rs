//! What is wrong with an EMS, in words, and what to do about it.

use super::pipeline::EmsState;
use super::standing::{self, Row};
use super::terminal::{Tone, one_line};
use super::times::{ago, rate, seconds};
use chrono::{DateTime, Utc};

/// The troubles of more EMSs than this are counted, not told.
pub const MOST_TOLD: usize = 20;

/// What is wrong with one EMS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Troubles {
    /// Its name, fit for a terminal.
    pub name: String,
    /// One line for each.
    pub lines: Vec<String>,
}

impl Troubles {
    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

/// All that is wrong with it.
pub fn troubles(row: &Row<'_>, now: DateTime<Utc>) -> Troubles {
    let ems = &row.ems;
    let quoted = quoted(&ems.name);
    let lines = [
        catching(ems, &quoted),
        silence(ems, now),
        refreshing(ems, &quoted),
        unread(ems, &quoted),
        lost(row, now),
    ];
    let lines = lines.into_iter().flatten().map(|line| one_line(&line)).collect();
    Troubles { name: one_line(&ems.name), lines }
}

/// As a shell takes it for one word.
fn quoted(name: &str) -> String {
    format!("'{}'", name.replace('\'', r"'\''"))
}

fn catching(ems: &EmsState, quoted: &str) -> Option<String> {
    let why = ems.error.as_deref().unwrap_or("it did not say why");
    let what_to_do = match ems.state.as_str() {
        "backing_off" => "it is tried again by itself; `catchall check --connect` says what fails".to_owned(),
        "throttled" => "its provider asks to wait, and it goes on by itself".to_owned(),
        "refused" => {
            "put right its credentials or endpoints in the settings, and try `catchall check --connect`"
                .to_owned()
        }
        "waiting_for_vmdb" => {
            "nothing is lost, and it goes on by itself as soon as the VMDB answers".to_owned()
        }
        "stopped" => format!("`catchall ems restart {quoted}` starts it"),
        state if standing::tone(state) == Tone::Bad => format!("`catchall ems restart {quoted}` may help"),
        _ => return None,
    };
    Some(format!("{}: {why}; {what_to_do}", standing::in_words(&ems.state)))
}

fn silence(ems: &EmsState, now: DateTime<Utc>) -> Option<String> {
    let (usual, last) =
        ems.usual_events_per_second.zip(ems.last_event_on).filter(|_| standing::is_silent(ems))?;
    Some(format!(
        "silent for {}, though {} events per second are usual; does its provider still send them?",
        seconds((now - last).num_seconds() as f64),
        rate(usual)
    ))
}

fn refreshing(ems: &EmsState, quoted: &str) -> Option<String> {
    let error = ems.last_refresh_error.as_deref()?;
    Some(format!(
        "the last refresh failed: {error}; `catchall queue list --ems {quoted}` shows what is tried again"
    ))
}

fn unread(ems: &EmsState, quoted: &str) -> Option<String> {
    let count = ems.dead_letters.filter(|count| *count > 0)?;
    let events = if count == 1 { "1 native event" } else { &*format!("{count} native events") };
    Some(format!(
        "{events} could not be read; `catchall events --dead --ems {quoted}` shows them, --retry parses them again"
    ))
}

fn lost(row: &Row<'_>, now: DateTime<Utc>) -> Option<String> {
    let count = row.ems.gaps.filter(|count| *count > 0)?;
    let times = if count == 1 { "once" } else { &*format!("{count} times") };
    let mut said = format!(
        "{times} events were lost at the provider; a full refresh followed each time, which heals the inventory"
    );
    if let Some(last) = row.overview.and_then(|overview| overview.last_gap.as_ref()) {
        let noticed = ago(Some(last.created_on), now);
        said.push_str(&format!(". The last time, noticed {noticed}, events are missing {}", last.gap));
    }
    Some(said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[test]
    fn each_trouble_says_what_to_do() {
        let now = crate::clock::now();
        let ems = EmsState {
            name: "bob's cloud".to_owned(),
            state: "running".to_owned(),
            error: Some("old".to_owned()),
            ..EmsState::default()
        };
        let told = |ems: EmsState| troubles(&Row { ems, overview: None }, now).lines;
        assert_eq!(told(ems.clone()), [""; 0], "an old error of one that runs is none");
        let refused =
            EmsState { state: "refused".to_owned(), error: Some("401\u{1b}[2J".to_owned()), ..ems.clone() };
        assert_eq!(
            told(refused),
            ["refused: 401\u{FFFD}[2J; put right its credentials or endpoints in the settings, and try \
              `catchall check --connect`"]
        );
        let unread = EmsState { dead_letters: Some(2), ..ems.clone() };
        assert!(told(unread)[0].contains(r"`catchall events --dead --ems 'bob'\''s cloud'` shows them"));
        let silent = EmsState {
            usual_events_per_second: Some(2.0),
            last_event_on: Some(now - TimeDelta::minutes(12)),
            silence_ratio: Some(1440.0),
            ..ems.clone()
        };
        assert!(
            told(silent.clone())[0].starts_with("silent for 12 min, though 2.0 events per second are usual")
        );
        assert_eq!(told(EmsState { state: "paused".to_owned(), ..silent }), [""; 0]);
        assert!(told(EmsState { gaps: Some(1), ..ems })[0].starts_with("once events were lost"));
    }
}
