//! In which order EMSs are shown, and which.

use crate::cli::pipeline::EmsState;
use crate::cli::standing;
use std::cmp::Ordering;

/// What they are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The worst first.
    #[default]
    Worst,
    /// By name.
    Name,
    /// The busiest first.
    Rate,
    /// The latest behind first.
    Lag,
    /// Those that were silent longest first.
    LastEvent,
    /// Those with most waiting work first.
    Waiting,
    /// Those with most dead letters first.
    Dead,
    /// Those with most gaps first.
    Gaps,
    /// Those that were replaced most often first.
    Restarts,
}

impl Order {
    const ALL: [Self; 9] = [
        Self::Worst,
        Self::Name,
        Self::Rate,
        Self::Lag,
        Self::LastEvent,
        Self::Waiting,
        Self::Dead,
        Self::Gaps,
        Self::Restarts,
    ];

    /// As people read it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Worst => "worst first",
            Self::Name => "by name",
            Self::Rate => "busiest first",
            Self::Lag => "most lag first",
            Self::LastEvent => "longest silent first",
            Self::Waiting => "most waiting first",
            Self::Dead => "most dead letters first",
            Self::Gaps => "most gaps first",
            Self::Restarts => "most restarts first",
        }
    }

    /// The heading of the column that it goes by.
    pub fn heading(self) -> &'static str {
        match self {
            Self::Worst => "STATE",
            Self::Name => "EMS",
            Self::Rate => "EV/S",
            Self::Lag => "LAG",
            Self::LastEvent => "LAST EVENT",
            Self::Waiting => "WAITING",
            Self::Dead => "DEAD",
            Self::Gaps => "GAPS",
            Self::Restarts => "RESTARTS",
        }
    }

    /// The one so many further on, around.
    pub fn further(self, by: isize) -> Self {
        let at = Self::ALL.iter().position(|order| *order == self).unwrap_or_default() as isize;
        Self::ALL[(at + by).rem_euclid(Self::ALL.len() as isize) as usize]
    }

    /// Sorts; of equals, by name.
    pub fn sort(self, all: &mut [&EmsState], reversed: bool) {
        all.sort_by(|a, b| {
            let order = self.compare(a, b);
            let order = if reversed { order.reverse() } else { order };
            order.then_with(|| a.name.cmp(&b.name))
        });
    }

    fn compare(self, a: &EmsState, b: &EmsState) -> Ordering {
        let most = |of: fn(&EmsState) -> Option<i64>| of(b).cmp(&of(a));
        let most_of_a_measure = |of: fn(&EmsState) -> Option<f64>| {
            of(b).unwrap_or(f64::MIN).total_cmp(&of(a).unwrap_or(f64::MIN))
        };
        match self {
            Self::Worst => standing::badness(a).0.cmp(&standing::badness(b).0),
            Self::Name => a.name.cmp(&b.name),
            Self::Rate => most_of_a_measure(|ems| ems.events_per_second),
            Self::Lag => most_of_a_measure(|ems| ems.lag_seconds),
            Self::LastEvent => a.last_event_on.cmp(&b.last_event_on),
            Self::Waiting => most(|ems| ems.waiting_work),
            Self::Dead => most(|ems| ems.dead_letters),
            Self::Gaps => most(|ems| ems.gaps),
            Self::Restarts => b.restarts.cmp(&a.restarts),
        }
    }
}

/// Whether an EMS is shown by this filter: in its name, type, state or error, capitals or not.
pub fn shows(filter: &str, ems: &EmsState) -> bool {
    let filter = filter.to_lowercase();
    let state = standing::in_words(&ems.state);
    let texts = [&ems.name, &ems.class_name, &state, ems.error.as_ref().unwrap_or(&state)];
    texts.iter().any(|text| text.to_lowercase().contains(&filter))
}
