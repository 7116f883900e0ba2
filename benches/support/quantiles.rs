//! The median, the 99th percentile and the worst of many measurements.

/// Measurements in any order.
#[derive(Default)]
pub struct Quantiles(Vec<f64>);

impl Quantiles {
    pub fn add(&mut self, value: f64) {
        self.0.push(value);
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The smallest value that this share of all does not exceed.
    pub fn at(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let rank = (share * sorted.len() as f64).ceil() as usize;
        sorted.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
    }

    /// Median, 99th percentile, worst.
    pub fn three(&self) -> (f64, f64, f64) {
        (self.at(0.5), self.at(0.99), self.at(1.0))
    }
}
