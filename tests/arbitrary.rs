//! Whatever comes in: recorded events that were mangled, broken files, odd requests. What must hold then stands in
//! `arbitrary/trials`, which the fuzz targets share; here is what a person thinks of, and what was found once.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

#[path = "arbitrary/amounts.rs"]
mod amounts;
#[path = "arbitrary/answers.rs"]
mod answers;
#[path = "arbitrary/events.rs"]
mod events;
#[path = "arbitrary/files.rs"]
mod files;
#[path = "arbitrary/mangled.rs"]
mod mangled;
#[path = "arbitrary/rules.rs"]
mod rules;
#[path = "arbitrary/trials/mod.rs"]
mod trials;

use proptest::prelude::ProptestConfig;

/// So many cases; a failure is printed whole, and becomes a test with a name.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}
