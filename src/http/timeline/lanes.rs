//! Counts as lanes: one for each group of event types, its bars made of the three levels. Pure; `plot` draws them.

use super::filter::Filter;
use crate::settings::EventGroups;
use crate::settings::event_groups::LEVELS;
use crate::vmdb::timeline::counts::Counts;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;

/// Bars of a lane at most.
pub(in crate::http) const BARS: usize = 120;

/// How many, in the order of [`LEVELS`].
pub(in crate::http) type ByLevel = [i64; 3];

/// Events of one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::http) struct Lane {
    /// The group's key.
    pub(in crate::http) group: String,
    /// What people read.
    pub(in crate::http) name: String,
    /// Bars that hold something, by the number of the bar.
    pub(in crate::http) bars: BTreeMap<i64, ByLevel>,
}

impl Lane {
    /// All bars together.
    pub(in crate::http) fn totals(&self) -> ByLevel {
        self.bars.values().fold([0; 3], |all, bar| [0, 1, 2].map(|level| all[level] + bar[level]))
    }

    /// Its highest bar.
    pub(in crate::http) fn most(&self) -> i64 {
        self.bars.values().map(|bar| bar.iter().sum()).max().unwrap_or_default()
    }
}

/// What a histogram shows of a stretch of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::http) struct Lanes {
    /// Where it begins.
    pub(in crate::http) since: DateTime<Utc>,
    /// Where it ends.
    pub(in crate::http) until: DateTime<Utc>,
    /// How long a bar is.
    pub(in crate::http) width: TimeDelta,
    /// Those that hold something, in the order of the settings.
    pub(in crate::http) lanes: Vec<Lane>,
    /// Of everything that the filter shows or would show with other levels.
    pub(in crate::http) by_level: ByLevel,
    /// Of everything that the filter shows or would show with other groups: key, name, count.
    pub(in crate::http) by_group: Vec<(String, String, i64)>,
    /// The types that are shown, the most frequent first.
    pub(in crate::http) types: Vec<(String, i64)>,
}

impl Lanes {
    /// Sorts `counts`, which were made without regard to levels, groups and types, so that these can be told too.
    pub(in crate::http) fn new(
        counts: &Counts,
        (since, until): (DateTime<Utc>, DateTime<Utc>),
        filter: &Filter,
        groups: &EventGroups,
    ) -> Self {
        let any_level = Filter { levels: [].into(), ..filter.clone() };
        let any_group = Filter { groups: [].into(), ..filter.clone() };
        let first = bar_of(since, counts.width);
        let (mut lanes, mut by_group) = (BTreeMap::<&str, Lane>::new(), BTreeMap::<&str, i64>::new());
        let (mut by_level, mut types) = ([0; 3], BTreeMap::<&str, i64>::new());
        for bar in &counts.bars {
            let found = groups.group_and_level(&bar.event_type);
            let level = LEVELS.iter().position(|level| *level == found.level).unwrap_or_default();
            if any_level.shows(groups, &bar.event_type) {
                by_level[level] += bar.count;
            }
            if any_group.shows(groups, &bar.event_type) {
                *by_group.entry(found.group).or_default() += bar.count;
            }
            if filter.shows(groups, &bar.event_type) {
                *types.entry(&bar.event_type).or_default() += bar.count;
                let (group, name) = (found.group.to_owned(), found.group_name.to_owned());
                let lane = lanes.entry(found.group).or_insert_with(|| Lane { group, name, bars: [].into() });
                lane.bars.entry(bar_of(bar.starts, counts.width) - first).or_default()[level] += bar.count;
            }
        }
        let order = || {
            groups.names.iter().map(|(key, name)| (key.as_str(), name.as_str())).chain([("other", "Other")])
        };
        let mut types: Vec<_> = types.into_iter().map(|(name, count)| (name.to_owned(), count)).collect();
        types.sort_by_key(|(_, count)| -count);
        Self {
            since,
            until,
            width: counts.width,
            by_level,
            types,
            by_group: order()
                .filter_map(|(key, name)| Some((key.to_owned(), name.to_owned(), *by_group.get(key)?)))
                .collect(),
            lanes: order().filter_map(|(key, _)| lanes.remove(key)).collect(),
        }
    }

    /// When bar number `bar` begins.
    pub(in crate::http) fn starts(&self, bar: i64) -> DateTime<Utc> {
        let micros = (bar_of(self.since, self.width) + bar).saturating_mul(micros(self.width));
        DateTime::from_timestamp_micros(micros).unwrap_or(self.since)
    }

    /// How many are shown.
    pub(in crate::http) fn total(&self) -> i64 {
        self.types.iter().map(|(_, count)| count).sum()
    }
}

fn micros(width: TimeDelta) -> i64 {
    width.num_microseconds().unwrap_or(i64::MAX).max(1)
}

/// Bars begin at multiples of their width.
fn bar_of(time: DateTime<Utc>, width: TimeDelta) -> i64 {
    time.timestamp_micros().div_euclid(micros(width))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vmdb::timeline::counts::BarCount;
    use chrono::TimeZone;

    fn groups() -> EventGroups {
        let mut groups = EventGroups::default();
        let power = groups.add_group("power", "Power Activity");
        groups.list(power, "critical", "vm.stop").unwrap();
        groups.list(power, "detail", "vm.start").unwrap();
        groups
    }

    fn lanes(query: &str) -> Lanes {
        let since = Utc.with_ymd_and_hms(2026, 11, 24, 10, 5, 0).unwrap();
        let bar = |minute, event_type: &str, count| BarCount {
            starts: Utc.with_ymd_and_hms(2026, 11, 24, 10, minute, 0).unwrap(),
            ems_id: 1,
            event_type: event_type.to_owned(),
            count,
        };
        let bars =
            vec![bar(0, "vm.stop", 2), bar(0, "vm.start", 5), bar(30, "vm.stop", 1), bar(30, "odd", 7)];
        let counts = Counts { width: TimeDelta::minutes(15), bars };
        let ends = (since, since + TimeDelta::minutes(40));
        Lanes::new(&counts, ends, &Filter::parse(query), &groups())
    }

    #[test]
    fn each_group_is_a_lane_and_a_bar_is_made_of_levels() {
        let all = lanes("");
        let names: Vec<_> =
            all.lanes.iter().map(|lane| (lane.name.as_str(), lane.totals(), lane.most())).collect();
        assert_eq!(names, [("Power Activity", [3, 0, 5], 7), ("Other", [0, 0, 7], 7)]);
        assert_eq!(all.lanes[0].bars, BTreeMap::from([(0, [2, 0, 5]), (2, [1, 0, 0])]));
        assert_eq!(all.starts(0), Utc.with_ymd_and_hms(2026, 11, 24, 10, 0, 0).unwrap());
        assert_eq!(all.starts(2), Utc.with_ymd_and_hms(2026, 11, 24, 10, 30, 0).unwrap());
        assert_eq!((all.total(), all.types[0].clone()), (15, ("odd".to_owned(), 7)));
    }

    #[test]
    fn levels_and_groups_are_counted_as_if_they_were_not_filtered_themselves() {
        let narrow = lanes("level=critical&group=power");
        assert_eq!((narrow.total(), narrow.lanes.len()), (3, 1));
        assert_eq!(narrow.by_level, [3, 0, 5], "of this group");
        let by_group: Vec<_> = narrow.by_group.iter().map(|(key, _, count)| (key.as_str(), *count)).collect();
        assert_eq!(by_group, [("power", 3)], "of this level");
    }
}
