//! What a run, and all of them together, came to: figures, and the verdict for people and for machines. Pure but for the log
//! that is looked through.

use super::facts::Facts;
use super::judge::Verdict;
use super::schedule::Schedule;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// How many of each kind of finding are told.
const TOLD: usize = 5;

/// One run.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RunReport {
    /// Draws the same schedule again.
    pub seed: u64,
    /// Kinds of faults that were on.
    pub faults: Vec<String>,
    /// How often each was met.
    pub faults_met: BTreeMap<String, u64>,
    /// Processes of Catchall, without the last one.
    pub lives: usize,
    /// Ended by SIGKILL at a drawn time.
    pub kills_by_time: usize,
    /// Ended by SIGKILL at a fail point.
    pub kills_at_points: BTreeMap<String, usize>,
    /// Ended by SIGTERM, in order.
    pub terminated: usize,
    /// Immediate stops of PostgreSQL.
    pub crashes: usize,
    /// Fast stops of PostgreSQL.
    pub restarts: usize,
    /// Events that ever became visible, malformed ones among them.
    pub obligations: usize,
    /// The malformed ones.
    pub malformed: usize,
    /// Rows of `event_streams`.
    pub rows: usize,
    /// Rows of `folded_events`.
    pub folded: usize,
    /// Rows of `dead_letters`.
    pub dead_letters: usize,
    /// Rows of `event_gaps`.
    pub gaps: usize,
    /// What is wrong with the VMDB.
    pub verdict: Verdict,
    /// What else is wrong: lives that ended by themselves, panics.
    pub broken: Vec<String>,
    /// How long it took.
    pub seconds: f64,
    /// Where its settings, schedule and logs are, if it is not proven.
    pub folder: Option<PathBuf>,
    /// The schema of PostgreSQL that was left for whoever looks into it.
    pub schema: Option<String>,
}

impl RunReport {
    /// A run of which nothing is known yet.
    pub fn of(schedule: &Schedule) -> Self {
        Self {
            seed: schedule.seed,
            faults: schedule.faults.iter().map(ToString::to_string).collect(),
            lives: schedule.lives.len(),
            ..Self::default()
        }
    }

    /// Notes what was judged.
    pub fn judged(&mut self, facts: &Facts, verdict: Verdict) {
        self.obligations = facts.events.len() + facts.malformed.len();
        self.malformed = facts.malformed.len();
        self.rows = facts.rows.len() - facts.folded;
        self.folded = facts.folded;
        self.dead_letters = facts.letters.len();
        self.gaps = facts.gaps.len();
        self.verdict = verdict;
    }

    /// A panic is a mistake, whatever became of it.
    pub fn look_for_panics(&mut self, log: &Path) {
        let text = String::from_utf8_lossy(&std::fs::read(log).unwrap_or_default()).into_owned();
        let panics = text.lines().filter(|line| line.contains("panicked at"));
        self.broken.extend(panics.take(TOLD).map(str::to_owned));
    }

    /// Whether nothing at all is wrong.
    pub fn is_proven(&self) -> bool {
        self.verdict.is_proven() && self.broken.is_empty()
    }

    /// All kills.
    pub fn kills(&self) -> usize {
        self.kills_by_time + self.kills_at_points.values().sum::<usize>()
    }

    /// One line for people.
    pub fn line(&self) -> String {
        let points = self.kills() - self.kills_by_time;
        let postgres = match (self.crashes, self.restarts) {
            (0, 0) => String::new(),
            (crashes, restarts) => format!(", PostgreSQL crashed {crashes} and restarted {restarts} times"),
        };
        let verdict = if self.is_proven() { "proven" } else { "NOT PROVEN" };
        let found = self.verdict.parts().map(|(name, found)| format!("{} {name}", found.len())).join(", ");
        format!(
            "seed {}: {verdict}: {found}; {} obligations ({} excused by {} gaps), \
             {} rows, {} folded, {} dead letters; {} kinds of faults met {} times; \
             {} kills ({} by time, {points} at fail points), {} stops in order{postgres}; {:.0} s",
            self.seed,
            self.obligations,
            self.verdict.excused,
            self.gaps,
            self.rows,
            self.folded,
            self.dead_letters,
            self.faults.len(),
            self.faults_met.values().sum::<u64>(),
            self.kills(),
            self.kills_by_time,
            self.terminated,
            self.seconds
        )
    }

    /// What is wrong, and how to see it again by `replay`; nothing when it is proven.
    pub fn findings(&self, replay: &str) -> String {
        if self.is_proven() {
            return String::new();
        }
        let mut text = String::new();
        let broken = ("broken", self.broken.as_slice());
        for (name, found) in
            self.verdict.parts().into_iter().chain([broken]).filter(|(_, found)| !found.is_empty())
        {
            let more =
                if found.len() > TOLD { format!("; and {} more", found.len() - TOLD) } else { String::new() };
            let first = &found[..found.len().min(TOLD)];
            text.push_str(&format!("  {name}: {}{more}\n", first.join("; ")));
        }
        text.push_str(&format!("  faults: {}\n  replay: {replay}\n", self.faults.join(" ")));
        if let Some(folder) = &self.folder {
            text.push_str(&format!("  settings, schedule and logs: {}\n", folder.display()));
        }
        if let Some(schema) = &self.schema {
            text.push_str(&format!("  its VMDB: schema {schema}\n"));
        }
        text
    }
}

/// `1 run`, `2 runs`.
pub fn runs(count: impl fmt::Display) -> String {
    let count = count.to_string();
    if count == "1" { "1 run".to_owned() } else { format!("{count} runs") }
}

/// All runs together.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Totals {
    /// Whether all runs are proven; never of none.
    pub proven: bool,
    /// The seed that all others come from.
    pub seed: u64,
    /// How many runs there were.
    pub runs: usize,
    /// The seeds of those that are not proven.
    pub failed: Vec<u64>,
    /// All kills.
    pub kills: usize,
    /// Those at fail points, by point.
    pub kills_at_points: BTreeMap<String, usize>,
    /// How often PostgreSQL crashed or was stopped.
    pub outages: usize,
    /// How often each fault was met.
    pub faults_met: BTreeMap<String, u64>,
    /// Events that ever became visible.
    pub obligations: usize,
    /// Those of them that a gap excuses.
    pub excused: usize,
    /// Events that were folded.
    pub folded: usize,
    /// Events that were lost, doubled and unworked, and rows that are stale.
    pub lost: usize,
    /// See `lost`.
    pub doubled: usize,
    /// See `lost`.
    pub stale: usize,
    /// See `lost`.
    pub unworked: usize,
    /// How long all took.
    pub seconds: f64,
}

impl Totals {
    /// Of these runs, which all come from `seed`.
    pub fn of(seed: u64, runs: &[RunReport]) -> Self {
        let mut totals = Self { seed, runs: runs.len(), ..Self::default() };
        for run in runs {
            totals.kills += run.kills();
            totals.outages += run.crashes + run.restarts;
            totals.obligations += run.obligations;
            totals.excused += run.verdict.excused;
            totals.folded += run.folded;
            totals.lost += run.verdict.lost.len();
            totals.doubled += run.verdict.doubled.len();
            totals.stale += run.verdict.stale.len();
            totals.unworked += run.verdict.unworked.len();
            totals.seconds += run.seconds;
            for (point, count) in &run.kills_at_points {
                *totals.kills_at_points.entry(point.clone()).or_default() += count;
            }
            for (fault, count) in &run.faults_met {
                *totals.faults_met.entry(fault.clone()).or_default() += count;
            }
            if !run.is_proven() {
                totals.failed.push(run.seed);
            }
        }
        totals.proven = !runs.is_empty() && totals.failed.is_empty();
        totals
    }

    /// For people.
    pub fn text(&self) -> String {
        let Self { kills, obligations, excused, folded, outages, seconds, seed, .. } = self;
        let points: usize = self.kills_at_points.values().sum();
        let faults: u64 = self.faults_met.values().sum();
        let figures = format!(
            "{} from seed {seed}: {obligations} obligations ({excused} excused, {folded} folded), {kills} kills ({points} at {} fail points), \
             {outages} outages of PostgreSQL, {faults} faults met, {seconds:.0} s",
            runs(self.runs),
            self.kills_at_points.len()
        );
        let Self { lost, doubled, stale, unworked, .. } = self;
        let found = format!("{lost} lost, {doubled} doubled, {stale} stale, {unworked} unworked");
        match self.proven {
            true => format!(
                "{figures}\nProven: {found}. Every event was stored exactly once, and its work was done.\n"
            ),
            false => {
                format!(
                    "{figures}\nNOT PROVEN: {found}; {} of {} failed.\n",
                    self.failed.len(),
                    runs(self.runs)
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_what_is_wrong_the_replay_and_the_folder() {
        let verdict = Verdict { lost: vec!["ev-1".into()], ..Verdict::default() };
        let folder = Some(PathBuf::from("/tmp/proof/run-1"));
        let run = RunReport { seed: 9, verdict, folder, ..RunReport::default() };
        let text = run.findings("catchall prove --seed 9 --runs 1");
        for words in ["lost: ev-1", "replay: catchall prove --seed 9 --runs 1", "/tmp/proof/run-1"] {
            assert!(text.contains(words), "{text}");
        }
        assert!(run.line().contains("NOT PROVEN: 1 lost"), "{}", run.line());
        let totals = Totals::of(9, &[RunReport::default(), run]);
        assert!(!totals.proven && totals.failed == [9] && totals.text().contains("NOT PROVEN: 1 lost"));
    }

    #[test]
    fn a_life_that_ended_by_itself_is_no_proof_though_nothing_is_lost_and_neither_is_no_run() {
        let run = RunReport { broken: vec!["life 2 ended by itself".into()], ..RunReport::default() };
        assert!(!run.is_proven() && !Totals::of(1, &[run]).proven && !Totals::of(1, &[]).proven);
        assert!(Totals::of(1, &[RunReport::default()]).proven);
    }
}
