//! A stream gets on, however often requests fail and however much it has to read again.

use super::support::*;
use catchall::provider::Ems;
use catchall::simulator::{Faults, Mishap, Simulator};
use std::collections::BTreeMap;

/// An EMS that reads pages of 100.
fn ems_of(cloud: &Simulator) -> Ems {
    let mut ems = ems(&cloud.url());
    ems.catcher.ems_event_page_size = 100;
    ems
}

fn failing(shares: &[(Mishap, f64)]) -> Faults {
    Faults { seed: 5, events_shares: BTreeMap::from_iter(shares.iter().copied()), ..Faults::default() }
}

#[tokio::test]
async fn a_large_overlap_is_got_through_though_three_of_ten_requests_fail() {
    let cloud = cloud(Faults::default()).await;
    cloud.happen(6000);
    let kinds = [Mishap::ServerError, Mishap::Reset, Mishap::EndsEarly, Mishap::NoJson];
    cloud.set_faults(failing(&kinds.map(|kind| (kind, 0.075))));
    let caught = catch_all(&cloud, &ems_of(&cloud)).await;
    println!("{:?} {} errors", cloud.stats(), caught.errors.len());
}

#[tokio::test]
async fn a_large_overlap_is_got_through_though_credentials_and_rates_are_refused() {
    let cloud = cloud(Faults::default()).await;
    cloud.happen(6000);
    cloud.set_faults(failing(&[(Mishap::Unauthorized, 0.1), (Mishap::Throttled, 0.1)]));
    let caught = catch_all(&cloud, &ems_of(&cloud)).await;
    println!("{:?} {} errors", cloud.stats(), caught.errors.len());
}
