//! Rates of interleaved rounds: the median, the extremes, and ratios, as a table that people read.

use std::time::Duration;

/// What one way of doing it reached, round by round.
pub struct Rates {
    name: String,
    per_second: Vec<f64>,
}

impl Rates {
    pub fn of(name: impl Into<String>) -> Self {
        Self { name: name.into(), per_second: Vec::new() }
    }

    pub fn add(&mut self, events: usize, took: Duration) {
        self.per_second.push(events as f64 / took.as_secs_f64());
    }

    pub fn median(&self) -> f64 {
        let mut sorted = self.per_second.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        if sorted.len() % 2 == 1 { sorted[middle] } else { (sorted[middle - 1] + sorted[middle]) / 2.0 }
    }

    /// The name, the median, the extremes, and the median as a part of each of `limits`.
    pub fn print(&self, limits: &[&Rates]) {
        let least = self.per_second.iter().copied().fold(f64::INFINITY, f64::min);
        let most = self.per_second.iter().copied().fold(0.0, f64::max);
        let ratios: Vec<_> =
            limits.iter().map(|limit| format!("{:>6.2}", self.median() / limit.median())).collect();
        println!("  {:<58} {:>9.0} ({least:.0}-{most:.0}) {}", self.name, self.median(), ratios.join(" "));
    }
}
