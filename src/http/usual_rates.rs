//! Learns what each EMS usually sends, from what the VMDB holds of its last seven days: when the VMDB is there, and every
//! hour again.

use super::context::HttpContext;
use crate::clock;
use crate::observe::{Observe, UsualRate};
use crate::vmdb::timeline::counts::{BarCount, CountQuery, counts};
use crate::vmdb::{Connection, VmdbError, ems, timeline};
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use std::collections::HashMap;
use std::time::Duration;

const EVERY: Duration = Duration::from_secs(3600);
/// How often it is tried again while the VMDB is not there.
const AGAIN: Duration = Duration::from_secs(5);
const DAYS: i64 = 7;

/// Goes on for as long as the server does.
pub(super) async fn learn_for_ever(context: HttpContext) {
    loop {
        let wait = match context.vmdb() {
            Some(vmdb) => {
                let (observe, now) = (context.observe().clone(), clock::now());
                match vmdb.read(move |connection| learn(connection, &observe, now)).await {
                    Ok(()) => EVERY,
                    Err(error) => {
                        log::debug!("what EMSs usually send could not be read: {error}");
                        AGAIN
                    }
                }
            }
            None => AGAIN,
        };
        tokio::time::sleep(wait).await;
    }
}

/// Reads whole hours only: the present one is not over yet.
fn learn(connection: &mut Connection, observe: &Observe, now: DateTime<Utc>) -> Result<(), VmdbError> {
    let until = now.duration_trunc(TimeDelta::hours(1)).unwrap_or(now);
    let query = CountQuery {
        resource: None,
        ems_id: None,
        event_types: None,
        since: until - TimeDelta::days(DAYS),
        until,
        bars: DAYS as usize * 24,
    };
    let counted = counts(connection, &query)?;
    let hours = by_hour(counted.bars, counted.width, until);
    for row in ems::list(connection)? {
        let figures = observe.ems(&row.name);
        let usual = hours.get(&row.id.0).and_then(|hours| UsualRate::learn(hours, until));
        let newest = match figures.last_event() {
            None => timeline::newest(connection, row.id)?,
            known => known,
        };
        figures.learned(usual, newest);
    }
    Ok(())
}

/// The counts of each EMS by hour; those of longer stretches are spread evenly over their hours, as far as these are over.
fn by_hour(
    bars: Vec<BarCount>,
    width: TimeDelta,
    until: DateTime<Utc>,
) -> HashMap<i64, Vec<(DateTime<Utc>, f64)>> {
    let mut hours: HashMap<i64, Vec<(DateTime<Utc>, f64)>> = HashMap::new();
    for bar in bars {
        let over = (until - bar.starts).min(width).num_hours().max(1);
        let counts = hours.entry(bar.ems_id).or_default();
        for hour in 0..over {
            counts.push((bar.starts + TimeDelta::hours(hour), bar.count as f64 / over as f64));
        }
    }
    hours
}
