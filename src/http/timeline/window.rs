//! The stretch of time that a page shows: how the URL says it, and the stretches beside, within and around it. Pure.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use url::form_urlencoded::{Serializer, Target};

/// Nothing shorter can be asked for: a histogram has no finer bars.
const SHORTEST: TimeDelta = TimeDelta::seconds(10);
/// Nothing longer either.
const LONGEST: TimeDelta = TimeDelta::days(3660);
/// What is offered with one click, and what it is called.
pub(in crate::http) const PRESETS: [(&str, TimeDelta); 5] = [
    ("1 h", TimeDelta::hours(1)),
    ("24 h", TimeDelta::hours(24)),
    ("7 d", TimeDelta::days(7)),
    ("30 d", TimeDelta::days(30)),
    ("1 y", TimeDelta::days(365)),
];

/// A stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Window {
    /// Until now: `last=24h`.
    Last(TimeDelta),
    /// `since=…&until=…`, the end left out.
    Between(DateTime<Utc>, DateTime<Utc>),
    /// `since=…`, until now.
    Since(DateTime<Utc>),
    /// `until=…`, a day long.
    Until(DateTime<Utc>),
}

impl Window {
    /// What `last`, `since` and `until` of a query ask for; `None` when that is nothing, or makes no sense. A relative
    /// stretch wins.
    pub(in crate::http) fn parse(
        last: Option<&str>,
        since: Option<&str>,
        until: Option<&str>,
    ) -> Option<Self> {
        if let Some(span) = last.and_then(parse_span) {
            return Some(Self::Last(span));
        }
        // Half of what was meant would be something else.
        let meant = |text: Option<&str>| text.map_or(Some(None), |text| parse_time(text).map(Some));
        match (meant(since)?, meant(until)?) {
            (Some(since), Some(until)) if until - since >= SHORTEST && until - since <= LONGEST => {
                Some(Self::Between(since, until))
            }
            (Some(since), Some(until)) if since < until && until - since < SHORTEST => {
                Some(Self::Between(since, since + SHORTEST))
            }
            (Some(since), None) => Some(Self::Since(since)),
            (None, Some(until)) => Some(Self::Until(until)),
            _ => None,
        }
    }

    /// The same for a query.
    pub(in crate::http) fn append(self, query: &mut Serializer<'_, impl Target>) {
        match self {
            Self::Last(span) => drop(query.append_pair("last", &span_text(span))),
            Self::Between(since, until) => {
                query.append_pair("since", &time_text(since)).append_pair("until", &time_text(until));
            }
            Self::Since(since) => drop(query.append_pair("since", &time_text(since))),
            Self::Until(until) => drop(query.append_pair("until", &time_text(until))),
        }
    }

    /// Its names and values, for a form.
    pub(in crate::http) fn fields(self) -> Vec<(&'static str, String)> {
        match self {
            Self::Last(span) => vec![("last", span_text(span))],
            Self::Between(since, until) => vec![("since", time_text(since)), ("until", time_text(until))],
            Self::Since(since) => vec![("since", time_text(since))],
            Self::Until(until) => vec![("until", time_text(until))],
        }
    }

    /// Where it begins and, left out, where it ends.
    pub(in crate::http) fn ends(self, now: DateTime<Utc>) -> (DateTime<Utc>, DateTime<Utc>) {
        match self {
            Self::Last(span) => (back(now, span), now),
            Self::Between(since, until) => (since, until),
            Self::Since(since) if now - since >= SHORTEST => (since.max(back(now, LONGEST)), now),
            Self::Since(since) => (since, since + SHORTEST),
            Self::Until(until) => (back(until, TimeDelta::hours(24)), until),
        }
    }

    /// Whether what happens now belongs to it.
    pub(in crate::http) fn is_open(self) -> bool {
        matches!(self, Self::Last(_) | Self::Since(_))
    }

    /// Half as long: its middle, or its newest half when it ends now.
    pub(in crate::http) fn zoomed_in(self, now: DateTime<Utc>) -> Self {
        let (since, until) = self.ends(now);
        let half = ((until - since) / 2).max(SHORTEST);
        match self {
            Self::Last(_) | Self::Since(_) => Self::Last(half),
            Self::Between(..) | Self::Until(_) => {
                let since = since + (until - since - half) / 2;
                Self::Between(since, since + half)
            }
        }
    }

    /// Twice as long, around its middle as far as there is time.
    pub(in crate::http) fn zoomed_out(self, now: DateTime<Utc>) -> Self {
        let (since, until) = self.ends(now);
        let twice = ((until - since) * 2).min(LONGEST);
        let until = forward(until, (twice - (until - since)) / 2);
        if self.is_open() || until >= now {
            Self::Last(twice)
        } else {
            Self::Between(back(until, twice), until)
        }
    }

    /// As long, half of it earlier.
    pub(in crate::http) fn earlier(self, now: DateTime<Utc>) -> Self {
        let (since, until) = self.ends(now);
        let half = (until - since) / 2;
        Self::Between(back(since, half), back(until, half))
    }

    /// As long, half of it later; no later than now.
    pub(in crate::http) fn later(self, now: DateTime<Utc>) -> Self {
        let (since, until) = self.ends(now);
        let (span, half) = (until - since, (until - since) / 2);
        // Time goes on while somebody looks: nearly now is now.
        if self.is_open() || forward(until, half + span / 20) >= now {
            Self::Last(span)
        } else {
            Self::Between(since + half, until + half)
        }
    }
}

fn back(time: DateTime<Utc>, span: TimeDelta) -> DateTime<Utc> {
    time.checked_sub_signed(span).unwrap_or(time)
}

fn forward(time: DateTime<Utc>, span: TimeDelta) -> DateTime<Utc> {
    time.checked_add_signed(span).unwrap_or(time)
}

/// `90m`, `24h`, `7d`, `30s`.
fn parse_span(text: &str) -> Option<TimeDelta> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: i64 = number.parse().ok()?;
    let span = match unit {
        "s" => TimeDelta::try_seconds(number),
        "m" => TimeDelta::try_minutes(number),
        "h" => TimeDelta::try_hours(number),
        "d" => TimeDelta::try_days(number),
        _ => None,
    }?;
    (span >= SHORTEST && span <= LONGEST).then_some(span)
}

/// With the largest unit that is whole.
fn span_text(span: TimeDelta) -> String {
    let seconds = span.num_seconds();
    let whole = [(86_400, 'd'), (3_600, 'h'), (60, 'm')].into_iter().find(|(unit, _)| seconds % unit == 0);
    let (unit, letter) = whole.unwrap_or((1, 's'));
    // A day is told in hours, as people say it.
    if seconds == 86_400 { "24h".to_owned() } else { format!("{}{letter}", seconds / unit) }
}

fn parse_time(text: &str) -> Option<DateTime<Utc>> {
    // A `+` of an offset that nobody escaped arrives as a space.
    let time = DateTime::parse_from_rfc3339(&text.replace(' ', "+")).ok()?.to_utc();
    let years = DateTime::from_timestamp(0, 0)?..DateTime::from_timestamp(253_402_300_799, 0)?;
    years.contains(&time).then_some(time)
}

fn time_text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// How people say the length of a stretch: `24 hours`, `15 minutes`.
pub(in crate::http) fn length_in_words(span: TimeDelta) -> String {
    let seconds = span.num_seconds();
    let units = [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];
    let fits =
        units.into_iter().find(|(unit, _)| seconds >= *unit && seconds % unit == 0 && seconds != 86_400);
    let (unit, name) = if seconds == 86_400 { (3_600, "hour") } else { fits.unwrap_or((1, "second")) };
    match seconds / unit {
        1 => format!("1 {name}"),
        many => format!("{many} {name}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use url::form_urlencoded;

    fn time(text: &str) -> DateTime<Utc> {
        parse_time(text).unwrap()
    }

    fn parse(query: &str) -> Option<Window> {
        let value =
            |key| form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == key).map(|pair| pair.1);
        Window::parse(value("last").as_deref(), value("since").as_deref(), value("until").as_deref())
    }

    #[test]
    fn a_window_survives_its_own_query() {
        for query in [
            "last=24h",
            "last=90m",
            "last=7d",
            "last=45s",
            "since=2026-11-24T10%3A00%3A00Z&until=2026-11-24T11%3A00%3A00.250Z",
            "since=2026-11-24T10%3A00%3A00Z",
            "until=2026-11-24T10%3A00%3A00Z",
        ] {
            let mut written = form_urlencoded::Serializer::new(String::new());
            parse(query).unwrap().append(&mut written);
            assert_eq!(written.finish(), query);
        }
        let east = parse("since=2026-11-24T10:00:00+02:00").unwrap();
        assert_eq!(east, Window::Since(time("2026-11-24T08:00:00Z")));
    }

    #[test]
    fn what_makes_no_sense_asks_for_nothing() {
        for query in [
            "",
            "last=",
            "last=ü",
            "last=1s",
            "last=-5h",
            "last=99999999999999999999d",
            "last=9000000000000000000d",
            "last=24",
            "since=yesterday",
            "since=2026-11-24T10:00:00Z&until=2026-11-24T09:00:00Z",
            "since=0001-01-01T00:00:00Z&until=9999-01-01T00:00:00Z",
        ] {
            assert_eq!(parse(query), None, "{query}");
        }
    }

    #[test]
    fn zooming_and_panning_stay_within_what_there_is() {
        let now = time("2026-11-24T12:00:00Z");
        let day = Window::Last(TimeDelta::hours(24));
        assert_eq!(day.zoomed_in(now), Window::Last(TimeDelta::hours(12)));
        assert_eq!(day.zoomed_out(now), Window::Last(TimeDelta::hours(48)));
        assert_eq!(day.later(now), day);
        let earlier = day.earlier(now);
        assert_eq!(earlier, Window::Between(time("2026-11-23T00:00:00Z"), time("2026-11-24T00:00:00Z")));
        let soon = now + TimeDelta::minutes(10);
        assert_eq!([earlier.later(now), earlier.later(soon)], [day, day], "back at now, it goes on with it");
        let hour = Window::Between(time("2026-11-20T10:00:00Z"), time("2026-11-20T11:00:00Z"));
        let half = Window::Between(time("2026-11-20T10:15:00Z"), time("2026-11-20T10:45:00Z"));
        assert_eq!((hour.zoomed_in(now), half.zoomed_out(now)), (half, hour));
        let mut smallest = hour;
        (0..40).for_each(|_| smallest = smallest.zoomed_in(now));
        let (since, until) = smallest.ends(now);
        assert_eq!(until - since, SHORTEST);
        let mut largest = hour;
        (0..40).for_each(|_| largest = largest.zoomed_out(now).earlier(now));
        let (since, until) = largest.ends(now);
        assert!(since < until);
    }

    #[test]
    fn lengths_are_said_as_people_say_them() {
        for (seconds, words) in [
            (86_400, "24 hours"),
            (3_600, "1 hour"),
            (900, "15 minutes"),
            (604_800, "7 days"),
            (90, "90 seconds"),
            (1, "1 second"),
        ] {
            assert_eq!(length_in_words(TimeDelta::seconds(seconds)), words);
        }
    }
}
