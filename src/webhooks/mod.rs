//! Webhooks and CloudEvents over HTTP: rows of `miq_queue` that are posted, retried with back-off, and kept when they cannot be
//! delivered. `docs/webhooks.md` is what a receiver reads.
//!
//! Which event asks for which webhook is the rules' matter; this room only sends. What is decided is pure ([`answer`],
//! [`request`], [`signature`], [`address_guard`]); the [`sender`] claims, posts and writes down.

pub mod address_guard;
pub mod answer;
pub mod client;
pub mod cloud_event;
pub mod request;
pub mod sender;
pub mod signature;
