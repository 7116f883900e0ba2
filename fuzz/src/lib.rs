//! What must hold whatever comes in: the trials of the normal suite, for the fuzz targets.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a trial fails by panicking")]

#[path = "../../tests/arbitrary/trials/mod.rs"]
pub mod trials;
