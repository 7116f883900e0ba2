//! The Awesome Cloud provider against a server that misbehaves in every way its API allows: nothing is lost, nothing
//! stops the stream, and what is malformed is a dead letter.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

#[path = "awesome_cloud/catching.rs"]
mod catching;
#[path = "awesome_cloud/collecting.rs"]
mod collecting;
#[path = "awesome_cloud/cursors.rs"]
mod cursors;
#[path = "awesome_cloud/getting_on.rs"]
mod getting_on;
#[path = "awesome_cloud/shipped.rs"]
mod shipped;
#[path = "awesome_cloud/support.rs"]
mod support;
