//! Reads the VMDB for an answer, without letting readers take its threads from the street.

use super::context::HttpContext;
use crate::vmdb::{Connection, VmdbError};
use std::time::Duration;

/// An answer that takes longer than this is not waited for.
const LIMIT: Duration = Duration::from_secs(10);

/// Two answers read at a time, so that readers leave the VMDB's threads to probes and to the street; when too many wait for
/// their turn already, the answer is an error at once. What was read is whole before anything is sent: a slow client holds no
/// connection.
pub(super) async fn read<T: Send + 'static>(
    context: &HttpContext,
    work: impl FnOnce(&mut Connection) -> Result<T, VmdbError> + Send + 'static,
) -> Result<T, String> {
    let vmdb = context.vmdb().ok_or("it is not open yet")?;
    let (turns, waiting) = (context.page_turns(), context.waiting());
    let waiting = waiting.try_acquire_owned().map_err(|_| "too many others wait for it")?;
    let answer = async move {
        let turn = turns.acquire_owned().await;
        drop(waiting);
        // The turn goes along: work that nobody waits for any more still keeps a thread busy.
        vmdb.read(move |connection| {
            let answer = work(connection);
            drop(turn);
            answer
        })
        .await
    };
    match tokio::time::timeout(LIMIT, answer).await {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_) => Err(format!("no answer within {LIMIT:?}")),
    }
}
