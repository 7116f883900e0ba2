//! What can be asked over HTTP: the timeline, metrics and health.
//!
//! The server has a thread of its own, so that a busy street never makes a probe late and a slow reader never slows the
//! street. It only reads: nothing here changes the VMDB.

mod access;
mod api;
mod assets;
mod context;
mod export;
mod html;
mod layout;
mod live;
mod metrics;
pub mod pipeline;
mod probes;
mod reading;
mod refusal;
mod response;
mod server;
mod timeline;
mod timing;
mod tls;
mod usual_rates;

pub use context::{HttpContext, SettingsPart};
pub use server::{ServeError, ServerHandle, serve};
