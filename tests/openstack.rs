//! The stream of the provider OpenStack against a real RabbitMQ, and the whole street behind it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "support/postgres.rs"]
#[allow(dead_code, reason = "shared with the tests of the VMDB")]
mod postgres;
#[path = "support/process.rs"]
#[allow(dead_code, reason = "shared with the tests of the street")]
mod process;
#[path = "support/rabbitmq.rs"]
mod rabbitmq;
#[path = "support/vmdb_rows.rs"]
#[allow(dead_code, reason = "shared with the tests of the VMDB")]
mod vmdb_rows;

#[path = "openstack/losing.rs"]
mod losing;
#[path = "openstack/reading.rs"]
mod reading;
#[path = "openstack/refusing.rs"]
mod refusing;
#[path = "openstack/replay.rs"]
mod replay;
#[path = "openstack/support.rs"]
mod support;
