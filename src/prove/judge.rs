//! The verdict: what the cloud knows to be true against what the VMDB holds. Pure.
//!
//! Nothing is excused but what a gap says: an event that the cloud no longer keeps, that has no row, and whose time lies
//! within a row of `event_gaps`.

use super::facts::{Facts, Gone};
use std::collections::{BTreeMap, BTreeSet};

/// What is wrong; nothing of it when all lists are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Verdict {
    /// Obligations without a row, and malformed ones without a dead letter.
    pub lost: Vec<String>,
    /// Identities that are stored more than once, rows that never were an event, and counts of folded ones that are wrong.
    pub doubled: Vec<String>,
    /// Rows of inventory that differ from the truth, and how.
    pub stale: Vec<String>,
    /// Events whose work was never done, and work that still waits.
    pub unworked: Vec<String>,
    /// How many events without a row, or letter, are excused by a gap. Nothing wrong, but the less the better.
    pub excused: usize,
}

impl Verdict {
    /// Whether nothing is lost, doubled, stale or unworked.
    pub fn is_proven(&self) -> bool {
        self.lost.is_empty() && self.doubled.is_empty() && self.stale.is_empty() && self.unworked.is_empty()
    }

    /// The four, with their names.
    pub fn parts(&self) -> [(&'static str, &[String]); 4] {
        [
            ("lost", &self.lost),
            ("doubled", &self.doubled),
            ("stale", &self.stale),
            ("unworked", &self.unworked),
        ]
    }
}

/// Judges.
pub fn judge(facts: &Facts) -> Verdict {
    let (lost, excused) = lost(facts);
    Verdict { lost, doubled: doubled(facts), stale: stale(facts), unworked: unworked(facts), excused }
}

/// What is lost, and how much would be but for a gap.
fn lost(facts: &Facts) -> (Vec<String>, usize) {
    let rows: BTreeSet<&str> = facts.rows.iter().map(|row| row.native_id.as_str()).collect();
    let gone: BTreeMap<&str, &Gone> = facts.gone.iter().map(|gone| (gone.id.as_str(), gone)).collect();
    let is_excused = |id: &str| gone.get(id).is_some_and(|gone| is_in_a_gap(facts, gone));
    let has_letter = |id: &str| facts.letters.iter().any(|native| native.contains(id));
    let without_row = facts.events.iter().filter(|id| !rows.contains(id.as_str()));
    let without_letter = facts.malformed.iter().filter(|id| !rows.contains(id.as_str()) && !has_letter(id));
    let missing = without_row
        .map(|id| (id, ""))
        .chain(without_letter.map(|id| (id, " (malformed, and no dead letter)")));
    let (excused, lost): (Vec<_>, Vec<_>) = missing.partition(|(id, _)| is_excused(id));
    (lost.into_iter().map(|(id, how)| format!("{id}{how}")).collect(), excused.len())
}

/// A gap without a beginning or an end is open there.
fn is_in_a_gap(facts: &Facts, gone: &Gone) -> bool {
    facts
        .gaps
        .iter()
        .any(|gap| gap.from.is_none_or(|from| from <= gone.time) && gap.to.is_none_or(|to| gone.time <= to))
}

fn doubled(facts: &Facts) -> Vec<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &facts.rows {
        *counts.entry(&row.native_id).or_default() += 1;
    }
    let known: BTreeSet<&str> = facts.events.iter().chain(&facts.malformed).map(String::as_str).collect();
    let told = |(id, count): (&str, usize)| match (known.contains(id), count) {
        (false, _) => Some(format!("{id} (a row of what never was an event)")),
        (true, 1) => None,
        (true, count) => Some(format!("{id} ({count} rows)")),
    };
    let mut found: Vec<String> = counts.into_iter().filter_map(told).collect();
    if facts.folded_count != i64::try_from(facts.folded).unwrap_or(i64::MAX) {
        let Facts { folded, folded_count, .. } = facts;
        found.push(format!("event_streams counts {folded_count} folded events, and {folded} are there"));
    }
    found
}

fn stale(facts: &Facts) -> Vec<String> {
    let Facts { truth, inventory, .. } = facts;
    let things = truth.keys().chain(inventory.keys()).collect::<BTreeSet<_>>().into_iter();
    things.flat_map(|thing| differences(thing, truth.get(thing), inventory.get(thing))).collect()
}

type Columns = BTreeMap<&'static str, String>;

fn differences(thing: &str, truth: Option<&Columns>, kept: Option<&Columns>) -> Vec<String> {
    let (truth, kept) = match (truth, kept) {
        (Some(truth), Some(kept)) => (truth, kept),
        (Some(_), None) => return vec![format!("{thing}: has no row")],
        _ => return vec![format!("{thing}: has a row, the cloud no longer has it")],
    };
    let told = |(column, value): (&&str, &String)| {
        let kept = kept.get(*column).map_or("NULL", String::as_str);
        (kept != value).then(|| format!("{thing}: {column} is {kept}, the truth is {value}"))
    };
    truth.iter().filter_map(told).collect()
}

fn unworked(facts: &Facts) -> Vec<String> {
    // A folded event whose row is not there has no type.
    let never = |row: &&super::facts::StoredRow| {
        (row.event_type.is_empty() || asks_for_a_refresh(&row.event_type))
            && row.work_id.is_none_or(|id| !facts.answered.contains(&id))
    };
    let mut found: Vec<String> = facts.rows.iter().filter(never).map(|row| row.native_id.clone()).collect();
    for (state, count) in facts.waiting.iter().filter(|(_, count)| **count > 0) {
        found.push(format!("{count} rows of miq_queue are in state {state}"));
    }
    found
}

/// Awesome Cloud's page says: every event of a VM or of a host calls for a refresh.
fn asks_for_a_refresh(event_type: &str) -> bool {
    ["com.awesome-cloud.vm.", "com.awesome-cloud.host."].iter().any(|kind| event_type.starts_with(kind))
}

#[cfg(test)]
mod tests {
    use super::super::facts::{KnownGap, StoredRow, Things};
    use super::*;
    use chrono::{DateTime, TimeDelta, Utc};

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    fn row(id: &str, event_type: &str, work_id: Option<i64>) -> StoredRow {
        StoredRow { native_id: id.to_owned(), event_type: event_type.to_owned(), work_id }
    }

    fn thing(columns: &[(&'static str, &str)]) -> BTreeMap<&'static str, String> {
        columns.iter().map(|(column, value)| (*column, (*value).to_owned())).collect()
    }

    /// Two events, one malformed one, one VM: all as it should be.
    fn good() -> Facts {
        let things = Things::from([("vm vm-1".to_owned(), thing(&[("name", "web"), ("power_state", "on")]))]);
        Facts {
            events: vec!["ev-1".into(), "ev-2".into()],
            malformed: vec!["ev-3".into()],
            rows: vec![
                row("ev-1", "com.awesome-cloud.vm.start", Some(7)),
                row("ev-2", "com.awesome-cloud.login", None),
            ],
            letters: vec![r#"{"not_id":"ev-3"}"#.into()],
            answered: BTreeSet::from([7]),
            truth: things.clone(),
            inventory: things,
            ..Facts::default()
        }
    }

    #[test]
    fn what_is_as_it_should_be_is_proven() {
        assert_eq!(judge(&good()), Verdict::default());
    }

    #[test]
    fn an_event_without_a_row_and_a_malformed_one_without_a_letter_are_lost() {
        let mut facts = good();
        facts.rows.pop();
        assert_eq!(judge(&facts), Verdict { lost: vec!["ev-2".into()], ..Verdict::default() });
        let facts = Facts { letters: Vec::new(), ..good() };
        assert!(judge(&facts).lost[0].starts_with("ev-3"));
    }

    #[test]
    fn an_event_that_is_gone_is_excused_by_a_gap_over_its_time_and_by_nothing_else() {
        let mut facts = good();
        facts.events.push("ev-0".into());
        facts.gone.push(Gone { id: "ev-0".into(), time: at(50) });
        let gap = |from, to| KnownGap { from, to };
        for (gaps, lost) in [
            (vec![], 1),
            (vec![gap(Some(at(51)), Some(at(60)))], 1),
            (vec![gap(Some(at(40)), Some(at(49)))], 1),
            (vec![gap(Some(at(40)), Some(at(50)))], 0),
            (vec![gap(None, Some(at(60)))], 0),
            (vec![gap(Some(at(40)), None)], 0),
        ] {
            facts.gaps = gaps;
            let verdict = judge(&facts);
            assert_eq!((verdict.lost.len(), verdict.excused), (lost, 1 - lost), "{:?}", facts.gaps);
        }
        // What the cloud still keeps is never excused.
        facts.gone.clear();
        assert_eq!(judge(&facts).lost, ["ev-0"]);
    }

    #[test]
    fn one_identity_in_two_rows_and_a_row_of_no_event_are_doubled() {
        let mut facts = good();
        facts.rows.push(row("ev-2", "com.awesome-cloud.login", None));
        facts.rows.push(row("ev-9", "com.awesome-cloud.login", None));
        let doubled = judge(&facts).doubled;
        assert_eq!(doubled, ["ev-2 (2 rows)", "ev-9 (a row of what never was an event)"]);
    }

    #[test]
    fn folded_events_are_stored_and_counted_as_often_as_they_are_there() {
        let mut facts = Facts { folded: 1, folded_count: 1, ..good() };
        assert_eq!(judge(&facts), Verdict::default());
        facts.folded_count = 2;
        assert_eq!(judge(&facts).doubled, ["event_streams counts 2 folded events, and 1 are there"]);
        // One identity in both tables is in two rows.
        facts.rows.push(row("ev-1", "com.awesome-cloud.vm.start", Some(7)));
        assert_eq!(judge(&facts).doubled[0], "ev-1 (2 rows)");
    }

    #[test]
    fn inventory_is_stale_in_both_directions_and_in_any_column() {
        let mut facts = good();
        facts.truth.insert("host host-1".into(), thing(&[("name", "node")]));
        facts.inventory.insert("vm vm-2".into(), thing(&[("name", "old")]));
        facts.inventory.insert("vm vm-1".into(), thing(&[("name", "web")]));
        assert_eq!(
            judge(&facts).stale,
            [
                "host host-1: has no row",
                "vm vm-1: power_state is NULL, the truth is on",
                "vm vm-2: has a row, the cloud no longer has it"
            ]
        );
    }

    #[test]
    fn work_that_was_never_queued_never_answered_or_still_waits_is_unworked() {
        for work_id in [None, Some(8)] {
            let mut facts = good();
            facts.rows[0].work_id = work_id;
            assert_eq!(judge(&facts), Verdict { unworked: vec!["ev-1".into()], ..Verdict::default() });
        }
        let facts = Facts { waiting: BTreeMap::from([("ready".to_owned(), 2)]), ..good() };
        assert_eq!(judge(&facts).unworked, ["2 rows of miq_queue are in state ready"]);
    }
}
