//! Rules, from the settings to what they did: each worked rule of docs/rules.md on a real VMDB, limits, and the commands.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

#[path = "rules/commands.rs"]
mod commands;
#[path = "rules/firing.rs"]
mod firing;
#[path = "rules/house.rs"]
mod house;
#[path = "rules/page.rs"]
mod page;
#[path = "rules/settings.rs"]
mod settings;
#[path = "vmdb/support.rs"]
#[allow(dead_code, reason = "not all helpers are used here")]
mod support;

#[path = "support/postgres.rs"]
#[allow(dead_code, reason = "not all helpers are used here")]
mod postgres;
#[path = "support/process.rs"]
#[allow(dead_code, reason = "not all helpers are used here")]
mod process;
