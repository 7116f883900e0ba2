//! What happens in one run, drawn from its seed alone: which faults, how many lives of Catchall, and how each ends. Pure.
//!
//! The same seed draws the same schedule. What a build or a database cannot do is drawn all the same and then replaced: a
//! fail point that is not compiled in by a kill after its limit, an outage of a server that is not ours by none.

use crate::simulator::FaultKind;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::fmt;
use std::time::Duration;

/// What the runs are to be like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// All kinds of faults, some lives of a second or two.
    Everything,
    /// Kills as fast as they can be had: very many very short lives, late events besides.
    KillLoop,
}

/// What can be done in this build with this database.
#[derive(Clone, Copy, Debug)]
pub struct Means {
    /// What the runs are to be like.
    pub style: Style,
    /// The fail points that are compiled in; none in a release.
    pub points: &'static [&'static str],
    /// Whether the database's server is ours to crash.
    pub own_server: bool,
}

/// One run.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// From which all else was drawn.
    pub seed: u64,
    /// What goes wrong in the cloud, while Catchall is being killed.
    pub faults: Vec<FaultKind>,
    /// How often history is lost, at most: only while the greater part of all events is stored, since what is lost excuses.
    pub history_losses: u64,
    /// The seed of these faults, and of the cloud's story.
    pub cloud_seed: u32,
    /// What happens in the cloud, each second.
    pub rate: f64,
    /// VMs at the start.
    pub vms: usize,
    /// `ems_event_page_size`.
    pub page_size: u32,
    /// `flooding_events_per_minute`, where repeats are folded.
    pub flooding: Option<u32>,
    /// One after the other. One more, which nobody ends, follows when all is healed.
    pub lives: Vec<Life>,
}

/// One process of Catchall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// From when on its times are.
    pub counts_from: CountsFrom,
    /// How it ends.
    pub end: End,
    /// What becomes of the PostgreSQL meanwhile.
    pub outage: Option<Outage>,
}

/// From when on the times of a life are. A slow machine would otherwise kill only what has not begun yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountsFrom {
    /// The start of the process.
    Start,
    /// The first successful read, or a while after the start if there is none.
    Running,
}

/// How a life ends. Times are milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// SIGKILL after this time.
    Killed {
        /// Milliseconds.
        after: u64,
    },
    /// SIGKILL when it passes a fail point the `nth` time; after `at_most` if it does not.
    AtPoint {
        /// Its name.
        point: &'static str,
        /// From 1.
        nth: u32,
        /// Milliseconds.
        at_most: u64,
    },
    /// SIGTERM after this time.
    Terminated {
        /// Milliseconds.
        after: u64,
    },
}

/// The server of the database goes away, and comes back after `down`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// How it goes.
    pub manner: Manner,
    /// Milliseconds.
    pub after: u64,
    /// Milliseconds.
    pub down: u64,
}

/// How a server goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// An immediate stop: nothing is tidied up, the log is read at the start.
    Crash,
    /// A fast stop: transactions are undone, everything is written.
    Restart,
}

/// Draws the schedule of `seed`.
pub fn draw(seed: u64, means: &Means) -> Schedule {
    let mut rng = StdRng::seed_from_u64(seed);
    let lives = match means.style {
        Style::Everything => rng.random_range(14..=18),
        Style::KillLoop => 60,
    };
    let (faults, losses) = (faults(&mut rng, means.style), rng.random_range(1..=2));
    Schedule {
        seed,
        history_losses: if faults.contains(&FaultKind::HistoryLost) { losses } else { 0 },
        faults,
        cloud_seed: rng.random(),
        rate: f64::from(rng.random_range(15_u32..=45)),
        vms: rng.random_range(10..=40),
        page_size: [10, 50, 100, 1000][rng.random_range(0..4)],
        flooding: [None, None, Some(5), Some(30)][rng.random_range(0..4)],
        lives: (0..lives).map(|_| life(&mut rng, means)).collect(),
    }
}

/// A quarter of the runs has them all; the others about half of them, but lost history seldom, since it excuses events.
fn faults(rng: &mut StdRng, style: Style) -> Vec<FaultKind> {
    let all = rng.random_bool(0.25);
    let mut chosen = Vec::new();
    for kind in FaultKind::ALL {
        let drawn = rng.random_bool(if kind == FaultKind::HistoryLost { 0.15 } else { 0.5 });
        let wanted = match style {
            Style::Everything => all || drawn,
            Style::KillLoop => kind.to_string() == "late",
        };
        if wanted {
            chosen.push(kind);
        }
    }
    chosen
}

fn life(rng: &mut StdRng, means: &Means) -> Life {
    // All is drawn for each life, so that what is not used shifts nothing.
    let (how, which, nth) = (rng.random_range(0..100), rng.random::<u32>(), rng.random_range(1..=4));
    let after = match means.style {
        Style::Everything => rng.random_range(100..=1_500),
        Style::KillLoop => rng.random_range(50..=600),
    };
    let counts_from = if rng.random_bool(0.2) { CountsFrom::Start } else { CountsFrom::Running };
    let (met, crash) = (rng.random_bool(0.2), rng.random_bool(0.6));
    let (outage_after, down) = (rng.random_range(50..=1_000), rng.random_range(100..=900));
    let outage =
        Outage { manner: if crash { Manner::Crash } else { Manner::Restart }, after: outage_after, down };
    let is_met = met && means.own_server && means.style == Style::Everything;
    // The server needs its time to come back, and Catchall to notice.
    let after = if is_met { after + 1_200 } else { after };
    let point = means.points.get(which as usize % means.points.len().max(1));
    let end = match (how, point, means.style) {
        (0..40, Some(point), _) => End::AtPoint { point, nth, at_most: after + 600 },
        (90..100, _, Style::Everything) => End::Terminated { after },
        _ => End::Killed { after },
    };
    Life { counts_from, end, outage: is_met.then_some(outage) }
}

/// The seed of the `index`th run of several. The first run's is the given one, so that one run replays it.
pub fn seed_of_run(seed: u64, index: u32) -> u64 {
    match index {
        0 => seed,
        _ => StdRng::seed_from_u64(seed ^ (u64::from(index) << 32)).random::<u32>().into(),
    }
}

impl End {
    /// How long the life is at most.
    pub fn at_most(self) -> Duration {
        let (Self::Killed { after } | Self::Terminated { after } | Self::AtPoint { at_most: after, .. }) =
            self;
        Duration::from_millis(after)
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Killed { after } => write!(f, "SIGKILL after {after} ms"),
            Self::AtPoint { point, nth, at_most } => {
                write!(f, "SIGKILL at {point} the {nth}. time, or after {at_most} ms")
            }
            Self::Terminated { after } => write!(f, "SIGTERM after {after} ms"),
        }
    }
}

impl fmt::Display for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let from = if self.counts_from == CountsFrom::Start { "start" } else { "first read" };
        write!(f, "{} from its {from}", self.end)?;
        if let Some(Outage { manner, after, down }) = self.outage {
            let manner = if manner == Manner::Crash { "crashes" } else { "is stopped" };
            write!(f, "; PostgreSQL {manner} after {after} ms, and is away for {down} ms")?;
        }
        Ok(())
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults: Vec<String> = self.faults.iter().map(ToString::to_string).collect();
        writeln!(
            f,
            "seed {}: {} VMs, {} events/s, pages of {}, cloud seed {}{}, faults: {}",
            self.seed,
            self.vms,
            self.rate,
            self.page_size,
            self.cloud_seed,
            self.flooding.map_or_else(String::new, |most| format!(", folded above {most} a minute")),
            faults.join(" ")
        )?;
        for (number, life) in self.lives.iter().enumerate() {
            writeln!(f, "life {}: {life}", number + 1)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POINTS: &[&str] = &["before_parse", "in_transaction", "after_commit"];

    fn means(style: Style) -> Means {
        Means { style, points: POINTS, own_server: true }
    }

    #[test]
    fn the_same_seed_draws_the_same_schedule_and_another_one_another() {
        for style in [Style::Everything, Style::KillLoop] {
            assert_eq!(draw(7, &means(style)), draw(7, &means(style)));
            assert_ne!(draw(7, &means(style)), draw(8, &means(style)));
        }
    }

    #[test]
    fn all_kinds_of_ends_outages_and_faults_are_drawn() {
        let all: Vec<Schedule> = (0..60).map(|seed| draw(seed, &means(Style::Everything))).collect();
        let lives: Vec<Life> = all.iter().flat_map(|schedule| schedule.lives.clone()).collect();
        assert!(lives.iter().any(|life| matches!(life.end, End::Killed { .. })));
        assert!(lives.iter().any(|life| matches!(life.end, End::Terminated { .. })));
        for point in POINTS {
            assert!(
                lives.iter().any(|life| matches!(life.end, End::AtPoint { point: p, .. } if p == *point)),
                "{point}"
            );
        }
        for from in [CountsFrom::Start, CountsFrom::Running] {
            assert!(lives.iter().any(|life| life.counts_from == from), "{from:?}");
        }
        for manner in [Manner::Crash, Manner::Restart] {
            assert!(lives.iter().filter_map(|life| life.outage).any(|outage| outage.manner == manner));
        }
        for kind in FaultKind::ALL {
            assert!(all.iter().any(|schedule| schedule.faults.contains(&kind)), "{kind}");
        }
        assert!(all.iter().any(|schedule| schedule.faults.len() == FaultKind::ALL.len()));
        for flooding in [None, Some(5), Some(30)] {
            assert!(all.iter().any(|schedule| schedule.flooding == flooding), "{flooding:?}");
        }
    }

    #[test]
    fn what_cannot_be_done_here_leaves_the_rest_of_the_schedule_as_it_was() {
        let poor = Means { style: Style::Everything, points: &[], own_server: false };
        let (rich, poor) = (draw(3, &means(Style::Everything)), draw(3, &poor));
        assert_eq!((rich.faults, rich.rate, rich.lives.len()), (poor.faults, poor.rate, poor.lives.len()));
        for life in poor.lives {
            assert!(!matches!(life.end, End::AtPoint { .. }) && life.outage.is_none(), "{life}");
        }
    }

    #[test]
    fn a_kill_loop_is_many_short_lives_that_all_end_by_kills() {
        let schedule = draw(1, &means(Style::KillLoop));
        assert!(schedule.lives.len() >= 60);
        for life in &schedule.lives {
            assert!(!matches!(life.end, End::Terminated { .. }) && life.outage.is_none(), "{life}");
            assert!(life.end.at_most() <= Duration::from_millis(1_200), "{life}");
        }
    }

    #[test]
    fn the_seed_of_any_run_replays_it_alone() {
        let seed = seed_of_run(42, 3);
        assert_ne!(seed, seed_of_run(42, 4));
        assert_eq!(seed_of_run(seed, 0), seed);
        assert_eq!(
            draw(seed, &means(Style::Everything)).to_string(),
            draw(seed_of_run(seed, 0), &means(Style::Everything)).to_string()
        );
    }
}
