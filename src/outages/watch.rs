//! What a look at event catchers comes to: outages that begin and end. Pure; times are told to it.

use crate::provider::EmsId;
use crate::vmdb::outages::{Outage, SHORTEST};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// What was seen of each EMS that should be caught from: nothing where all is well, else why not.
pub type Seen = BTreeMap<EmsId, Option<String>>;

/// What an event catcher that has not answered yet is seen as; the reason that follows is the one that is told.
pub const STARTING: &str = "starting";
/// An EMS that nobody knows any more.
const LEFT: &str = "not in the settings";

/// What is known of outages.
#[derive(Debug, Default)]
pub struct Watch {
    down: BTreeMap<EmsId, Down>,
    known: BTreeSet<EmsId>,
}

#[derive(Debug)]
struct Down {
    since: DateTime<Utc>,
    reason: String,
    /// Whether its beginning was told.
    told: bool,
}

impl Watch {
    /// These outages are open in the VMDB, whoever wrote them.
    pub fn learn(&mut self, open: Vec<Outage>) {
        for Outage { ems_id, started_on, reason, .. } in open {
            self.down.insert(ems_id, Down { since: started_on, reason, told: true });
        }
    }

    /// Whether somebody is down: then it is worth while to look again soon.
    pub fn is_anyone_down(&self) -> bool {
        !self.down.is_empty()
    }

    /// What is to be kept after a look: outages that have lasted long enough to be one, and those that are over.
    pub fn look(&mut self, now: DateTime<Utc>, seen: &Seen) -> Vec<Outage> {
        let mut news = Vec::new();
        for (ems_id, reason) in seen {
            match reason {
                Some(reason) => news.extend(self.is_down(*ems_id, reason, now)),
                None => news.extend(self.is_well(*ems_id, now)),
            }
        }
        let left: Vec<_> = self.known.iter().filter(|ems_id| !seen.contains_key(ems_id)).copied().collect();
        for ems_id in left {
            let down =
                self.down.entry(ems_id).or_insert(Down { since: now, reason: LEFT.to_owned(), told: false });
            if !down.told {
                down.told = true;
                news.push(outage(ems_id, down, None));
            }
        }
        self.known = seen.keys().copied().collect();
        news
    }

    fn is_down(&mut self, ems_id: EmsId, reason: &str, now: DateTime<Utc>) -> Option<Outage> {
        let fresh = || Down { since: now, reason: reason.to_owned(), told: false };
        let down = self.down.entry(ems_id).or_insert_with(fresh);
        if down.told {
            return None;
        }
        if down.reason == STARTING {
            reason.clone_into(&mut down.reason);
        }
        if now - down.since < SHORTEST {
            return None;
        }
        down.told = true;
        Some(outage(ems_id, down, None))
    }

    fn is_well(&mut self, ems_id: EmsId, now: DateTime<Utc>) -> Option<Outage> {
        let down = self.down.remove(&ems_id)?;
        down.told.then(|| outage(ems_id, &down, Some(now)))
    }
}

fn outage(ems_id: EmsId, down: &Down, ended_on: Option<DateTime<Utc>>) -> Outage {
    Outage { ems_id, started_on: down.since, ended_on, reason: down.reason.clone() }
}

/// What could not be written yet: of each EMS one change. While the VMDB is away several outages become one, since nothing
/// that was caught meanwhile could be stored.
#[derive(Debug, Default)]
pub struct Pending(BTreeMap<EmsId, Outage>);

impl Pending {
    /// Adds what happened next.
    pub fn add(&mut self, news: Vec<Outage>) {
        for outage in news {
            let ended_on = outage.ended_on;
            self.0.entry(outage.ems_id).or_insert(outage).ended_on = ended_on;
        }
    }

    /// All of it.
    pub fn outages(&self) -> Vec<Outage> {
        self.0.values().cloned().collect()
    }

    /// It is written.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    /// (from, to, reason)
    fn told(news: &[Outage]) -> Vec<(i64, Option<i64>, &str)> {
        let told = |outage: &Outage| {
            let second = |time: DateTime<Utc>| time.timestamp();
            (second(outage.started_on), outage.ended_on.map(second), outage.reason.clone())
        };
        let told: Vec<_> = news.iter().map(told).collect();
        told.into_iter().zip(news).map(|((from, to, _), outage)| (from, to, outage.reason.as_str())).collect()
    }

    fn seen(reason: Option<&str>) -> Seen {
        [(EmsId(1), reason.map(str::to_owned))].into()
    }

    #[test]
    fn an_outage_is_told_once_it_lasts_and_once_it_is_over_and_blips_are_not() {
        let mut watch = Watch::default();
        assert_eq!(watch.look(at(0), &seen(Some(STARTING))), []);
        assert_eq!(watch.look(at(2), &seen(None)), [], "a start");
        assert_eq!(watch.look(at(100), &seen(Some("throttled"))), []);
        assert_eq!(watch.look(at(109), &seen(Some("throttled"))), []);
        assert_eq!(watch.look(at(109), &seen(None)), [], "a blip");
        assert_eq!(watch.look(at(200), &seen(Some(STARTING))), []);
        assert_eq!(watch.look(at(205), &seen(Some("backing_off: no"))), []);
        let news = watch.look(at(211), &seen(Some("refused: who?")));
        assert_eq!(told(&news), [(200, None, "backing_off: no")], "the first reason");
        assert_eq!(watch.look(at(300), &seen(Some("refused: who?"))), [], "told already");
        let news = watch.look(at(310), &seen(None));
        assert_eq!(told(&news), [(200, Some(310), "backing_off: no")]);
        assert_eq!(watch.look(at(320), &seen(None)), []);
    }

    #[test]
    fn an_outage_that_the_vmdb_has_open_ends_when_the_catcher_runs() {
        let mut watch = Watch::default();
        watch.learn(vec![Outage {
            ems_id: EmsId(1),
            started_on: at(5),
            ended_on: None,
            reason: "stopped".to_owned(),
        }]);
        assert_eq!(watch.look(at(50), &seen(Some(STARTING))), []);
        assert_eq!(told(&watch.look(at(52), &seen(None))), [(5, Some(52), "stopped")]);
    }

    #[test]
    fn an_ems_that_leaves_the_settings_is_down_until_it_is_back_and_runs() {
        let mut watch = Watch::default();
        watch.look(at(0), &seen(None));
        assert_eq!(told(&watch.look(at(5), &Seen::new())), [(5, None, LEFT)]);
        assert_eq!(watch.look(at(10), &Seen::new()), []);
        assert_eq!(watch.look(at(60), &seen(Some(STARTING))), []);
        assert_eq!(told(&watch.look(at(61), &seen(None))), [(5, Some(61), LEFT)]);
    }

    #[test]
    fn what_waits_for_the_vmdb_is_one_change_of_each_ems() {
        let outage = |from, to: Option<i64>| Outage {
            ems_id: EmsId(1),
            started_on: at(from),
            ended_on: to.map(at),
            reason: from.to_string(),
        };
        let mut pending = Pending::default();
        pending.add(vec![outage(10, None)]);
        pending.add(vec![outage(10, Some(30))]);
        pending.add(vec![outage(50, None)]);
        assert_eq!(told(&pending.outages()), [(10, None, "10")]);
    }
}
