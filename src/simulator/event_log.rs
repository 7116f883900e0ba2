//! The events that the cloud keeps: ordered by (time, id), some visible late, the oldest gone. Pure.
//!
//! It answers queries page by page and says so when history is lost. It knows no HTTP and no clock.

use super::things::{Change, rfc3339};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;
use std::ops::Bound;

/// Most events kept, whatever their age.
const MOST_KEPT: usize = 500_000;

/// Place of an event in the order of the API.
pub type Place = (DateTime<Utc>, u64);

/// The log.
#[derive(Debug)]
pub struct EventLog {
    epoch: String,
    next: u64,
    kept: BTreeMap<Place, Entry>,
    /// Events that were visible and are gone, for the ledger.
    gone: Vec<(Place, bool)>,
}

#[derive(Debug)]
struct Entry {
    visible_at: DateTime<Utc>,
    text: Vec<u8>,
    malformed: bool,
}

/// One query's page.
#[derive(Debug)]
pub struct Page<'a> {
    /// The events' texts.
    pub events: Vec<&'a [u8]>,
    /// Where the next page goes on; `None` at the end.
    pub next: Option<Place>,
}

/// All ids that ever became visible: that is, the cloud's clock reached the moment of their visibility while the cloud kept
/// them, whether or not anybody asked. What was forgotten before that moment never was.
#[derive(Debug, Default, serde::Serialize)]
pub struct Ledger {
    /// Of well-formed events.
    pub events: Vec<String>,
    /// Of malformed ones.
    pub malformed: Vec<String>,
    /// How many are still to become visible.
    pub hidden: usize,
    /// Those of `events` and `malformed` that the cloud no longer keeps.
    pub gone: Vec<Gone>,
}

/// A [`Ledger`] that is not spelled out yet.
#[derive(Debug)]
pub struct Tally {
    epoch: String,
    gone: Vec<(Place, bool)>,
    kept: Vec<(u64, bool)>,
    hidden: usize,
}

/// An event that was visible once.
#[derive(Debug, serde::Serialize)]
pub struct Gone {
    /// Its id.
    pub id: String,
    /// Its time, RFC 3339.
    pub time: String,
}

/// How an event enters the log.
#[derive(Clone, Copy, Debug)]
pub struct Entrance {
    /// Its `time`.
    pub time: DateTime<Utc>,
    /// When it becomes visible.
    pub visible_at: DateTime<Utc>,
    /// Bytes of text in a field that the API does not have.
    pub padding: usize,
    /// Turns the rendered event into one of the malformed kinds.
    pub spoil: Option<fn(&str) -> Vec<u8>>,
}

impl EventLog {
    /// An empty log whose ids hold `epoch`.
    pub fn new(epoch: String) -> Self {
        Self { epoch, next: 1, kept: BTreeMap::new(), gone: Vec::new() }
    }

    /// Enters an event for `change`.
    pub fn enter(&mut self, change: &Change, entrance: Entrance) {
        let number = self.next;
        self.next += 1;
        let text = render(&self.id(number), entrance, change);
        let entry = Entry {
            visible_at: entrance.visible_at,
            malformed: entrance.spoil.is_some(),
            text: entrance.spoil.map_or_else(|| text.clone().into_bytes(), |spoil| spoil(&text)),
        };
        self.kept.insert((entrance.time, number), entry);
    }

    /// Whether no event ever entered it.
    pub fn is_new(&self) -> bool {
        self.next == 1
    }

    /// Forgets what is older than `retention`, and what is too much. The newest event stays, so that lost history is always
    /// noticed.
    pub fn expire(&mut self, now: DateTime<Utc>, retention: TimeDelta) {
        let horizon = now - retention;
        while self.kept.len() > MOST_KEPT
            || self.kept.len() > 1 && self.kept.keys().next().is_some_and(|(time, _)| *time < horizon)
        {
            self.forget_first(now);
        }
    }

    /// Forgets everything up to `now`, shown or not. An event of a later time must follow at once: then every cursor is
    /// older than the oldest event, so that every reader is told of the loss, and may refresh what it never heard of.
    pub fn forget(&mut self, now: DateTime<Utc>) {
        while self.kept.keys().next().is_some_and(|(time, _)| *time <= now) {
            self.forget_first(now);
        }
    }

    fn forget_first(&mut self, now: DateTime<Utc>) {
        if let Some((place, entry)) = self.kept.pop_first()
            && entry.visible_at <= now
        {
            self.gone.push((place, entry.malformed));
        }
    }

    /// The time of the oldest kept event.
    pub fn oldest(&self) -> Option<DateTime<Utc>> {
        self.kept.keys().next().map(|(time, _)| *time)
    }

    /// Up to `limit` visible events from `from` on.
    pub fn page(&self, from: Bound<Place>, limit: usize, now: DateTime<Utc>) -> Page<'_> {
        let mut visible =
            self.kept.range((from, Bound::Unbounded)).filter(|(_, entry)| entry.visible_at <= now);
        let events: Vec<_> = visible.by_ref().take(limit).collect();
        let next = visible.next().and(events.last().map(|(place, _)| **place));
        Page { events: events.into_iter().map(|(_, entry)| entry.text.as_slice()).collect(), next }
    }

    /// Up to `count` visible events right before `place`, but none before `since`.
    pub fn before(&self, place: Place, since: Bound<Place>, count: usize, now: DateTime<Utc>) -> Vec<&[u8]> {
        let earlier = self.kept.range((since, Bound::Included(place))).rev();
        let mut events: Vec<_> = earlier
            .filter(|(_, entry)| entry.visible_at <= now)
            .take(count)
            .map(|(_, entry)| entry.text.as_slice())
            .collect();
        events.reverse();
        events
    }

    /// Everything that was made visible until `now`, in numbers, so that whoever holds the log holds it for a moment only.
    pub fn tally(&self, now: DateTime<Utc>) -> Tally {
        let kept = self.kept.iter().filter(|(_, entry)| entry.visible_at <= now);
        let kept: Vec<_> = kept.map(|((_, number), entry)| (*number, entry.malformed)).collect();
        let hidden = self.kept.len() - kept.len();
        Tally { epoch: self.epoch.clone(), gone: self.gone.clone(), kept, hidden }
    }

    fn id(&self, number: u64) -> String {
        id(&self.epoch, number)
    }
}

impl Tally {
    /// Spells it out.
    pub fn ledger(&self) -> Ledger {
        let mut ledger = Ledger { hidden: self.hidden, ..Ledger::default() };
        let gone = self.gone.iter().map(|((_, number), malformed)| (*number, *malformed));
        for (number, malformed) in gone.chain(self.kept.iter().copied()) {
            let ids = if malformed { &mut ledger.malformed } else { &mut ledger.events };
            ids.push(id(&self.epoch, number));
        }
        let gone =
            |((time, number), _): &(Place, bool)| Gone { id: id(&self.epoch, *number), time: rfc3339(*time) };
        ledger.gone = self.gone.iter().map(gone).collect();
        ledger
    }
}

fn id(epoch: &str, number: u64) -> String {
    format!("ev-{epoch}-{number:012}")
}

fn render(id: &str, entrance: Entrance, change: &Change) -> String {
    let mut head = serde_json::json!({"id": id, "time": rfc3339(entrance.time)});
    if entrance.padding > 0 {
        head["padding"] = "x".repeat(entrance.padding).into();
    }
    let head = head.to_string();
    // invariant: a change is plain strings and numbers, which always serialize.
    let tail = serde_json::to_string(change).unwrap_or_default();
    format!("{},{}", head.trim_end_matches('}'), tail.trim_start_matches('{'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    fn log(entries: &[(i64, i64)]) -> EventLog {
        let mut log = EventLog::new("e".into());
        let change = Change {
            event_name: "x".into(),
            vm: None,
            host: None,
            chain_id: 1,
            username: "alice",
            message: "m",
        };
        for (time, visible_at) in entries {
            log.enter(
                &change,
                Entrance { time: at(*time), visible_at: at(*visible_at), padding: 0, spoil: None },
            );
        }
        log
    }

    fn ids(page: &Page<'_>) -> Vec<u64> {
        let id = |text: &&[u8]| {
            serde_json::from_slice::<serde_json::Value>(text).unwrap()["id"].as_str().unwrap().to_owned()
        };
        page.events.iter().map(|text| id(text).rsplit('-').next().unwrap().parse().unwrap()).collect()
    }

    #[test]
    fn pages_end_between_events_of_one_time_and_late_events_appear_behind() {
        let log = log(&[(10, 10), (10, 10), (10, 10), (5, 60)]);
        let first = log.page(Bound::Unbounded, 2, at(20));
        assert_eq!(ids(&first), [1, 2]);
        let second = log.page(Bound::Excluded(first.next.unwrap()), 2, at(20));
        assert_eq!((ids(&second), second.next), (vec![3], None));
        assert_eq!(ids(&log.page(Bound::Unbounded, 9, at(60))), [4, 1, 2, 3]);
        assert_eq!((log.tally(at(20)).ledger().events.len(), log.tally(at(20)).ledger().hidden), (3, 1));
    }

    #[test]
    fn what_is_too_old_is_gone_but_stays_in_the_ledger() {
        let mut log = log(&[(1, 1), (2, 2), (50, 50)]);
        log.expire(at(60), TimeDelta::seconds(20));
        assert_eq!((log.oldest(), log.tally(at(60)).ledger().events.len()), (Some(at(50)), 3));
        log.expire(at(600), TimeDelta::seconds(20));
        assert_eq!(log.oldest(), Some(at(50)));
    }

    #[test]
    fn what_is_forgotten_before_it_was_visible_is_no_obligation() {
        let mut log = log(&[(1, 1), (2, 90), (3, 3), (200, 200)]);
        log.forget(at(60));
        let ledger = log.tally(at(300)).ledger();
        assert_eq!((log.oldest(), ledger.events.len(), ledger.hidden), (Some(at(200)), 3, 0));
        let gone: Vec<_> = ledger.gone.iter().map(|gone| (gone.id.as_str(), gone.time.as_str())).collect();
        assert_eq!(
            gone,
            [
                ("ev-e-000000000001", "1970-01-01T00:00:01.000000000Z"),
                ("ev-e-000000000003", "1970-01-01T00:00:03.000000000Z")
            ]
        );
    }

    #[test]
    fn what_stands_before_a_place_begins_with_the_query() {
        let log = log(&[(1, 1), (2, 2), (3, 90), (4, 4), (5, 5)]);
        let before = |count| log.before((at(4), 4), Bound::Included((at(2), 0)), count, at(60));
        assert_eq!((before(9).len(), before(1).len()), (2, 1));
        let last = before(1);
        assert_eq!(ids(&Page { events: last, next: None }), [4]);
    }
}
