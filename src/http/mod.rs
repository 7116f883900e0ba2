//! What can be asked over HTTP: the timeline, metrics and health.
//!
//! The server has a thread of its own, so that a busy street never makes a probe late and a slow reader never slows the
//! street. It only reads: nothing here changes the VMDB.

mod access;
mod context;
mod html;
mod metrics;
mod probes;
mod response;
mod server;

pub use context::{HttpContext, SettingsPart};
pub use probes::VmdbProbe;
pub use server::{ServeError, ServerHandle, serve};
