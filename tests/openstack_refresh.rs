//! The inventory of OpenStack against a small cloud of our own that replays recorded answers of a genuine one, and misbehaves
//! as clouds do: tokens that end early, pages that shift, rights that do not suffice, services that are not there.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

#[path = "openstack_refresh/cloud.rs"]
mod cloud;
#[path = "openstack_refresh/full.rs"]
mod full;
#[path = "openstack_refresh/genuine.rs"]
mod genuine;
#[path = "openstack_refresh/login.rs"]
mod login;
#[path = "openstack_refresh/saved.rs"]
mod saved;
#[path = "vmdb/support.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod support;
#[path = "openstack_refresh/targeted.rs"]
mod targeted;

#[path = "support/postgres.rs"]
mod postgres;
