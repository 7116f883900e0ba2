//! Signals that end a command in order: Ctrl-C, SIGTERM, a terminal that is gone.

use futures_util::future::select_all;
use std::io;
use tokio::signal::unix::{SignalKind, signal};

/// Waits for the first of `kinds`.
///
/// # Errors
/// When the operating system does not let them be listened to.
pub async fn first_of(kinds: &[SignalKind]) -> io::Result<()> {
    let mut signals = kinds.iter().map(|kind| signal(*kind)).collect::<io::Result<Vec<_>>>()?;
    select_all(signals.iter_mut().map(|signal| Box::pin(signal.recv()))).await;
    Ok(())
}
