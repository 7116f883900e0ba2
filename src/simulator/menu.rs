//! The menu of faults: their names, and what each of them switches on when it is asked for by name.
//!
//! A kind alone is drawn often; of many together each is drawn less often, so that something gets through all the same.
//! What a fault does stands where it happens.

use super::faults::Faults;
use super::mishap::Mishap;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// Most requests that may fail, however many kinds are asked for.
const MOST_FAILING: f64 = 0.15;

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultKind {
    /// Events become visible some seconds after their time.
    Late,
    /// Several events share one time, and pages end between them.
    EqualTimes,
    /// Pages begin with events that were served before.
    RepeatedPages,
    /// Bodies end early: the connection breaks, or the JSON is cut.
    TruncatedPages,
    /// 429 with `Retry-After`.
    Throttled,
    /// 500, and a proxy's 503.
    ServerErrors,
    /// 401.
    Unauthorized,
    /// Page tokens are refused in the middle of a query.
    TokenExpiry,
    /// The connection is reset before the answer.
    Resets,
    /// The body comes in small pieces, over seconds.
    Drip,
    /// The request is taken, and never answered.
    HalfOpen,
    /// `Content-Length` is not the body's.
    WrongLengths,
    /// 200 with a page of HTML.
    NotJson,
    /// Events with bytes that are no UTF-8.
    InvalidUtf8,
    /// Malformed events of every kind.
    Malformed,
    /// Events with a megabyte of text.
    Megabyte,
    /// The server's clock is hours away, and some events are dated ahead of it.
    Clock,
    /// All history up to a moment is gone: 410.
    HistoryLost,
    /// Things come and go between two pages of a listing.
    ShiftingInventory,
    /// Some hundred things happen at once.
    Storms,
}

impl FaultKind {
    /// All of them.
    pub const ALL: [Self; 20] = [
        Self::Late,
        Self::EqualTimes,
        Self::RepeatedPages,
        Self::TruncatedPages,
        Self::Throttled,
        Self::ServerErrors,
        Self::Unauthorized,
        Self::TokenExpiry,
        Self::Resets,
        Self::Drip,
        Self::HalfOpen,
        Self::WrongLengths,
        Self::NotJson,
        Self::InvalidUtf8,
        Self::Malformed,
        Self::Megabyte,
        Self::Clock,
        Self::HistoryLost,
        Self::ShiftingInventory,
        Self::Storms,
    ];

    /// Its name on the command line and in the statistics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Late => "late",
            Self::EqualTimes => "equal-times",
            Self::RepeatedPages => "repeated-pages",
            Self::TruncatedPages => "truncated-pages",
            Self::Throttled => "throttled",
            Self::ServerErrors => "server-errors",
            Self::Unauthorized => "unauthorized",
            Self::TokenExpiry => "token-expiry",
            Self::Resets => "resets",
            Self::Drip => "drip",
            Self::HalfOpen => "half-open",
            Self::WrongLengths => "wrong-lengths",
            Self::NotJson => "not-json",
            Self::InvalidUtf8 => "invalid-utf8",
            Self::Malformed => "malformed",
            Self::Megabyte => "megabyte",
            Self::Clock => "clock",
            Self::HistoryLost => "history-lost",
            Self::ShiftingInventory => "shifting-inventory",
            Self::Storms => "storms",
        }
    }

    /// What requests meet, and the share of them that does while this kind is alone.
    fn mishaps(self) -> &'static [(Mishap, f64)] {
        match self {
            Self::TruncatedPages => &[(Mishap::Truncated, 0.05), (Mishap::EndsEarly, 0.05)],
            Self::Throttled => &[(Mishap::Throttled, 0.1)],
            Self::ServerErrors => &[(Mishap::ServerError, 0.05), (Mishap::Unavailable, 0.05)],
            Self::Unauthorized => &[(Mishap::Unauthorized, 0.05)],
            Self::TokenExpiry => &[(Mishap::BadPageToken, 0.15)],
            Self::Resets => &[(Mishap::Reset, 0.1)],
            Self::Drip => &[(Mishap::Drip, 0.1)],
            Self::HalfOpen => &[(Mishap::Hang, 0.05)],
            Self::WrongLengths => &[(Mishap::WrongLength, 0.08), (Mishap::TooLarge, 0.02)],
            Self::NotJson => &[(Mishap::NoJson, 0.1)],
            _ => &[],
        }
    }

    /// Whether it shows only where there are several pages.
    const fn needs_pages(self) -> bool {
        matches!(self, Self::EqualTimes | Self::RepeatedPages | Self::TokenExpiry | Self::ShiftingInventory)
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A word that is no kind of fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no fault {word:?}; did you mean {nearest:?}? There are all, none, {}", names())]
pub struct UnknownFault {
    word: String,
    nearest: &'static str,
}

fn names() -> String {
    FaultKind::ALL.map(FaultKind::name).join(", ")
}

impl FromStr for FaultKind {
    type Err = UnknownFault;

    fn from_str(word: &str) -> Result<Self, UnknownFault> {
        let written = word.trim().to_ascii_lowercase().replace('_', "-");
        if let Some(kind) = Self::ALL.into_iter().find(|kind| kind.name() == written) {
            return Ok(kind);
        }
        let likeness = |kind: &Self| strsim::jaro_winkler(kind.name(), &written);
        let nearest = Self::ALL.into_iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        Err(UnknownFault { word: word.to_owned(), nearest: nearest.map_or("all", Self::name) })
    }
}

/// Some kinds of faults, written `all`, `none` or `name,name`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FaultMenu(pub Vec<FaultKind>);

impl FromStr for FaultMenu {
    type Err = UnknownFault;

    fn from_str(text: &str) -> Result<Self, UnknownFault> {
        match text.trim() {
            "all" => Ok(Self(FaultKind::ALL.to_vec())),
            "none" | "" => Ok(Self::default()),
            list => list.split(',').map(FaultKind::from_str).collect::<Result<_, _>>().map(Self),
        }
    }
}

impl Faults {
    /// These kinds, drawn by `seed`: the same kinds and seed meet the same requests and events, in the same order.
    pub fn of(kinds: &[FaultKind], seed: u64) -> Self {
        let has = |kind| kinds.contains(&kind);
        // Alone often, among others seldom; events have no back-off behind them and may be bad more often.
        let share = |kind, alone: f64| match (has(kind), kinds.len()) {
            (false, _) => 0.0,
            (true, ..=3) => alone,
            (true, _) => alone / 3.0,
        };
        let is_on = |kind, value: f64| if has(kind) { value } else { 0.0 };
        let shares = shares(kinds);
        Self {
            seed,
            late_share: share(FaultKind::Late, 0.3),
            late_seconds: is_on(FaultKind::Late, 3.0),
            equal_times_share: share(FaultKind::EqualTimes, 0.6),
            repeat_share: share(FaultKind::RepeatedPages, 0.3),
            short_page_share: if kinds.iter().any(|kind| kind.needs_pages()) { 0.4 } else { 0.0 },
            malformed_share: share(FaultKind::Malformed, 0.1),
            invalid_utf8_share: share(FaultKind::InvalidUtf8, 0.1),
            megabyte_share: share(FaultKind::Megabyte, 0.01),
            clock_hours: is_on(FaultKind::Clock, 6.0),
            ahead_share: share(FaultKind::Clock, 0.02),
            history_lost_share: is_on(FaultKind::HistoryLost, 0.002),
            history_losses: if has(FaultKind::HistoryLost) { 2 } else { 0 },
            shift_share: share(FaultKind::ShiftingInventory, 0.6),
            storm_share: is_on(FaultKind::Storms, 0.005),
            storm_events: if has(FaultKind::Storms) { 300 } else { 0 },
            hang_seconds: is_on(FaultKind::HalfOpen, 4.0),
            drip_seconds: is_on(FaultKind::Drip, 3.0),
            events_shares: shares.clone(),
            inventory_shares: shares,
            ..Self::default()
        }
    }
}

fn shares(kinds: &[FaultKind]) -> BTreeMap<Mishap, f64> {
    let mut shares = BTreeMap::new();
    for (mishap, share) in kinds.iter().flat_map(|kind| kind.mishaps()) {
        shares.insert(*mishap, *share);
    }
    let failing: f64 = shares.values().sum();
    let scale = if failing > MOST_FAILING { MOST_FAILING / failing } else { 1.0 };
    shares.values_mut().for_each(|share| *share *= scale);
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_name_that_reads_back_and_switches_something_on() {
        for kind in FaultKind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(kind));
            let (none, faults) = (Faults::of(&[], 7), Faults::of(&[kind], 7));
            assert_ne!(
                serde_json::to_value(none).unwrap(),
                serde_json::to_value(faults).unwrap(),
                "{kind} does nothing"
            );
        }
        assert_eq!("server_errors".parse(), Ok(FaultKind::ServerErrors));
    }

    #[test]
    fn a_menu_is_all_none_or_some_and_a_slip_is_told_the_nearest_name() {
        let menu = |text: &str| text.parse::<FaultMenu>().map(|menu| menu.0);
        assert_eq!(menu("all"), Ok(FaultKind::ALL.to_vec()));
        assert_eq!(menu("none"), Ok(Vec::new()));
        assert_eq!(menu("late, drip"), Ok(vec![FaultKind::Late, FaultKind::Drip]));
        for (slip, nearest) in [("late,tokens", "token-expiry"), ("half", "half-open"), ("stroms", "storms")]
        {
            let error = menu(slip).unwrap_err();
            assert_eq!(error.nearest, nearest, "{error}");
            assert!(error.to_string().contains("There are all, none, late, "), "{error}");
        }
    }

    #[test]
    fn however_many_kinds_are_on_most_requests_get_through() {
        let all = Faults::of(&FaultKind::ALL, 1);
        assert!(all.events_shares.values().sum::<f64>() <= MOST_FAILING + 1e-9);
        assert_eq!(all.events_shares.len(), 13);
    }
}
