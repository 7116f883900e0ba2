//! Storms and fairness: a storm does not starve the quiet ones, large events wait for room in turn, and many EMSs are soon
//! caught from. The benchmarks `storm` and `many` measure the same at full size.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

#[path = "support/cloud.rs"]
#[allow(dead_code, reason = "shared with the tests that judge")]
mod cloud;
#[path = "support/process.rs"]
#[allow(dead_code, reason = "shared with the tests that steer processes")]
mod process;
#[path = "support/vmdb_rows.rs"]
#[allow(dead_code, reason = "shared with the tests on PostgreSQL")]
mod vmdb_rows;

#[path = "fairness/large_events.rs"]
mod large_events;
#[path = "fairness/many.rs"]
mod many;
#[path = "fairness/storm.rs"]
mod storm;
