//! The chances of the faults: numbers that follow from the seed alone.
//!
//! Each kind of happening has numbers of its own. So what the hundredth request for events meets does not depend on how
//! many requests for inventory came in between.

use super::mishap::Mishap;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::collections::BTreeMap;

/// Most entries on a page that is short.
const SHORT: usize = 5;

/// Numbers of one kind.
#[derive(Debug)]
pub struct Chances(StdRng);

/// All numbers.
#[derive(Debug)]
pub struct Draws {
    /// What requests for events meet.
    pub events: Chances,
    /// What requests for inventory meet.
    pub inventory: Chances,
    /// How pages of events are cut, and which repeat.
    pub pages: Chances,
    /// How listings are cut, and which shift.
    pub listings: Chances,
    /// How events enter the log.
    pub entries: Chances,
    /// Storms, and history that is lost.
    pub moments: Chances,
    /// Where the clock stands.
    pub clock: Chances,
}

impl Draws {
    /// As `seed` has it.
    pub fn new(seed: u64) -> Self {
        let chances = |kind: u64| Chances(StdRng::seed_from_u64(seed.wrapping_mul(8).wrapping_add(kind)));
        Self {
            events: chances(0),
            inventory: chances(1),
            pages: chances(2),
            listings: chances(3),
            entries: chances(4),
            moments: chances(5),
            clock: chances(6),
        }
    }
}

impl Chances {
    /// Whether something happens that happens in a `share` of all cases.
    pub fn falls(&mut self, share: f64) -> bool {
        share > 0.0 && self.0.random_bool(share.clamp(0.0, 1.0))
    }

    /// A number between both.
    pub fn between(&mut self, least: f64, most: f64) -> f64 {
        if least < most { self.0.random_range(least..=most) } else { least }
    }

    /// One number per request, whatever it is used for.
    pub fn mishap(&mut self, shares: &BTreeMap<Mishap, f64>) -> Mishap {
        let mut drawn: f64 = self.0.random();
        for (mishap, share) in shares {
            drawn -= share.max(0.0);
            if drawn < 0.0 {
                return *mishap;
            }
        }
        Mishap::Ok
    }

    /// `limit`, or much less in a `share` of all cases.
    pub fn page_size(&mut self, limit: usize, share: f64) -> usize {
        if self.falls(share) { limit.min(self.0.random_range(1..=SHORT)) } else { limit }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_and_each_kind_for_itself() {
        let shares = BTreeMap::from([(Mishap::Reset, 0.2), (Mishap::Drip, 0.2)]);
        let drawn = |seed, others: usize| {
            let mut draws = Draws::new(seed);
            let next = |_| {
                (0..others).for_each(|_| drop(draws.inventory.mishap(&shares)));
                draws.events.mishap(&shares)
            };
            (0..200).map(next).collect::<Vec<_>>()
        };
        assert_eq!(drawn(1, 0), drawn(1, 3));
        assert_ne!(drawn(1, 0), drawn(2, 0));
        let resets = drawn(1, 0).iter().filter(|mishap| **mishap == Mishap::Reset).count();
        assert!((20..60).contains(&resets), "{resets} of 200, where a fifth belongs");
    }
}
