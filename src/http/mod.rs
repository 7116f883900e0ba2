//! What can be asked over HTTP: the timeline, metrics and health.
//!
//! The server has a thread of its own, so that a busy street never makes a probe late and a slow reader never slows the
//! street. It only reads: nothing here changes the VMDB.

mod access;
mod context;
mod events_table;
mod filter;
mod filter_form;
mod histogram;
mod html;
mod layout;
mod metrics;
mod pages;
mod probes;
mod resource_page;
mod response;
mod server;
mod states;
mod timeline_page;

pub use context::{HttpContext, SettingsPart};
pub use server::{ServeError, ServerHandle, serve};
