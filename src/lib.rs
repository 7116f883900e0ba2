//! # The street
//!
//! In the order in which an event passes:
#![warn(missing_docs)]

pub mod provider; // the contract
pub mod providers; // the registry and the five files of each provider

pub mod settings;

pub mod event_catcher; // provider → parsed, filtered, ready

pub mod switchboard; // event type → calls

pub mod rules; // events → what people want done for them

pub mod automate; // calls and rules → work

pub mod event_handler; // ready → one transaction

pub mod vmdb;

pub mod refresh; // work → inventory

pub mod webhooks; // what leaves the house

pub mod purger; // what is older than is kept

pub mod outages; // when nobody caught

pub mod supervisor; // starts, watches and stops all of the above

pub mod observe;

pub mod http;

pub mod simulator;

pub mod prove; // that nothing is lost, whatever goes wrong

pub mod cli;

pub mod actor;
pub mod backoff;
pub mod clock;
pub mod fail_points;

/// The provider guide, whose code must compile and run.
#[cfg(doctest)]
#[doc = include_str!("../docs/provider-guide.md")]
pub struct ProviderGuide;
